import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf, PlatformError } from '../../model/errors.ts'
import type { Run } from '../../model/run.ts'
import type { Task, TaskReport } from '../../model/task.ts'
import { LeaseLostError, TaskTimeoutError } from '../errors.ts'

/** How one attempt of a task ended. */
export type AttemptOutcome =
  | { readonly status: 'succeeded'; readonly report: TaskReport }
  | {
      readonly status: 'failed'
      readonly code: string
      readonly message: string
      /** Whether another attempt could end otherwise. */
      readonly mayRetry: boolean
    }
  /** The run was told to stop. */
  | { readonly status: 'stopped' }

export interface Attempt {
  readonly outcome: AttemptOutcome
  /** There when the task does not heed its signal: resolves when it has let go of everything. Never rejects. */
  readonly stillAtWork?: Promise<void>
}

export interface AttemptOptions {
  readonly run: Run
  readonly attempt: number
  /** Of the run. */
  readonly signal: AbortSignal
  /** Aborts when somebody else may hold what the task writes. */
  readonly leaseLost: AbortSignal
  readonly log: (line: string) => void
  readonly progress: (done: number, total?: number) => void
}

/** A task that was told to stop gets so long to do it; then we go on without it. */
const GRACE_MS = 10_000

/** Carry a task out once, within its time. Never throws: what the task throws is an outcome. */
export async function attemptTask(task: Task, options: AttemptOptions): Promise<Attempt> {
  const { run, attempt, signal, leaseLost, log, progress } = options
  const { timeoutMs } = run.limits
  const timeUp = new AbortController()
  const timer = setTimeout(() => timeUp.abort(new TaskTimeoutError(task.id, timeoutMs)), timeoutMs)
  const stopped = AbortSignal.any([signal, leaseLost, timeUp.signal])
  const work = carryOut(() =>
    task.run({
      ...{ runId: run.id, logicalMs: run.logicalMs, attempt, signal: stopped, log, progress },
      fullRefresh: run.fullRefresh,
      ...(run.range === null ? {} : { range: run.range }),
      ...(run.versions === null ? {} : { versions: run.versions }),
    }),
  )
  const outcome = await Promise.race([work, givenUp(stopped)])
  clearTimeout(timer)
  const still = outcome === undefined ? { stillAtWork: work.then(() => {}) } : {}
  if (outcome?.status === 'succeeded') return { outcome }
  // Whatever a task throws once it was told to stop, why it was told says more.
  if (signal.aborted) return { outcome: { status: 'stopped' }, ...still }
  const reason = stopped.aborted ? (stopped.reason as unknown) : undefined
  return { outcome: reason === undefined ? outcome! : failureOf(reason), ...still }
}

async function carryOut(work: () => Promise<TaskReport>): Promise<AttemptOutcome> {
  try {
    return { status: 'succeeded', report: await work() }
  } catch (error) {
    return failureOf(error)
  }
}

/** Resolves some time after the signal, for tasks that do not heed it. */
async function givenUp(stopped: AbortSignal): Promise<undefined> {
  if (!stopped.aborted)
    await new Promise((resolve) => stopped.addEventListener('abort', resolve, { once: true }))
  await sleep(GRACE_MS, undefined, { ref: false })
}

/** A stranger's error may be the network's; one of ours says whether trying again can help. */
function failureOf(error: unknown): AttemptOutcome & { readonly status: 'failed' } {
  const isOurs = error instanceof PlatformError
  return {
    status: 'failed',
    code: isOurs ? error.code : 'TASK_FAILED',
    message: messageOf(error),
    mayRetry: !isOurs || error.retry !== 'never' || error instanceof LeaseLostError,
  }
}
