import type {
  EntityRange,
  Json,
  RowsCollection,
  SyncCursor,
  SyncItem,
  VersionedItem,
} from '../../model/sync.ts'
import type { StoredItem, SyncBatch, SyncTarget } from '../sync-target.ts'
import type { ClickHouseConnection } from './client.ts'
import {
  CURSORS,
  createStatements,
  rowAsStored,
  rowId,
  rowLines,
  selectRows,
  tableOf,
} from './encode.ts'

export interface ClickHouseTargetOptions {
  /** The store's connection, which others use as well; closing the target leaves it open. */
  readonly connect: () => Promise<ClickHouseConnection>
  readonly database: string
  /** Whose cursors these are: `catalog/clickhouse`. */
  readonly consumer: string
  readonly collections: readonly RowsCollection[]
  readonly nowMs: () => number
}

/** Tables of a ClickHouse database that follow lake tables. */
export function clickhouseSyncTarget(options: ClickHouseTargetOptions): SyncTarget {
  const { database, consumer, collections } = options
  let connection: ClickHouseConnection | undefined
  let savedLast = 0
  /** All of this consumer's cursors by table, asked for once: a query costs as much as a small write. */
  let cursors: Promise<Map<string, SyncCursor>> | undefined
  const at = () => {
    if (connection === undefined) throw new TypeError('The target was not opened.')
    return connection
  }
  const collection = (name: string) => collections.find((each) => each.name === name)!
  const readCursors = async () => {
    const found = new Map<string, SyncCursor>()
    const sql = `SELECT consumer, cursor, saved FROM ${tableOf(database, CURSORS)} FINAL`
    for await (const row of at().query(sql)) {
      savedLast = Math.max(savedLast, Number(row.saved))
      found.set(row.consumer as string, JSON.parse(row.cursor as string) as SyncCursor)
    }
    return found
  }

  return {
    async open(signal) {
      cursors = undefined
      connection ??= await options.connect()
      for (const statement of createStatements(database, collections))
        await connection.command(statement, signal)
    },

    async cursor(table) {
      cursors ??= readCursors()
      return (await cursors).get(`${consumer}/${table}`)
    },

    async saveCursor(table, cursor) {
      // Grows also when the clock does not.
      savedLast = Math.max(savedLast + 1, options.nowMs())
      const line = { consumer: `${consumer}/${table}`, cursor: JSON.stringify(cursor) }
      const row = JSON.stringify({ ...line, saved: savedLast })
      cursors = undefined
      await at().insert(tableOf(database, CURSORS), row)
    },

    async write({ puts, removes }: SyncBatch, signal) {
      let statements = 0
      for (const [items, isRemoval] of [
        [removes, true],
        [puts, false],
      ] as const) {
        for (const [name, rows] of byCollection(items)) {
          const lines = rowLines(collection(name), rows, isRemoval)
          await at().insert(tableOf(database, name), lines, signal)
          statements += 1
        }
      }
      return { statements }
    },

    async *items(
      name: string,
      range: EntityRange,
      signal?: AbortSignal,
    ): AsyncGenerator<StoredItem> {
      const of = collection(name)
      for await (const row of at().query(selectRows(database, of, range), signal)) {
        const { batch_version: version, ...values } = row as Record<string, Json>
        const entity = Number(values[of.key[0]!])
        yield {
          item: { collection: name, id: rowId(of, values), entity, values },
          version: Number(version),
        }
      }
    },

    asStored: (item: SyncItem) => rowAsStored(collection(item.collection), item),

    async clear(signal) {
      cursors = undefined
      for (const name of [CURSORS, ...collections.map((each) => each.name)])
        await at().command(`DROP TABLE IF EXISTS ${tableOf(database, name)} SYNC`, signal)
      for (const statement of createStatements(database, collections))
        await at().command(statement, signal)
    },

    async close() {
      connection = undefined
    },
  }
}

function byCollection(items: readonly VersionedItem[]): Map<string, VersionedItem[]> {
  return Map.groupBy(items, ({ item }) => item.collection)
}
