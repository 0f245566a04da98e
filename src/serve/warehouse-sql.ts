import type { ColumnType } from '../model/column.ts'
import {
  CURSOR_TABLE,
  quoted,
  type TableLoad,
  type WarehouseCursor,
  type WarehouseTable,
} from './warehouse.ts'

// Statements of a load, in the words that DuckDB, Snowflake and BigQuery share. Pure. What differs comes in as a dialect.

export interface WarehouseDialect {
  /** A column's type. */
  type(type: ColumnType): string
  /** A text of the staged file as a value of the type. */
  value(text: string, type: ColumnType): string
}

export function createTableSql(
  { name, columns }: WarehouseTable,
  dialect: WarehouseDialect,
): string {
  const cells = columns.map((column) => `${column.name} ${dialect.type(column.type)}`)
  return `CREATE TABLE IF NOT EXISTS ${name} (${cells.join(', ')})`
}

/** A table for the texts of a file. */
export const stagedColumnsSql = ({ columns }: WarehouseTable, textType: string) =>
  columns.map((column) => `${column.name} ${textType}`).join(', ')

/** What brings the staged rows of a table into it; in one transaction with everything else. */
export function applySql(
  { table, days }: TableLoad,
  staged: string,
  dialect: WarehouseDialect,
): readonly string[] {
  const { name, columns, load } = table
  const values = columns.map((column) => dialect.value(column.name, column.type))
  const names = columns.map((column) => column.name).join(', ')
  if (load.by === 'day') {
    if (days.length === 0) return []
    const list = days.map((day) => `DATE ${quoted(day)}`).join(', ')
    return [
      `DELETE FROM ${name} WHERE ${load.day} IN (${list})`,
      `INSERT INTO ${name} (${names}) SELECT ${values.join(', ')} FROM ${staged}`,
    ]
  }
  // As MERGE would do it; these two are understood everywhere, also within a transaction.
  const { key } = load
  const type = columns.find((column) => column.name === key)!.type
  return [
    `DELETE FROM ${name} WHERE ${key} IN (SELECT ${dialect.value(key, type)} FROM ${staged})`,
    `INSERT INTO ${name} (${names}) SELECT ${values.join(', ')} FROM ${staged}`,
  ]
}

export const createCursorsSql = (text: string, integer: string) =>
  `CREATE TABLE IF NOT EXISTS ${CURSOR_TABLE} (consumer ${text}, version ${integer}, loaded_day ${text})`

export const cursorSql = (consumer: string, text: string) =>
  `SELECT CAST(version AS ${text}) AS version, loaded_day FROM ${CURSOR_TABLE} WHERE consumer = ${quoted(consumer)}`

export const moveCursorSql = (consumer: string, { version, day }: WarehouseCursor) => [
  `DELETE FROM ${CURSOR_TABLE} WHERE consumer = ${quoted(consumer)}`,
  `INSERT INTO ${CURSOR_TABLE} (consumer, version, loaded_day) VALUES (${quoted(consumer)}, ${version}, ${quoted(day)})`,
]

/** Schemas of tables and views, `mekong` among them. */
export const schemasOf = (names: readonly string[]): readonly string[] => [
  ...new Set(['mekong', ...names.map((name) => name.split('.')[0]!)]),
]
