import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../../model/clock.ts'
import type { RunStatus, RunTask } from '../../model/run.ts'
import type { Task } from '../../model/task.ts'
import { backOffMs } from '../../stream/back-off.ts'
import { type AttemptOutcome, attemptTask } from './attempt-task.ts'
import type { RunRecord } from './run-record.ts'
import type { TaskGraph } from './task-graph.ts'
import { hasSucceeded, isOver, outcomeOf } from './task-status.ts'

// The loop that carries out one run. Comes in: a run with its tasks as they stand, from its beginning or from where it was interrupted.
// Goes out: its tasks, one after another as the graph allows, each in as many attempts as it may have. Survives a crash: every task that
// was said to be done; the others are begun again, which their own cursors make harmless.

/** What all runs of a process share. */
export interface DriveWorld {
  readonly graph: TaskGraph
  readonly clock: Clock
  readonly chance: () => number
  /** Take one of the places for tasks at work; false when all are taken. */
  takePlace(): boolean
  leavePlace(): void
  /** Take what a task needs to have for itself; `undefined` while somebody else has it. */
  hold(runId: string, task: Task): Promise<Hold | undefined>
  /** A task does not heed its signal, and goes on without us. */
  leftBehind(id: string, settled: Promise<void>): void
  /** How often something was let go of here. */
  freedCount(): number
  /** Resolves when something was let go of since the count was taken, here or (looked at now and then) elsewhere. */
  somethingFreed(sinceCount: number, signal: AbortSignal): Promise<void>
}

export interface Hold {
  /** Aborts when it can no longer be counted on. */
  readonly lost: AbortSignal
  release(): Promise<void>
}

/** Why a run is stopped before its end: for good, to go on later, or because another process goes on with it already. */
export type StopReason = 'cancel' | 'interrupt' | 'lost'

/** Waits between attempts do not grow beyond this. */
const RETRY_DELAY_MS_MAX = 15 * 60_000

/**
 * Carry out a run until its end, or until `signal` aborts with a `StopReason`.
 * @throws StateUnavailableError when what happens cannot be kept
 */
export async function driveRun(
  world: DriveWorld,
  record: RunRecord,
  signal: AbortSignal,
): Promise<RunStatus> {
  const atWork = new Map<string, Promise<void>>()
  const memory: Memory = { signal, dueMs: new Map(), failureCount: new Map() }
  while (!signal.aborted) {
    const freedCount = world.freedCount()
    skipHopeless(world.graph, record)
    const open = record.tasks().filter(({ status }) => !isOver(status))
    if (open.length === 0) break
    for (const { id } of readyTasks(world, record, atWork, memory)) {
      if (signal.aborted || !world.takePlace()) break
      const task = world.graph.task(id)!
      const hold = await world.hold(record.run.id, task).catch((error: unknown) => {
        world.leavePlace()
        throw error
      })
      if (hold === undefined) {
        world.leavePlace()
        continue
      }
      const work = carryOut(world, record, { task, hold, memory }).finally(() => atWork.delete(id))
      atWork.set(id, work)
    }
    await somethingHappens(world, atWork, memory, freedCount)
  }
  await Promise.all(atWork.values())
  if (signal.aborted) return stopped(record, signal.reason as StopReason)
  await record.flush()
  return outcomeOf(record.tasks().map(({ status }) => status))
}

/** What waits for something that did not succeed will never begin. */
function skipHopeless(graph: TaskGraph, record: RunRecord): void {
  const statuses = new Map(record.tasks().map(({ id, status }) => [id, status]))
  for (const { id, status } of record.tasks()) {
    if (isOver(status) || status === 'running' || status === 'retrying') continue
    if (graph.task(id) === undefined) {
      record.move(id, 'skip', { error: 'There is no such task any more.' })
      statuses.set(id, 'skipped')
    }
    const failed = graph.before(id).find((earlier) => {
      const found = statuses.get(earlier)
      return found !== undefined && isOver(found) && !hasSucceeded(found)
    })
    if (failed === undefined) continue
    statuses.set(id, 'skipped')
    record.move(id, 'skip', { error: `${failed} did not succeed.` })
  }
}

/** Tasks whose turn it is. What is not part of the run is not waited for. */
function readyTasks(
  { graph, clock }: DriveWorld,
  record: RunRecord,
  atWork: ReadonlyMap<string, unknown>,
  { dueMs }: Memory,
): readonly RunTask[] {
  const statuses = new Map(record.tasks().map(({ id, status }) => [id, status]))
  return record.tasks().filter(({ id, status }) => {
    if (isOver(status) || atWork.has(id)) return false
    if ((dueMs.get(id) ?? 0) > clock.nowMs()) return false
    return graph.before(id).every((earlier) => {
      const found = statuses.get(earlier)
      return found === undefined || hasSucceeded(found)
    })
  })
}

/** What a run remembers while it is carried out; a failure before an interruption is forgiven. */
interface Memory {
  readonly signal: AbortSignal
  /** When a task is tried again. */
  readonly dueMs: Map<string, number>
  readonly failureCount: Map<string, number>
}

async function carryOut(
  world: DriveWorld,
  record: RunRecord,
  { task, hold, memory }: { readonly task: Task; readonly hold: Hold; readonly memory: Memory },
): Promise<void> {
  const { id } = task
  const { signal } = memory
  let stillAtWork: Promise<void> | undefined
  try {
    const { attempt, startedMs } = record.task(id)
    record.move(id, 'begin', {
      ...{ attempt: attempt + 1, startedMs: startedMs ?? world.clock.nowMs(), endedMs: null },
      ...{ error: null, errorCode: null, progressDone: null, progressTotal: null },
    })
    await record.flush()
    const ended = await attemptTask(task, {
      ...{ run: record.run, attempt: attempt + 1, signal, leaseLost: hold.lost },
      log: (line) => record.say(id, line),
      progress: (done, total) => record.progress(id, done, total),
    })
    stillAtWork = ended.stillAtWork
    if (ended.outcome.status !== 'stopped') afterAttempt(world, record, id, ended.outcome, memory)
    if (signal.reason !== 'lost') await record.flush()
  } finally {
    world.leavePlace()
    // What it writes stays its own until it has really ended. A lease that cannot be let go of ends by itself.
    if (stillAtWork === undefined) await hold.release().catch(() => {})
    else
      world.leftBehind(
        id,
        stillAtWork.then(() => hold.release()).catch(() => {}),
      )
  }
}

function afterAttempt(
  { clock, chance }: DriveWorld,
  record: RunRecord,
  id: string,
  outcome: Exclude<AttemptOutcome, { readonly status: 'stopped' }>,
  { dueMs, failureCount }: Memory,
): void {
  const endedMs = clock.nowMs()
  if (outcome.status === 'succeeded') {
    const { status, facts } = outcome.report
    record.move(id, status === 'done' ? 'succeed' : 'find_nothing', { facts, endedMs })
    return
  }
  const { retries, retryDelayMs } = record.run.limits
  const failures = (failureCount.get(id) ?? 0) + 1
  failureCount.set(id, failures)
  const failure = { error: outcome.message, errorCode: outcome.code, endedMs }
  record.say(id, `${outcome.code}: ${outcome.message}`)
  if (!outcome.mayRetry || failures > retries) {
    record.move(id, 'fail', failure)
    return
  }
  const limits = { firstMs: retryDelayMs, maxMs: Math.max(retryDelayMs, RETRY_DELAY_MS_MAX) }
  const waitMs = backOffMs(limits, failures, chance())
  record.move(id, 'retry', failure)
  record.say(id, `Failed ${failures} of ${retries + 1} times; tried again in ${waitMs} ms.`)
  dueMs.set(id, endedMs + waitMs)
}

/** A task ended, a retry is due, something was let go of, or the run is told to stop. */
async function somethingHappens(
  { clock, somethingFreed }: DriveWorld,
  atWork: ReadonlyMap<string, Promise<void>>,
  { dueMs, signal }: Memory,
  freedCount: number,
): Promise<void> {
  const nowMs = clock.nowMs()
  const waits = [...dueMs.values()].filter((due) => due > nowMs).map((due) => due - nowMs)
  const over = new AbortController()
  const either = AbortSignal.any([over.signal, signal])
  const timer = sleep(Math.min(...waits, 60_000), undefined, { signal: either }).catch(() => {})
  await Promise.race([...atWork.values(), timer, somethingFreed(freedCount, either)]).finally(() =>
    over.abort(),
  )
}

function stopped(record: RunRecord, reason: StopReason): RunStatus | Promise<RunStatus> {
  if (reason === 'lost') return 'interrupted'
  for (const { id, status } of record.tasks())
    if (!isOver(status)) record.move(id, reason === 'cancel' ? 'cancel' : 'interrupt')
  return record.flush().then(() => {
    // It was told to stop, and had ended all the same.
    const statuses = record.tasks().map(({ status }) => status)
    if (statuses.every(isOver) && !statuses.includes('cancelled')) return outcomeOf(statuses)
    return reason === 'cancel' ? 'cancelled' : 'interrupted'
  })
}
