import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock, Randomness } from '../../model/clock.ts'
import type { ObjectStore } from '../../model/object-store.ts'
import { uuidV7Maker } from '../../model/uuid.ts'
import type { ParquetPort } from '../parquet-port.ts'
import type { RowsPort } from '../rows-port.ts'
import type { ScratchPort } from '../scratch-port.ts'
import type { StageFilesPort } from '../stage-files.ts'
import {
  type CommitContext,
  type CommitOutcome,
  type CommitRequest,
  commit,
  commitIdOf,
} from './commit.ts'
import { readCommit, readLog, readLogSince } from './log-read.ts'
import type { LogState } from './log-state.ts'

/** All that Delta tables need from outside. */
export interface DeltaDeps {
  readonly store: ObjectStore
  readonly ports: {
    readonly stageFiles: StageFilesPort
    readonly parquet: ParquetPort
    readonly tableRows: RowsPort
    readonly scratch: ScratchPort
  }
  readonly clock: Clock
  readonly randomness: Randomness
  /** Waits between attempts. Default: the system's timer; a simulation has its own. */
  readonly pause?: (ms: number, signal?: AbortSignal) => Promise<void>
}

/**
 * A state this old is read anew from a listing before it is used. Probing for the next version is sound only while no
 * clean-up can have removed it, and clean-up keeps commits for days.
 */
const STATE_AGE_MAX_MS = 15 * 60 * 1000

/** The log of one table, with the newest state that this process has seen of it. */
export class TableLog {
  readonly context: CommitContext
  readonly newId: () => string
  #known: { readonly state: LogState; readonly readAtMs: number } | undefined
  /** Commits that no answer came for, with the version that may be theirs. */
  readonly #unanswered = new Map<string, number>()

  constructor(deps: DeltaDeps, tableKey: string) {
    this.context = commitContext(deps, tableKey)
    this.newId = uuidV7Maker(deps.clock, deps.randomness)
  }

  /** The newest state there is now. */
  async newest(signal?: AbortSignal): Promise<LogState> {
    const { context } = this
    const known = this.#trusted()
    const state =
      known === undefined
        ? await readLog(context, undefined, signal)
        : await readLogSince(context, known, signal)
    return this.remember(state)
  }

  /** A state that was the newest a short while ago; good enough to write on top of. */
  async recent(signal?: AbortSignal): Promise<LogState> {
    return this.#trusted() ?? this.newest(signal)
  }

  async at(version: number, signal?: AbortSignal): Promise<LogState> {
    const known = this.#trusted()
    return known?.version === version ? known : readLog(this.context, version, signal)
  }

  async commit(request: CommitRequest, signal?: AbortSignal): Promise<CommitOutcome> {
    const before = await this.recent(signal)
    const earlier = await this.#foundAfterAll(request.commitId, before.version, signal)
    if (earlier !== undefined) return { status: 'committed', version: earlier }
    const { outcome, state } = await commit(this.context, request.base ?? before, request, signal)
    this.remember(state)
    if (outcome.status !== 'unknown') this.#unanswered.delete(request.commitId)
    else if (!this.#unanswered.has(request.commitId))
      this.#unanswered.set(request.commitId, outcome.version)
    return outcome
  }

  /** Where a commit stands that had no answer, among the versions we have seen since. */
  async #foundAfterAll(
    commitId: string,
    newest: number,
    signal: AbortSignal | undefined,
  ): Promise<number | undefined> {
    const first = this.#unanswered.get(commitId)
    if (first === undefined) return undefined
    for (let version = first; version <= newest; version += 1) {
      const actions = await readCommit(this.context, version, signal)
      if (actions === undefined || commitIdOf(actions) !== commitId) continue
      this.#unanswered.delete(commitId)
      return version
    }
    return undefined
  }

  /** Keep a state if it is newer, or the same with a newer base. */
  remember(state: LogState): LogState {
    const known = this.#known?.state
    if (known === undefined || state.version >= known.version)
      this.#known = { state, readAtMs: this.context.clock.nowMs() }
    return state
  }

  #trusted(): LogState | undefined {
    const known = this.#known
    if (known === undefined) return undefined
    const ageMs = this.context.clock.nowMs() - known.readAtMs
    return ageMs >= 0 && ageMs < STATE_AGE_MAX_MS ? known.state : undefined
  }
}

export function commitContext(deps: DeltaDeps, tableKey: string): CommitContext {
  const { store, ports, clock, randomness } = deps
  return {
    store,
    parquet: ports.parquet,
    tableKey,
    clock,
    randomness,
    pause: deps.pause ?? (async (ms, signal) => void (await sleep(ms, undefined, { signal }))),
  }
}
