import type { Backfill } from '../model/backfill.ts'
import type { Run, RunLogLine, RunTask } from '../model/run.ts'
import type { Task } from '../model/task.ts'
import type { Schedule } from '../orchestrator/schedules/schedules-of.ts'
import type { RunDetail } from '../state/run-store.ts'
import { instant } from './views.ts'

// Runs as JSON, the same from a running platform and from a home at rest.

export type RunView = ReturnType<typeof runView>
export type RunTaskView = ReturnType<typeof runTaskView>
export type RunDetailView = RunView & { readonly tasks: readonly RunTaskView[] }

export function runView(run: Run) {
  return {
    id: run.id,
    status: run.status,
    trigger: run.trigger,
    schedule: run.schedule,
    backfill: run.backfill,
    pipeline: run.pipeline,
    selectors: run.selectors,
    logical_time: instant(run.logicalMs),
    full_refresh: run.fullRefresh,
    range: run.range,
    versions: run.versions,
    created_at: instant(run.createdMs),
    ended_at: run.endedMs === null ? null : instant(run.endedMs),
    /** From its beginning, interruptions and all; `null` before the end. */
    seconds: secondsBetween(run.createdMs, run.endedMs),
    interruptions: run.interruptions,
  }
}

export function runTaskView(task: RunTask) {
  return {
    id: task.id,
    pipeline: task.pipeline,
    kind: task.kind,
    status: task.status,
    attempts: task.attempt,
    started_at: task.startedMs === null ? null : instant(task.startedMs),
    ended_at: task.endedMs === null ? null : instant(task.endedMs),
    seconds: secondsBetween(task.startedMs, task.endedMs),
    facts: task.facts,
    error_code: task.errorCode,
    error: task.error,
    progress:
      task.progressDone === null ? null : { done: task.progressDone, total: task.progressTotal },
  }
}

export const runDetailView = ({ run, tasks }: RunDetail): RunDetailView => ({
  ...runView(run),
  tasks: tasks.map(runTaskView),
})

export type RunLineView = ReturnType<typeof runLineView>

export const runLineView = ({ task, attempt, atMs, line }: RunLogLine) => ({
  task,
  attempt,
  at: instant(atMs),
  line,
})

export const taskView = ({ id, pipeline, kind, after, tags, writes }: Task) => ({
  ...{ id, pipeline, kind, after, tags, writes },
})

function secondsBetween(startedMs: number | null, endedMs: number | null): number | null {
  return startedMs === null || endedMs === null ? null : (endedMs - startedMs) / 1_000
}

export type ScheduleView = ReturnType<typeof scheduleView>

export const scheduleView = (schedule: Schedule, next: readonly number[]) => ({
  id: schedule.id,
  pipeline: schedule.pipeline,
  cron: schedule.cron,
  zone: schedule.zone,
  run: schedule.run,
  catch_up: schedule.catchUp,
  retries: schedule.retries,
  next: next.map(instant),
})

export type BackfillView = ReturnType<typeof backfillView>

export function backfillView(backfill: Backfill) {
  const { id, status, selectors, unit, from, to, parts } = backfill
  const done = parts.filter((part) => part.status === 'done').length
  return {
    ...{ id, status, selectors, unit, from, to },
    part_size: backfill.partSize,
    created_at: instant(backfill.createdMs),
    ended_at: backfill.endedMs === null ? null : instant(backfill.endedMs),
    progress: { done, total: parts.length },
    parts: parts.map((part) => ({
      ...{ from: part.from, to: part.to, status: part.status, run: part.runId },
    })),
  }
}
