import type { Columns } from '../model/column.ts'

/**
 * A serving store that shows whole tables. The doorway (`flow/publish-table.ts`) asks what a table holds, and replaces it when the lake has a newer
 * version; it owns retries.
 *
 * In: all rows of one version of a lake table. Out: a table that readers see as it was until it is as it is now: never missing, empty or half.
 * Which version it is travels with the table itself, in the same step, so what a crash leaves is the old table, and perhaps a new one that nobody
 * sees and the next run removes.
 */
export interface TablePublisher {
  /** For people and reports. */
  readonly name: string
  /** What the table holds; `undefined` where there is none, or one that is not ours. @throws SinkUnavailableError, SinkConfigError */
  published(table: string, signal?: AbortSignal): Promise<TableVersion | undefined>
  /** Rows of a table that is there, counted in the store. @throws SinkUnavailableError, SinkConfigError */
  count(table: string, signal?: AbortSignal): Promise<number>
  /** Returns when readers see the new rows, all of them. @throws SinkUnavailableError, SinkConfigError, SinkFailedError */
  replace(table: NewServingTable, rows: ServedRows, signal?: AbortSignal): Promise<void>
  /** The table's rows, for questions; no more than `rowCountMax`. */
  read(table: string, rowCountMax: number, signal?: AbortSignal): Promise<ReadTable>
  close(): Promise<void>
}

/** One version of one lake table. */
export interface TableVersion {
  /** The lake table's own id. */
  readonly id: string
  readonly version: number
  readonly rows: number
}

export interface NewServingTable {
  readonly table: string
  readonly columns: Columns
  readonly key: readonly string[]
  readonly indexes: readonly (readonly string[])[]
  /** Length of the longest text in each text column, in characters. */
  readonly textLengths: Readonly<Record<string, number>>
  readonly source: TableVersion
}

/** All rows, in any order; each way of reading them may be used once. */
export interface ServedRows {
  readonly count: number
  /** RFC 4180 as `RowSet` documents it. */
  csv(): AsyncIterable<Uint8Array>
  /** JavaScript values: bigint for int64 and instants (UTC µs), text for decimals and dates. */
  chunks(): AsyncIterable<readonly (readonly unknown[])[]>
}

export interface ReadTable {
  readonly columns: Columns
  readonly rows: readonly (readonly unknown[])[]
  readonly truncated: boolean
}

/** How a store notes what a table holds, as the table's comment. */
export const versionNote = ({ id, version, rows }: TableVersion): string =>
  `mekong ${JSON.stringify({ id, version, rows })}`

/** The version in a table's comment, if it is one of ours. */
export function versionOfNote(note: string | null | undefined): TableVersion | undefined {
  if (!note?.startsWith('mekong {')) return undefined
  try {
    const { id, version, rows } = JSON.parse(note.slice('mekong '.length)) as TableVersion
    return typeof id === 'string' && Number.isInteger(version) ? { id, version, rows } : undefined
  } catch {
    return undefined
  }
}
