import type { DatabaseSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'
import type { DeadLetter } from '../model/dead-letter.ts'
import { messageOf, PlatformError } from '../model/errors.ts'
import { auditRows } from './audit-rows.ts'
import { keyRows } from './key-rows.ts'
import {
  changeLetter,
  counter,
  countLetters,
  findLetter,
  type LetterFilter,
  type LetterPage,
  listLetters,
  recordLetters,
} from './letter-rows.ts'
import type { LetterEvent } from './letter-status.ts'
import type { Cells, Statement } from './run-database.ts'
import { sessionRows } from './session-rows.ts'
import { openStateFile, RUNS_SINCE_LAYOUT } from './state-layout.ts'

// The thread that owns the state file, so that waiting for the disk never holds up the event loop. Calls are answered in order.

export interface StateThreadOptions {
  readonly file: string
  readonly readOnly: boolean
}

export interface StateCall {
  readonly call: number
  readonly name: keyof StateFunctions
  readonly argument: unknown
}

export interface StateReply {
  readonly call: number
  readonly value?: unknown
  readonly failure?: { readonly code: string; readonly message: string }
}

export type StateFunctions = ReturnType<typeof stateFunctions>

function stateFunctions(database: DatabaseSync, isReadOnly: boolean) {
  const atomically = <T>(work: () => T): T => {
    database.exec('BEGIN IMMEDIATE')
    try {
      const result = work()
      database.exec('COMMIT')
      return result
    } catch (error) {
      if (database.isTransaction) database.exec('ROLLBACK')
      throw error
    }
  }
  return {
    record: (a: { readonly letters: readonly DeadLetter[]; readonly nowMs: number }) =>
      atomically(() => recordLetters(database, a.letters, a.nowMs)),
    list: (page: LetterPage) => listLetters(database, page),
    find: (idStart: string) => findLetter(database, idStart),
    change: (a: {
      readonly id: string
      readonly event: LetterEvent
      readonly fixed?: Uint8Array
      readonly replayedTo?: string
      readonly note?: string
    }) => atomically(() => changeLetter(database, a.id, a.event, a)),
    counts: (filter: LetterFilter) => countLetters(database, filter),
    counter: (name: string) => counter(database, name),
    ...keyRows(database, atomically),
    ...sessionRows(database, atomically),
    ...auditRows(database, atomically),
    all: (statements: readonly Statement[]) =>
      isReadOnly ? runAll(database, statements) : atomically(() => runAll(database, statements)),
    close: () => database.close(),
  }
}

/** The rows of each statement. A state file from before there were runs has none to show. */
function runAll(
  database: DatabaseSync,
  statements: readonly Statement[],
): readonly (readonly Cells[])[] {
  const { user_version: version } = database.prepare('PRAGMA user_version').get() as {
    user_version: number
  }
  if (version < RUNS_SINCE_LAYOUT) return statements.map(() => [])
  return statements.map(({ sql, values }) => {
    const named = Object.fromEntries(values.map((value, index) => [`$${index + 1}`, value]))
    return database.prepare(sql).all(named) as unknown as readonly Cells[]
  })
}

function start(): void {
  const { file, readOnly } = workerData as StateThreadOptions
  let functions: StateFunctions | undefined
  parentPort?.on('message', ({ call, name, argument }: StateCall) => {
    try {
      functions ??= stateFunctions(openStateFile(file, readOnly), readOnly)
      const value = (functions[name] as (argument: unknown) => unknown)(argument)
      parentPort?.postMessage({ call, value } satisfies StateReply)
    } catch (error) {
      // What SQLite throws is about the disk: our own statements are tested.
      const code = error instanceof PlatformError ? error.code : 'STATE_UNAVAILABLE'
      const message = error instanceof PlatformError ? error.message : troubleText(file, error)
      parentPort?.postMessage({ call, failure: { code, message } } satisfies StateReply)
    }
  })
}

/** https://www.sqlite.org/rescode.html#full */
const SQLITE_FULL = 13

function troubleText(file: string, error: unknown): string {
  const { errcode = 0 } = error as { errcode?: number }
  const advice = (errcode & 0xff) === SQLITE_FULL ? ' Nothing was written; free some space.' : ''
  return `The state file ${file} cannot be used: ${messageOf(error)}.${advice}`
}

start()
