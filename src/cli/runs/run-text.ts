import type { RunDetailView, RunTaskView } from '../../api/run-views.ts'
import { bytesText, timeText } from '../numbers.ts'
import { tableText } from '../terminal.ts'

const FACT_COUNT_MAX = 4

/** What a task did, in a few words. */
export function factsText({ facts, error, status, progress }: RunTaskView): string {
  if (error !== null && status !== 'done') return error
  if (status === 'running' && progress !== null)
    return `${progress.done}${progress.total === null ? '' : ` of ${progress.total}`}`
  if (typeof facts.build === 'string') return buildText(facts)
  return Object.entries(facts)
    .filter(([name, value]) => value !== null && value !== 0 && !/\.(from|to)_version$/.test(name))
    .slice(0, FACT_COUNT_MAX)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ')
}

/** A model's run, what a reader looks for first. Versions are left to the JSON. */
function buildText(facts: RunTaskView['facts']): string {
  const of = (name: string) => Number(facts[name] ?? 0)
  const rows = ['in', 'added', 'changed', 'removed'].flatMap((what) =>
    of(`rows_${what}`) === 0 ? [] : `${of(`rows_${what}`).toLocaleString('en')} ${what}`,
  )
  const size = (what: string) => `${of(`files_${what}`)} (${bytesText(of(`bytes_${what}`))})`
  return [
    `files ${size('read')} read, ${size('written')} written`,
    `rows ${rows.join(', ') || 'none'}`,
    ...(facts.build === 'whole' ? ['made anew'] : []),
    ...(of('tests_warned') === 0 ? [] : [`tests warned ${of('tests_warned')}`]),
  ].join('; ')
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
