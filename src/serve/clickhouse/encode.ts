import { assert } from '../../model/errors.ts'
import type {
  EntityRange,
  Json,
  RowsCollection,
  SyncItem,
  VersionedItem,
} from '../../model/sync.ts'
import { cellAsStored } from './type-mapping.ts'

// Statements as text, and items as lines. Pure. Names come from a validated plan; values never go into statements, but for whole numbers.

export const CURSORS = 'mekong_cursors'

const name = (text: string) => `\`${text.replaceAll('`', '\\`')}\``

/** Plain: a plan's names are letters, digits and underscores. */
export const tableOf = (database: string, table: string) => `${database}.${table}`

/** Everything a target needs, made if it is not there. Inserts are fsynced before they are acknowledged. */
export function createStatements(
  database: string,
  collections: readonly RowsCollection[],
): readonly string[] {
  return [
    `CREATE DATABASE IF NOT EXISTS ${name(database)}`,
    `CREATE TABLE IF NOT EXISTS ${tableOf(database, CURSORS)} (consumer String, cursor String, saved UInt64) ENGINE = ReplacingMergeTree(saved) ORDER BY consumer SETTINGS fsync_after_insert = 1`,
    ...collections.map((collection) => {
      const columns = Object.entries(collection.columns).map(([n, type]) => `${name(n)} ${type}`)
      return `CREATE TABLE IF NOT EXISTS ${tableOf(database, collection.name)} (${columns.join(', ')}, batch_version UInt64, is_deleted UInt8 DEFAULT 0) ENGINE = ReplacingMergeTree(batch_version, is_deleted) ORDER BY (${collection.key.map(name).join(', ')}) SETTINGS fsync_after_insert = 1`
    }),
  ]
}

/** Rows for one table, one JSON object a line. A removal is its key with the mark. */
export function rowLines(
  { key, columns }: RowsCollection,
  items: readonly VersionedItem[],
  isRemoval: boolean,
): string {
  return items
    .map(({ item, version }) => {
      const values = isRemoval
        ? Object.fromEntries(key.map((column) => [column, item.values[column]]))
        : storedValues(columns, item)
      return JSON.stringify({
        ...values,
        batch_version: version,
        is_deleted: isRemoval ? 1 : 0,
      })
    })
    .join('\n')
}

/** The rows of a table that count, in a range of entities. */
export function selectRows(
  database: string,
  { name: table, key, columns }: RowsCollection,
  { from, to }: EntityRange,
): string {
  const cells = [...Object.keys(columns).map(name), 'batch_version']
  const entity = name(key[0]!)
  return `SELECT ${cells.join(', ')} FROM ${tableOf(database, table)} FINAL WHERE is_deleted = 0 AND ${entity} >= ${from} AND ${entity} < ${to}`
}

/** How many tables of that name there are: 1, or 0 before the first sync. */
export const countTables = (database: string, table: string): string =>
  `SELECT count() AS tables FROM system.tables WHERE database = '${database}' AND name = '${table}'`

/** The id of a row, made of its key. */
export const rowId = ({ key }: RowsCollection, values: Readonly<Record<string, Json>>): string =>
  key.map((column) => String(values[column])).join('/')

/** A row as it reads back: every declared column, in the store's own terms. */
export function rowAsStored(collection: RowsCollection, item: SyncItem): SyncItem {
  assert(
    item.id === rowId(collection, item.values),
    `the id of a row of ${collection.name} is its key, joined by /; found ${item.id}`,
  )
  const { collection: table, id, entity } = item
  return { collection: table, id, entity, values: storedValues(collection.columns, item) }
}

const storedValues = (
  columns: RowsCollection['columns'],
  { values }: SyncItem,
): Record<string, Json> =>
  Object.fromEntries(
    Object.entries(columns).map(([column, type]): [string, Json] => [
      column,
      cellAsStored(type, values[column] ?? null),
    ]),
  )
