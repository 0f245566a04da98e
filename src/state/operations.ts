import type { Position } from '../model/append.ts'
import type { DeadLetter } from '../model/dead-letter.ts'
import {
  changeLetter,
  countLetters,
  type DeadLetterFilter,
  listLetters,
  recordLetters,
  showLetter,
} from './dead-letters.ts'
import {
  type ApiKey,
  addApiKey,
  apiKeys,
  appliedPlan,
  applyPlan,
  getSetting,
  putSetting,
  rejectedCounts,
  revokeApiKey,
} from './records.ts'
import type { Statements } from './statements.ts'

/** Where a page of letters begins and how long it is. */
export interface PageRequest {
  /** `next` of the page before. */
  readonly before?: number | undefined
  /** 1 to `PAGE_COUNT_MAX`. */
  readonly count?: number | undefined
}

/** What can be asked of the file without changing it. */
export const READS = {
  listLetters: (sql: Statements, _nowMs: number, filter: DeadLetterFilter, page: PageRequest) =>
    listLetters(sql, filter, page),
  showLetter: (sql: Statements, _nowMs: number, id: string) => showLetter(sql, id),
  countLetters: (sql: Statements) => countLetters(sql),
  rejectedCounts: (sql: Statements) => rejectedCounts(sql),
  getSetting: (sql: Statements, _nowMs: number, key: string) => getSetting(sql, key),
  appliedPlan: (sql: Statements, _nowMs: number, pipeline: string) => appliedPlan(sql, pipeline),
  apiKeys: (sql: Statements) => apiKeys(sql),
}

/** What changes the file. Each is whole or not at all, whatever shares its transaction. */
export const WRITES = {
  recordLetters: (sql: Statements, nowMs: number, letters: readonly DeadLetter[]) =>
    recordLetters(sql, letters, nowMs),
  fixLetter: (sql: Statements, _nowMs: number, id: string, fixed: Uint8Array, note?: string) =>
    changeLetter(sql, 'fix', { id, fixed, ...(note === undefined ? {} : { note }) }),
  markReplayed: (sql: Statements, _nowMs: number, id: string, position: Position) =>
    changeLetter(sql, 'replay', { id, position }),
  dropLetter: (sql: Statements, _nowMs: number, id: string, note?: string) =>
    changeLetter(sql, 'drop', { id, ...(note === undefined ? {} : { note }) }),
  putSetting: (sql: Statements, nowMs: number, key: string, value: string) =>
    putSetting(sql, key, value, nowMs),
  applyPlan: (sql: Statements, nowMs: number, pipeline: string, plan: string) =>
    applyPlan(sql, pipeline, plan, nowMs),
  addApiKey: (sql: Statements, nowMs: number, key: Pick<ApiKey, 'hash' | 'name' | 'roles'>) =>
    addApiKey(sql, key, nowMs),
  revokeApiKey: (sql: Statements, nowMs: number, hash: string) => revokeApiKey(sql, hash, nowMs),
}

export const OPERATIONS = { ...READS, ...WRITES }
export type OperationName = keyof typeof OPERATIONS

type Tail<F> = F extends (sql: Statements, nowMs: number, ...rest: infer Rest) => unknown
  ? Rest
  : never
/** What an operation takes and gives. */
export type OperationArguments<Name extends OperationName> = Tail<(typeof OPERATIONS)[Name]>
export type OperationResult<Name extends OperationName> = ReturnType<(typeof OPERATIONS)[Name]>

/** Run an operation whose name and arguments came as data. */
export function runOperation(
  sql: Statements,
  name: OperationName,
  nowMs: number,
  args: readonly unknown[],
): unknown {
  return (OPERATIONS[name] as (...all: unknown[]) => unknown)(sql, nowMs, ...args)
}
