import type { Clock, Randomness } from '../../model/clock.ts'
import { retryOf } from '../../model/errors.ts'
import type { PutIfAbsentOutcome } from '../../model/object-store.ts'
import { actionLines } from './action-json.ts'
import type { Action, CommitInfoAction } from './actions.ts'
import {
  type CommitIntent,
  type Conflict,
  type ConflictReason,
  checkTransactions,
  checkWinner,
} from './conflict.ts'
import { commitKey, type LogReader, readCommit } from './log-read.ts'
import { LogReplay } from './log-replay.ts'
import type { LogState } from './log-state.ts'
import { parseProperties } from './properties.ts'
import { canonicalPath, tableUrlOf } from './table-path.ts'

/**
 * Committing: the one step that makes anything visible, a put-if-absent of the next log file.
 *
 * Whoever puts a version owns it. When somebody else did, their commits are read, checked against ours, and ours is
 * tried again on top. When no answer came, we look: every commit carries an id of its own (`commitInfo.txnId`), so
 * that a version that holds our id is ours, whatever the store said.
 */

/** Attempts on top of ever newer versions. With fair chances some writer wins each round, so this is many writers. */
const ATTEMPT_COUNT_MAX = 64
/** Times that one version is tried while the store gives no answer. */
const UNKNOWN_COUNT_MAX = 5
/** Pauses between attempts: from nothing up to this, doubled each time until the limit. */
const PAUSE_FIRST_MS = 4
const PAUSE_MAX_MS = 500

export interface CommitContext extends LogReader {
  readonly clock: Clock
  readonly randomness: Randomness
  pause(ms: number, signal?: AbortSignal): Promise<void>
}

export interface CommitRequest {
  /** Never used before, by anybody. A repeated request with the same id is recognised if it had been committed. */
  readonly commitId: string
  readonly intent: CommitIntent
  /** The state that the commit was made from. Default: the newest one at hand, which is right for blind appends alone. */
  readonly base?: LogState
  /** Without `commitInfo` and `txn`, which are made here. */
  readonly actions: readonly Action[]
  readonly info: CommitInfoAction
}

/**
 * `conflict`: nothing was committed; `version` is the newest that was looked at. `unknown`: no answer came, and looking
 * did not help either; the same request may be sent again later, and will recognise itself.
 */
export type CommitOutcome =
  | { readonly status: 'committed'; readonly version: number }
  | {
      readonly status: 'conflict'
      readonly reason: ConflictReason
      readonly message: string
      readonly version: number
    }
  | { readonly status: 'unknown'; readonly version: number; readonly cause: unknown }

/**
 * Commit on top of `state` or of what others have committed since. Returns the outcome, and the newest state that was
 * seen: with our commit in it when it is `committed`.
 * @throws PlatformError when the store refused before anything was put
 */
export async function commit(
  context: CommitContext,
  state: LogState,
  request: CommitRequest,
  signal?: AbortSignal,
): Promise<{ readonly outcome: CommitOutcome; readonly state: LogState }> {
  const { intent, commitId } = request
  let base = state
  for (let attempt = 0; attempt < ATTEMPT_COUNT_MAX; attempt += 1) {
    signal?.throwIfAborted()
    const moved = checkTransactions(base, intent.transactions)
    if (moved !== undefined) return { outcome: conflictAt(base, moved), state: base }
    const version = base.version + 1
    base = await withCommitInfo(context, base)
    const actions = commitActions(context, base, request)
    const put = await putCommit(context, version, actions, commitId)
    if (put.status === 'unknown')
      return { outcome: { status: 'unknown', version, cause: put.cause }, state: base }
    if (put.status === 'mine') {
      base = replayed(context, base, [{ version, actions }])
      return { outcome: { status: 'committed', version }, state: base }
    }
    const winners = await readWinners(context, version, put.actions, signal)
    const after = replayed(context, base, winners)
    const mine = winners.find((winner) => commitIdOf(winner.actions) === commitId)
    if (mine !== undefined)
      return { outcome: { status: 'committed', version: mine.version }, state: after }
    const conflict = firstConflict(context, intent, winners)
    if (conflict !== undefined) return { outcome: conflictAt(after, conflict), state: after }
    base = after
    await context.pause(pauseMs(attempt, context.randomness), signal)
  }
  const message = `others were faster ${ATTEMPT_COUNT_MAX} times in a row`
  return { outcome: conflictAt(base, { reason: 'contention', message }), state: base }
}

/** Names a logical file in a `CommitIntent`: a data file with one deletion vector, or none. */
export const logicalFileKey = (canonicalPath: string, vectorId: string): string =>
  `${vectorId}\n${canonicalPath}`

const conflictAt = (state: LogState, conflict: Conflict): CommitOutcome => ({
  status: 'conflict',
  ...conflict,
  version: state.version,
})

type PutOutcome =
  | { readonly status: 'mine' }
  | { readonly status: 'taken'; readonly actions: readonly Action[] }
  | { readonly status: 'unknown'; readonly cause: unknown }

/** Put one version, or find out whose it is. Also creates tables: their first commit is version 0. */
export async function putCommit(
  context: CommitContext,
  version: number,
  actions: readonly Action[],
  commitId: string,
): Promise<PutOutcome> {
  const key = commitKey(context.tableKey, version)
  const bytes = new TextEncoder().encode(actionLines(actions))
  let unanswered: unknown
  for (let attempt = 0; attempt < UNKNOWN_COUNT_MAX; attempt += 1) {
    if (attempt > 0) await context.pause(pauseMs(attempt, context.randomness))
    let put: PutIfAbsentOutcome
    try {
      // Without the caller's signal: a put that was torn off halfway would be one more unknown.
      put = await context.store.putIfAbsent(key, bytes)
    } catch (error) {
      // Nothing was put this time. Only if no earlier attempt is still in the air, that is the whole truth.
      if (unanswered === undefined) throw error
      continue
    }
    if (put.status === 'created') return { status: 'mine' }
    if (put.status === 'unknown') {
      unanswered = put.cause
      continue
    }
    try {
      const found = await readCommit(context, version)
      if (found !== undefined)
        return commitIdOf(found) === commitId
          ? { status: 'mine' }
          : { status: 'taken', actions: found }
      unanswered ??= new Error(`${key} exists for a put and not for a get`)
    } catch (error) {
      if (retryOf(error) === 'never') throw error
      unanswered ??= error
    }
  }
  return { status: 'unknown', cause: unanswered }
}

/** The id that a commit's writer gave it. */
export function commitIdOf(actions: readonly Action[]): string | undefined {
  return actions.find((action) => action.commitInfo !== undefined)?.commitInfo?.txnId
}

interface Winner {
  readonly version: number
  readonly actions: readonly Action[]
}

async function readWinners(
  context: CommitContext,
  first: number,
  actions: readonly Action[],
  signal: AbortSignal | undefined,
): Promise<Winner[]> {
  const winners: Winner[] = [{ version: first, actions }]
  for (let version = first + 1; ; version += 1) {
    const found = await readCommit(context, version, signal)
    if (found === undefined) return winners
    winners.push({ version, actions: found })
  }
}

function firstConflict(
  context: CommitContext,
  intent: CommitIntent,
  winners: readonly Winner[],
): Conflict | undefined {
  const tableUrl = tableUrlOf(context.store, context.tableKey)
  const keyOf = (path: string, vectorId: string) =>
    logicalFileKey(canonicalPath(path, tableUrl), vectorId)
  for (const winner of winners) {
    const conflict = checkWinner(intent, winner, keyOf)
    if (conflict !== undefined) return conflict
  }
  return undefined
}

function replayed(context: CommitContext, state: LogState, commits: readonly Winner[]): LogState {
  const replay = new LogReplay(tableUrlOf(context.store, context.tableKey), { state })
  for (const { version, actions } of commits) replay.applyCommit(version, actions)
  return replay.finish(context.tableKey)
}

function commitActions(
  { clock }: CommitContext,
  base: LogState,
  { commitId, intent, actions, info }: CommitRequest,
): readonly Action[] {
  const nowMs = clock.nowMs()
  const commitInfo: CommitInfoAction = {
    timestamp: nowMs,
    ...inCommitTimestamp(base, nowMs),
    ...info,
    readVersion: base.version,
    txnId: commitId,
  }
  const transactions = intent.transactions.map(({ appId, version }) => ({
    txn: { appId, version, lastUpdated: nowMs },
  }))
  // First the commit info, where in-commit timestamps demand it.
  return [{ commitInfo }, ...transactions, ...actions]
}

/** A state that ends at a checkpoint lacks the commit's own info, which in-commit timestamps go on from. */
async function withCommitInfo(context: CommitContext, state: LogState): Promise<LogState> {
  if (state.commitInfo !== undefined) return state
  if (!parseProperties(state.metadata.configuration).inCommitTimestamps) return state
  const actions = (await readCommit(context, state.version)) ?? []
  return { ...state, commitInfo: actions.find((action) => action.commitInfo)?.commitInfo ?? {} }
}

/** PROTOCOL.md, "In-Commit Timestamps": later than the commit before, whatever the clock says. */
function inCommitTimestamp(base: LogState, nowMs: number): { inCommitTimestamp?: number } {
  if (!parseProperties(base.metadata.configuration).inCommitTimestamps) return {}
  const before = base.commitInfo?.inCommitTimestamp ?? base.commitInfo?.timestamp ?? 0
  return { inCommitTimestamp: Math.max(nowMs, before + 1) }
}

/** Full jitter: anything from nothing up to a doubling limit, so that writers that collided part. */
export function pauseMs(attempt: number, randomness: Randomness): number {
  const limitMs = Math.min(PAUSE_MAX_MS, PAUSE_FIRST_MS * 2 ** attempt)
  const [high, low] = randomness.bytes(new Uint8Array(2))
  return (limitMs * (high! * 256 + low!)) / 65_536
}
