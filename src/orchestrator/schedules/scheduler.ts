import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../../model/clock.ts'
import { messageOf } from '../../model/errors.ts'
import type { Runner } from '../runs/runner.ts'
import { selectTasks } from '../runs/select-tasks.ts'
import { dueRun } from './due-run.ts'
import type { Schedule } from './schedules-of.ts'

// Who begins runs at their moments.
//
// Comes in: schedules, and the time. Goes out: runs, each schedule's one at a time, each moment's once however many schedulers look
// at one state. Survives a crash: up to which moment each schedule was dealt with, so that what was missed is made up for as the schedule wants.

export interface SchedulerOptions {
  readonly schedules: readonly Schedule[]
  readonly runner: Runner
  readonly clock: Clock
  readonly onNotice: (line: string) => void
  /** Between two looks at the time. */
  readonly lookMs?: number
  /** Between two looks for runs whose process is gone. */
  readonly resumeMs?: number
  /** How long the history of runs is kept. */
  readonly historyMs: number
}

export interface Scheduler {
  readonly schedules: readonly Schedule[]
  stop(): Promise<void>
}

const LOOK_MS = 1_000
/** Runs whose process is gone are looked for so often: a lease takes longer than this to end. */
const RESUME_MS = 10_000
const FORGET_MS = 3_600_000

/** Begin to look after schedules. @throws SelectorError when one names no task of its pipeline, StateUnavailableError */
export async function startScheduler(options: SchedulerOptions): Promise<Scheduler> {
  const { schedules, runner, clock, onNotice, lookMs = LOOK_MS, resumeMs = RESUME_MS } = options
  for (const { run, pipeline } of schedules) selectTasks(runner.graph, run, pipeline)
  const known = new Map<string, number>()
  for (const schedule of schedules) known.set(schedule.id, await handledMs(options, schedule))
  const stopping = new AbortController()
  const { signal } = stopping
  const every = (intervalMs: number, work: () => Promise<unknown>) =>
    repeat(intervalMs, work, { signal, onNotice })
  const loops = [
    every(lookMs, async () => {
      for (const schedule of schedules) if (!signal.aborted) await look(options, schedule, known)
    }),
    every(resumeMs, async () => {
      for (const id of await runner.resumeInterrupted())
        onNotice(`Run ${id} was interrupted and goes on.`)
    }),
    every(FORGET_MS, () => runner.store.forgetBefore(clock.nowMs() - options.historyMs)),
  ]
  return {
    schedules,
    async stop() {
      stopping.abort()
      await Promise.all(loops)
    },
  }
}

const handledMs = ({ runner, clock }: SchedulerOptions, { id, cron, zone }: Schedule) =>
  runner.store.scheduleHandledMs(id, `${cron} ${zone}`, clock.nowMs())

async function look(
  options: SchedulerOptions,
  schedule: Schedule,
  known: Map<string, number>,
): Promise<void> {
  const { runner, clock } = options
  const { id, catchUp, pipeline, run, retries, retryDelayMs, timeoutMs } = schedule
  const nowMs = clock.nowMs()
  // What we knew may be old, because others look too; but nothing can be due before that says so.
  if (dueRun(schedule, { catchUp, nowMs, handledMs: known.get(id)! }).handledMs === known.get(id))
    return
  const newest = await handledMs(options, schedule)
  known.set(id, newest)
  const due = dueRun(schedule, { catchUp, nowMs, handledMs: newest })
  if (due.runMs !== undefined) {
    const { status } = await runner.startScheduled({
      ...{ trigger: 'schedule', schedule: id, backfill: null, pipeline, selectors: run },
      ...{ logicalMs: due.runMs, fullRefresh: false, range: null, versions: null },
      limits: { retries, retryDelayMs, timeoutMs },
    })
    // Until the run before is over, this moment is looked at again, and then it may be missed.
    if (status === 'busy') return
  }
  await runner.store.scheduleHandled(id, due.handledMs)
  known.set(id, due.handledMs)
}

/** Do something again and again; trouble is said and does not end it. */
async function repeat(
  intervalMs: number,
  work: () => Promise<unknown>,
  { signal, onNotice }: { signal: AbortSignal; onNotice: (line: string) => void },
): Promise<void> {
  let trouble = ''
  while (!signal.aborted) {
    try {
      await work()
      trouble = ''
    } catch (error) {
      // Said when it begins, not each second.
      if (messageOf(error) !== trouble) onNotice(`The scheduler waits: ${messageOf(error)}`)
      trouble = messageOf(error)
    }
    await sleep(intervalMs, undefined, { signal, ref: false }).catch(() => {})
  }
}
