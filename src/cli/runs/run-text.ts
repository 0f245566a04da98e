import type { RunDetailView, RunTaskView } from '../../api/run-views.ts'
import { timeText } from '../numbers.ts'
import { tableText } from '../terminal.ts'

const FACT_COUNT_MAX = 4

/** What a task did, in a few words. */
export function factsText({ facts, error, status, progress }: RunTaskView): string {
  if (error !== null && status !== 'done') return error
  if (status === 'running' && progress !== null)
    return `${progress.done}${progress.total === null ? '' : ` of ${progress.total}`}`
  return Object.entries(facts)
    .filter(([, value]) => value !== null && value !== 0)
    .slice(0, FACT_COUNT_MAX)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ')
}

/** The tasks of a run as a table. */
export const tasksText = (tasks: readonly RunTaskView[]): string =>
  tableText(
    ['task', 'status', 'attempts', 'seconds', ''],
    tasks.map((task) => [task.id, task.status, task.attempts, task.seconds, factsText(task)]),
  )

/** A run and its tasks, for people. */
export function runText(run: RunDetailView): string {
  const why = run.schedule ?? run.backfill ?? run.trigger
  const head = [
    `run        ${run.id} (${why}), ${run.status}`,
    `began      ${timeText(run.created_at)} UTC, for ${timeText(run.logical_time)}`,
    ...(run.ended_at === null ? [] : [`ended      ${timeText(run.ended_at)} UTC`]),
    ...(run.interruptions === 0 ? [] : [`interrupted ${run.interruptions} times`]),
  ]
  return [...head, '', run.tasks.length === 0 ? 'It has no tasks.' : tasksText(run.tasks)].join(
    '\n',
  )
}
