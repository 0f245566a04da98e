import type { PipelinePlan } from '../pipeline/plan.ts'
import type { PostgresConfig } from '../serve/postgres/config.ts'
import type { TablePublisher } from '../serve/table-publisher.ts'
import type { ComputeEngine } from '../sql/duckdb/engine.ts'
import type { QueryFunction, QueryOptions, QueryTable } from '../sql/duckdb/query.ts'
import type { RunStore } from '../state/run-store.ts'
import type { StateStore } from '../state/state-store.ts'
import type { LakeCatalog } from './lake-catalog.ts'
import { type OlapRows, olapQueryTables } from './olap-to-sql.ts'
import { runTables } from './run-tables.ts'
import {
  deadLetterTables,
  type LedgerRow,
  lakeQueryTables,
  ledgerTable,
  openRowSpill,
  publishedQueryTables,
  servedQueryTables,
  viewQueryTables,
} from './tables-to-sql.ts'

// Questions in SQL, over everything that has a name. In: one statement that reads. Out: what `answer` makes of it, `runQuery` or
// `exportQuery`. Nothing is kept; what a question copies for itself is gone when it is answered.

/** What questions are asked of. */
export interface AskWorld {
  readonly engine: ComputeEngine
  readonly lake: LakeCatalog
  readonly plans: readonly PipelinePlan[]
  readonly postgres: () => Promise<PostgresConfig>
  /** Where tables are published to. */
  readonly publisher: () => Promise<TablePublisher>
  /** Tables that syncs keep in the OLAP store. */
  readonly olap: OlapRows
  readonly state: () => Promise<StateStore | undefined>
  readonly ledger: () => Promise<readonly LedgerRow[]>
  /** The history of runs; `undefined` when there is none yet. */
  readonly runs: () => Promise<RunStore | undefined>
}

export interface Question extends Omit<QueryOptions, 'tables' | 'functions'> {
  readonly functions?: Readonly<Record<string, QueryFunction>>
}

/** Ask, with every table that can be named. @throws as `answer` */
export async function ask<T>(
  { engine, lake, plans, postgres, publisher, olap, state, ledger, runs }: AskWorld,
  question: Question,
  answer: (engine: ComputeEngine, query: QueryOptions) => Promise<T>,
): Promise<T> {
  const spill = await openRowSpill(engine)
  try {
    const tables: readonly QueryTable[] = [
      ...(await lakeQueryTables(lake, engine)),
      ...(await viewQueryTables(engine, plans)),
      ...servedQueryTables(plans, { spill, postgres }),
      ...publishedQueryTables(plans, { spill, publisher }),
      ...olapQueryTables(plans, { spill, olap }),
      ...deadLetterTables(plans, { spill, state }),
      ledgerTable(spill, ledger),
      ...runTables(spill, runs),
    ]
    return await answer(engine, { ...question, tables })
  } finally {
    await spill.close()
  }
}
