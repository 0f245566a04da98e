import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Worker } from 'node:worker_threads'
import type { Position } from '../model/append.ts'
import { type Clock, systemClock } from '../model/clock.ts'
import type { DeadLetter } from '../model/dead-letter.ts'
import { PlatformError } from '../model/errors.ts'
import type { DeadLetterFilter } from './dead-letters.ts'
import { StateLimitError, StateUnavailableError, stateErrorOf } from './errors.ts'
import { checkLayout, STATE_LAYOUT } from './layout.ts'
import {
  type OperationArguments,
  type OperationName,
  type OperationResult,
  type PageRequest,
  runOperation,
} from './operations.ts'
import type { ApiKey } from './records.ts'
import type { StateReply, StateRequest, StateThreadData } from './state-thread.ts'
import { statementsOf } from './statements.ts'

// What the platform remembers about itself, in one SQLite file: dead letters and what became of them, the gateway's
// counter of rejected arrivals, applied plans, settings, API keys.
// In: calls from any part of the platform. Out: answers, each after its change is fsynced. Everything survives a
// crash; a call without an answer may or may not have happened, and all of them can be made again: recording a letter
// twice changes nothing, marking a replay twice changes nothing.
//
// The file has one writer, a thread of its own, so that waiting for the disk never holds up the event loop. Any number
// of processes may read it at the same time (`openStateReader`).

/** Calls that wait for the disk at once; past it, the caller is told to come later. */
export const PENDING_CALL_COUNT_MAX = 10_000
/** Bytes of letters that wait for the disk at once. */
export const PENDING_BYTES_MAX = 128 * 1024 * 1024

export interface StateStoreOptions {
  /** The file; made with its folder when missing. */
  readonly path: string
  readonly clock?: Clock
}

/** What can be read, from the store or from a reader in any process. */
export class StateReading {
  readonly #ask: Ask

  constructor(ask: Ask) {
    this.#ask = ask
  }

  /** Letters, newest first, a page at a time. */
  listLetters(filter: DeadLetterFilter = {}, page: PageRequest = {}) {
    return this.#ask('listLetters', filter, page)
  }

  /** A letter with its bytes, by any beginning of its id that is its alone. @throws DeadLetterMissingError, DeadLetterAmbiguousError */
  showLetter(id: string) {
    return this.#ask('showLetter', id)
  }

  /** How many letters there are, by pipeline, hop, reason and status. */
  countLetters() {
    return this.#ask('countLetters')
  }

  /** Arrivals the gateway turned away, by topic, since the beginning, repeats included. */
  rejectedCounts() {
    return this.#ask('rejectedCounts')
  }

  /** A setting's JSON text, or `undefined`. */
  getSetting(key: string) {
    return this.#ask('getSetting', key)
  }

  /** The newest applied plan of a pipeline, or `undefined`. */
  appliedPlan(pipeline: string) {
    return this.#ask('appliedPlan', pipeline)
  }

  /** All API keys, revoked ones too. */
  apiKeys() {
    return this.#ask('apiKeys')
  }
}

type Ask = <Name extends OperationName>(
  name: Name,
  ...args: OperationArguments<Name>
) => Promise<OperationResult<Name>>

interface PendingCall {
  readonly bytes: number
  readonly resolve: (result: never) => void
  readonly reject: (error: PlatformError) => void
}

/** The state file, open for writing. Every method that changes something returns after fsync. */
export class StateStore {
  /** Reads see everything that was answered before. */
  readonly read: StateReading
  readonly #worker: Worker
  readonly #clock: Clock
  readonly #pending = new Map<number, PendingCall>()
  readonly #ended: Promise<void>
  #pendingBytes = 0
  #callCount = 0
  #open = true

  constructor(worker: Worker, clock: Clock) {
    this.#worker = worker
    this.#clock = clock
    this.read = new StateReading((name, ...args) => this.#call(name, args))
    worker.on('message', (reply: StateReply) => this.#settle(reply))
    worker.on('error', () => undefined)
    this.#ended = new Promise((resolve) => {
      worker.on('exit', () => {
        this.#open = false
        const error = new StateUnavailableError(
          'The thread that writes the state file has ended. The call may or may not have happened; making it again is safe.',
        )
        for (const call of this.#pending.values()) call.reject(error)
        this.#pending.clear()
        resolve()
      })
    })
  }

  /**
   * Keep letters; the same letter again changes nothing. At hop `gateway` the store numbers letters itself, and the same bytes for the same topic
   * count as one more attempt; every such arrival moves the topic's rejected count, in the same transaction.
   * @throws StateLimitError, StateUnavailableError; then none of `letters` was kept
   */
  async record(letters: readonly DeadLetter[]): Promise<void> {
    if (letters.length === 0) return
    const bytes = letters.reduce((sum, letter) => sum + letter.value.length, 0)
    // A view would take the whole batch it points into along to the thread.
    const copied = letters.map((letter) => ({ ...letter, value: new Uint8Array(letter.value) }))
    await this.#call('recordLetters', [copied], bytes)
  }

  /** Put mended bytes beside the original ones. @throws DeadLetterStatusError */
  fix(id: string, fixed: Uint8Array, note?: string) {
    return this.#call('fixLetter', [id, new Uint8Array(fixed), note], fixed.length)
  }

  /** Say where the record went. Saying the same again changes nothing. @throws DeadLetterStatusError */
  markReplayed(id: string, position: Position) {
    return this.#call('markReplayed', [id, position])
  }

  /** Give a letter up. @throws DeadLetterStatusError */
  drop(id: string, note?: string) {
    return this.#call('dropLetter', [id, note])
  }

  /** `value` is JSON text. */
  putSetting(key: string, value: string) {
    return this.#call('putSetting', [key, value])
  }

  /** Keep a plan (JSON text) as the pipeline's newest and return it with its version; the same text as the newest changes nothing. */
  applyPlan(pipeline: string, plan: string) {
    return this.#call('applyPlan', [pipeline, plan])
  }

  addApiKey(key: Pick<ApiKey, 'hash' | 'name' | 'roles'>) {
    return this.#call('addApiKey', [key])
  }

  /** Whether there was such a key, not revoked yet. */
  revokeApiKey(hash: string) {
    return this.#call('revokeApiKey', [hash])
  }

  /** Resolves after every call made before is answered and the file is closed. */
  async close(): Promise<void> {
    if (this.#open) {
      this.#open = false
      this.#worker.postMessage({ kind: 'close' } satisfies StateRequest)
    }
    await this.#ended
  }

  #call<Name extends OperationName>(
    name: Name,
    args: OperationArguments<Name>,
    bytes = 0,
  ): Promise<OperationResult<Name>> {
    if (!this.#open)
      return Promise.reject(
        new StateUnavailableError('The state file is closed. Nothing was done.'),
      )
    if (
      this.#pending.size >= PENDING_CALL_COUNT_MAX ||
      (this.#pendingBytes > 0 && this.#pendingBytes + bytes > PENDING_BYTES_MAX)
    )
      return Promise.reject(
        new StateLimitError(
          `Too much is waiting to be written to the state file (${this.#pending.size} calls, ${this.#pendingBytes} bytes). Nothing was done; come again.`,
        ),
      )
    this.#callCount += 1
    const callId = this.#callCount
    return new Promise((resolve, reject) => {
      this.#pending.set(callId, { bytes, resolve, reject })
      this.#pendingBytes += bytes
      const nowMs = Math.trunc(this.#clock.nowMs())
      this.#worker.postMessage({ kind: 'call', callId, name, nowMs, args } satisfies StateRequest)
    })
  }

  #settle(reply: StateReply): void {
    if (reply.kind !== 'done' && reply.kind !== 'refused') return
    const call = this.#pending.get(reply.callId)
    if (call === undefined) return
    this.#pending.delete(reply.callId)
    this.#pendingBytes -= call.bytes
    if (reply.kind === 'done') call.resolve(reply.result as never)
    else call.reject(stateErrorOf(reply.error))
  }
}

/** Open the state file for writing; one process at a time. @throws StateLayoutError, StateUnavailableError */
export async function openStateStore({
  path: statePath,
  clock = systemClock,
}: StateStoreOptions): Promise<StateStore> {
  await mkdir(path.dirname(statePath), { recursive: true })
  const workerData: StateThreadData = { statePath }
  const worker = new Worker(new URL('./state-thread.ts', import.meta.url), { workerData })
  const first = await new Promise<StateReply>((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', (error) =>
      reject(new StateUnavailableError('The state file’s thread did not start.', { cause: error })),
    )
  })
  if (first.kind === 'failed') throw stateErrorOf(first.error)
  return new StateStore(worker, clock)
}

/** The state file, open for reading while another process writes. */
export interface StateReader {
  readonly read: StateReading
  close(): void
}

/** Open an existing state file for reading. @throws StateLayoutError, StateUnavailableError */
export function openStateReader({ path: statePath }: { readonly path: string }): StateReader {
  let database: DatabaseSync | undefined
  try {
    database = new DatabaseSync(statePath, { readOnly: true, timeout: 5000 })
    const layout = checkLayout(database)
    if (layout < STATE_LAYOUT)
      throw new StateUnavailableError(
        `The state file has layout ${layout}; start the platform once to bring it to ${STATE_LAYOUT}.`,
      )
  } catch (error) {
    database?.close()
    throw asStateError(error)
  }
  const opened = database
  const sql = statementsOf(opened)
  const read = new StateReading(async (name, ...args) => {
    try {
      return runOperation(sql, name, 0, args) as never
    } catch (error) {
      throw asStateError(error)
    }
  })
  return Object.freeze({ read, close: () => opened.close() })
}

function asStateError(error: unknown): unknown {
  if (error instanceof PlatformError || !(error instanceof Error)) return error
  return stateErrorOf(error)
}
