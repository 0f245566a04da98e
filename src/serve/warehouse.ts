import type { Columns } from '../model/column.ts'

/**
 * Where history is kept for people who analyse it. Tables are loaded from CSV files, some days at a time or by key, and all tables of one load
 * change together with the consumer's cursor, so that loading a day again leaves what was there.
 */
export interface Warehouse {
  /** The server or file, for messages and reports. */
  readonly name: string
  /** Make schemas, tables and views that are not there; views are made anew. @throws SinkConfigError, SinkUnavailableError */
  open(tables: readonly WarehouseTable[], views: readonly WarehouseView[]): Promise<void>
  /** How far `consumer` has come; `undefined` before its first load. */
  cursor(consumer: string): Promise<WarehouseCursor | undefined>
  /** Replace and merge rows, and move the cursor, in one transaction. The same again changes nothing. */
  load(consumer: string, loads: readonly TableLoad[], cursor: WarehouseCursor): Promise<void>
  close(): Promise<void>
}

export interface WarehouseTable {
  /** `schema.table`, snake_case; nothing else is quoted. */
  readonly name: string
  readonly columns: Columns
  /** Rows of the days loaded are replaced, or rows take the place of those with the same key. */
  readonly load:
    | { readonly by: 'day'; readonly day: string }
    | { readonly by: 'key'; readonly key: string }
}

export interface WarehouseView {
  readonly name: string
  /** In the words that all warehouses share. */
  readonly sql: string
}

export interface TableLoad {
  readonly table: WarehouseTable
  /**
   * A CSV file with a header: cells quoted where they must be, a null is nothing at all, an empty text is `""`, instants are
   * `2015-01-01 00:00:00+00`.
   */
  readonly file: string
  readonly rowCount: number
  /** `YYYY-MM-DD`, for tables that are loaded by day. */
  readonly days: readonly string[]
}

/** The version of the lake table whose changes are all loaded, and the last day that has been loaded as a whole. */
export interface WarehouseCursor {
  readonly version: number
  readonly day: string
}

/** Where cursors are kept in every warehouse. */
export const CURSOR_TABLE = 'mekong.warehouse_cursors'

/** Texts of SQL hold quotes twice. */
export const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`
