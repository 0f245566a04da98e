import type { RunStatus, RunTaskStatus } from '../../model/run.ts'

/**
 * The life of a task within a run.
 *
 *   waiting ──begin──▶ running ──succeed──▶ done, nothing_new
 *      │ ▲                │ ▲ └──fail──▶ failed ─ ─ ▶ those that wait for it: skipped
 *      │ └ ─ ─ ─ ─ ─┐     │ └──begin── retrying ◀──fail, with attempts left
 *      └─cancel─▶ cancelled ◀─cancel─ from any that is not over
 *               interrupted ◀─interrupt─ from running and retrying; begin takes it up again
 */
export type TaskEvent =
  | 'begin'
  | 'succeed'
  | 'find_nothing'
  | 'fail'
  | 'retry'
  | 'skip'
  | 'cancel'
  | 'interrupt'

const NEXT: Readonly<Record<RunTaskStatus, Partial<Record<TaskEvent, RunTaskStatus>>>> = {
  waiting: { begin: 'running', skip: 'skipped', cancel: 'cancelled', interrupt: 'waiting' },
  running: {
    succeed: 'done',
    find_nothing: 'nothing_new',
    fail: 'failed',
    retry: 'retrying',
    cancel: 'cancelled',
    interrupt: 'interrupted',
  },
  retrying: { begin: 'running', cancel: 'cancelled', interrupt: 'interrupted' },
  interrupted: { begin: 'running', skip: 'skipped', cancel: 'cancelled', interrupt: 'interrupted' },
  done: {},
  nothing_new: {},
  failed: {},
  skipped: {},
  cancelled: {},
}

/** The status after an event, or `undefined` where the event cannot be. Pure. */
export const taskTransition = (
  status: RunTaskStatus,
  event: TaskEvent,
): RunTaskStatus | undefined => NEXT[status][event]

/** What waits for it may begin. */
export const hasSucceeded = (status: RunTaskStatus): boolean =>
  status === 'done' || status === 'nothing_new'

/** Nothing more becomes of it in this run. */
export const isOver = (status: RunTaskStatus): boolean => Object.keys(NEXT[status]).length === 0

/** How a run ended whose tasks are all over. Pure. */
export function outcomeOf(statuses: readonly RunTaskStatus[]): RunStatus {
  if (statuses.every(hasSucceeded)) return 'succeeded'
  return statuses.some((status) => status === 'failed' || status === 'skipped')
    ? 'failed'
    : 'cancelled'
}
