import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'

/** One row, by column name. */
export type StateRow = Record<string, unknown>

/** Statements of one connection, each prepared once. */
export interface Statements {
  /** Rows changed. */
  run(text: string, values?: readonly SQLInputValue[]): number
  get(text: string, values?: readonly SQLInputValue[]): StateRow | undefined
  all(text: string, values?: readonly SQLInputValue[]): readonly StateRow[]
}

/** The statements of `database`. */
export function statementsOf(database: DatabaseSync): Statements {
  const prepared = new Map<string, StatementSync>()
  const statement = (text: string) => {
    let found = prepared.get(text)
    if (found === undefined) {
      found = database.prepare(text)
      prepared.set(text, found)
    }
    return found
  }
  return Object.freeze({
    run: (text: string, values: readonly SQLInputValue[] = []) =>
      Number(statement(text).run(...values).changes),
    get: (text: string, values: readonly SQLInputValue[] = []) => statement(text).get(...values),
    all: (text: string, values: readonly SQLInputValue[] = []) => statement(text).all(...values),
  })
}
