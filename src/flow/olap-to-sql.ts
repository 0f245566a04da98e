import type { Columns } from '../model/column.ts'
import type { RowsCollection } from '../model/sync.ts'
import type { PipelinePlan } from '../pipeline/plan.ts'
import type { ClickHouseConnection } from '../serve/clickhouse/client.ts'
import { countTables, selectRows } from '../serve/clickhouse/encode.ts'
import { columnTypeOf } from '../serve/clickhouse/type-mapping.ts'
import type { QueryTable } from '../sql/duckdb/query.ts'
import { queryTable, type RowSpill, SERVED_ROW_COUNT_MAX, tooLarge } from './tables-to-sql.ts'

// The tables that syncs keep in the OLAP store, as `serve.<table>`: what counts of them, each row once, copied when a question names them.

/** SQL of the compute engine that yields the rows of a table of the OLAP store. */
export type OlapRows = (database: string, table: RowsCollection, spill: RowSpill) => Promise<string>

/** The tables of all syncs to OLAP stores. */
export function olapQueryTables(
  plans: readonly PipelinePlan[],
  { spill, olap }: { readonly spill: RowSpill; readonly olap: OlapRows },
): readonly QueryTable[] {
  return plans.flatMap(({ syncs }) =>
    syncs.flatMap(({ target }) =>
      target.collections.flatMap((table) =>
        table.kind === 'rows'
          ? [queryTable(`serve.${table.name}`, () => olap(target.name, table, spill))]
          : [],
      ),
    ),
  )
}

/** Columns of such a table, as questions see them. */
export function olapColumns({ key, columns }: RowsCollection): Columns {
  const own = Object.entries(columns).map(([name, type]) => ({
    ...{ name, type: columnTypeOf(type), nullable: !key.includes(name) },
  }))
  return [...own, { name: 'batch_version', type: 'int64', nullable: false }]
}

/** Rows by a connection, none for a table that was never synced. @throws QueryRefusedError when there are too many, and what the store throws */
export function rowsOfOlap(connect: () => Promise<ClickHouseConnection>): OlapRows {
  return async (database, table, spill) => {
    const connection = await connect()
    const columns = olapColumns(table)
    const rows: unknown[][] = []
    let isThere = false
    for await (const { tables } of connection.query(countTables(database, table.name)))
      isThere = Number(tables) > 0
    const everything = { from: 0, to: Number.MAX_SAFE_INTEGER }
    if (isThere)
      for await (const row of connection.query(selectRows(database, table, everything))) {
        rows.push(columns.map(({ name }) => row[name]))
        if (rows.length > SERVED_ROW_COUNT_MAX) throw tooLarge(table.name, 'ClickHouse')
      }
    return spill.select(columns, rows)
  }
}
