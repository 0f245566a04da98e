import { Worker } from 'node:worker_threads'
import type { AuditEnding, AuditEntry, SessionRow, StoredAuditEntry } from '../model/access.ts'
import type { Clock } from '../model/clock.ts'
import type { DeadLetter } from '../model/dead-letter.ts'
import { InvariantError, type PlatformError } from '../model/errors.ts'
import type { AuditPage } from './audit-rows.ts'
import {
  DeadLetterMissingError,
  DeadLetterStateError,
  StateUnavailableError,
  StateVersionError,
} from './errors.ts'
import type { KeyRow } from './key-rows.ts'
import {
  type LetterCount,
  type LetterFilter,
  type LetterPage,
  rejectedCounter,
  type StoredLetter,
} from './letter-rows.ts'
import type { RunDatabase } from './run-database.ts'
import type { StateCall, StateFunctions, StateReply, StateThreadOptions } from './state-thread.ts'

// What the platform remembers about itself: dead letters, what the gateway turned away, API keys, sessions, the audit log.
//
// Comes in: letters from every hop. Goes out: the same, for people and for replay. Survives a crash: everything whose
// promise was fulfilled. One SQLite file. The platform writes it; commands may too while it
// runs, because every change is one short transaction that reads what it decides from. Others read meanwhile.

export interface StateOptions {
  readonly file: string
  readonly clock: Clock
  /** For looking only, in any process. Default false. */
  readonly readOnly?: boolean
}

type ErrorClass = new (message: string) => PlatformError
const ERRORS: Readonly<Record<string, ErrorClass>> = {
  DEAD_LETTER_MISSING: DeadLetterMissingError,
  DEAD_LETTER_STATE: DeadLetterStateError,
  STATE_VERSION: StateVersionError,
  STATE_UNAVAILABLE: StateUnavailableError,
}

interface Waiting {
  resolve(value: unknown): void
  reject(error: unknown): void
}

/** Letters waiting for the commit that takes them all. */
interface Gathering {
  readonly letters: DeadLetter[]
  readonly recorded: Promise<void>
}

/** Open the state file. @throws StateVersionError, StateUnavailableError */
export async function openStateStore(options: StateOptions): Promise<StateStore> {
  const store = new StateStore(options)
  try {
    await store.counts({})
    return store
  } catch (error) {
    await store.close()
    throw error
  }
}

export class StateStore {
  readonly #clock: Clock
  readonly #worker: Worker
  readonly #waiting = new Map<number, Waiting>()
  #call = 0
  #ended: PlatformError | undefined
  #gathering: Gathering | undefined
  #recording: Promise<void> = Promise.resolve()

  constructor({ file, clock, readOnly = false }: StateOptions) {
    this.#clock = clock
    const workerData: StateThreadOptions = { file, readOnly }
    this.#worker = new Worker(new URL('./state-thread.ts', import.meta.url), { workerData })
    this.#worker.on('message', (reply: StateReply) => this.#take(reply))
    this.#worker.on('error', (cause) => this.#end(cause))
    this.#worker.on('exit', () => this.#end(undefined))
  }

  /**
   * Keep dead letters; durable when it returns. Letters of concurrent calls share one commit. The same letter again
   * changes nothing, except at the gateway, where the same bytes again are one more attempt.
   */
  async record(letters: readonly DeadLetter[]): Promise<void> {
    if (this.#gathering === undefined) {
      const gathered: DeadLetter[] = []
      // Whatever arrives while the commit before this one is under way goes into this one.
      const recorded = this.#recording.then(() => {
        this.#gathering = undefined
        return this.#ask('record', { letters: gathered, nowMs: this.#clock.nowMs() })
      })
      this.#recording = recorded.catch(() => {})
      this.#gathering = { letters: gathered, recorded }
    }
    this.#gathering.letters.push(...letters)
    await this.#gathering.recorded
  }

  /** Oldest first, unless the page says otherwise. */
  list(page: LetterPage = {}): Promise<readonly StoredLetter[]> {
    return this.#ask('list', page)
  }

  /** The letter whose id begins so. @throws DeadLetterMissingError */
  find(idStart: string): Promise<StoredLetter> {
    return this.#ask('find', idStart)
  }

  /** Keep mended bytes for a letter. @throws DeadLetterMissingError, DeadLetterStateError */
  fix(id: string, fixed: Uint8Array, note?: string): Promise<StoredLetter> {
    return this.#ask('change', { id, event: 'fix', fixed, ...(note === undefined ? {} : { note }) })
  }

  /** @throws DeadLetterMissingError, DeadLetterStateError */
  markReplayed(id: string, replayedTo: string): Promise<StoredLetter> {
    return this.#ask('change', { id, event: 'replay', replayedTo })
  }

  /** Decide that a letter will not be replayed. It is kept. @throws DeadLetterMissingError, DeadLetterStateError */
  drop(id: string, note?: string): Promise<StoredLetter> {
    return this.#ask('change', { id, event: 'drop', ...(note === undefined ? {} : { note }) })
  }

  counts(filter: LetterFilter = {}): Promise<readonly LetterCount[]> {
    return this.#ask('counts', filter)
  }

  /** Records that the gateway turned away for a topic since the beginning, every arrival counted. */
  rejectedCount(topic: string): Promise<number> {
    return this.#ask('counter', rejectedCounter(topic))
  }

  keys(): Promise<readonly KeyRow[]> {
    return this.#ask('keys', undefined)
  }

  /** False when the name is taken. */
  addKey(key: Omit<KeyRow, 'revokedMs' | 'createdMs'>): Promise<boolean> {
    return this.#ask('addKey', { ...key, createdMs: this.#clock.nowMs() })
  }

  /** False when there is no such key in force. */
  revokeKey(name: string): Promise<boolean> {
    return this.#ask('revokeKey', { name, nowMs: this.#clock.nowMs() })
  }

  /** Sessions that are remembered, the one used last first. */
  sessions(): Promise<readonly SessionRow[]> {
    return this.#ask('sessions', undefined)
  }

  findSession(id: string): Promise<SessionRow | undefined> {
    return this.#ask('findSession', id)
  }

  addSession(row: SessionRow): Promise<void> {
    return this.#ask('addSession', row)
  }

  /** It was used now. */
  touchSession(id: string): Promise<void> {
    return this.#ask('touchSession', { id, nowMs: this.#clock.nowMs() })
  }

  /** False when there is no such session, or it is over. */
  endSession(id: string): Promise<boolean> {
    return this.#ask('endSession', { id, nowMs: this.#clock.nowMs() })
  }

  /** Write a line into the audit log; its number. Durable when it returns. */
  addAudit(entry: Omit<AuditEntry, 'atMs'>): Promise<number> {
    return this.#ask('addAudit', { ...entry, atMs: this.#clock.nowMs() })
  }

  /** Say how the action of a line ended. */
  endAudit(id: number, ending: AuditEnding): Promise<void> {
    return this.#ask('endAudit', { ...ending, id })
  }

  /** Newest first. */
  audit(page: AuditPage = {}): Promise<readonly StoredAuditEntry[]> {
    return this.#ask('audit', page)
  }

  /** The same file as a database of runs; it is closed with this. */
  runDatabase(): RunDatabase {
    return {
      // With a fraction, unlike the seconds that unixepoch() gives otherwise.
      nowMsSql: `CAST(unixepoch('subsec') * 1000 AS INTEGER)`,
      shared: false,
      all: (statements) => this.#ask('all', statements),
      close: async () => {},
    }
  }

  /** Resolves after everything under way is durable. */
  async close(): Promise<void> {
    await this.#recording
    if (this.#ended === undefined) await this.#ask('close', undefined).catch(() => {})
    await this.#worker.terminate()
  }

  #ask<Name extends keyof StateFunctions>(
    name: Name,
    argument: Parameters<StateFunctions[Name]>[0],
  ): Promise<ReturnType<StateFunctions[Name]>> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended)
    this.#call += 1
    const call = this.#call
    return new Promise((resolve, reject) => {
      this.#waiting.set(call, { resolve: resolve as (value: unknown) => void, reject })
      this.#worker.postMessage({ call, name, argument } satisfies StateCall)
    })
  }

  #take({ call, value, failure }: StateReply): void {
    const waiting = this.#waiting.get(call)
    this.#waiting.delete(call)
    if (failure === undefined) waiting?.resolve(value)
    else waiting?.reject(new (ERRORS[failure.code] ?? InvariantError)(failure.message))
  }

  #end(cause: unknown): void {
    this.#ended ??= new StateUnavailableError(
      'The thread of the state file has ended; what was not yet answered may or may not be kept. Start the platform again.',
      { cause },
    )
    for (const { reject } of this.#waiting.values()) reject(this.#ended)
    this.#waiting.clear()
  }
}
