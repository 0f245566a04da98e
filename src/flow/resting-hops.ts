import type { Cursor } from '../model/consumed.ts'
import type { PipelinePlan, ServePlan, TablePlan } from '../pipeline/plan.ts'
import type { PostgresConfig } from '../serve/postgres/config.ts'
import { quoteTable } from '../serve/postgres/encode.ts'
import { countPostgresRows, queryPostgres } from '../serve/postgres/query.ts'
import type { LakeCatalog } from './lake-catalog.ts'
import type { LedgerHop } from './ledger.ts'
import { cursorOf } from './log-to-lake.ts'
import { hopsOf, type PlannedHop, topicsReadBy } from './pipeline-hops.ts'

export interface RestingHopsOptions {
  readonly plan: PipelinePlan
  readonly lake: LakeCatalog
  /** Where the serving tables are; `undefined` when there is no store yet. */
  readonly postgres: PostgresConfig | undefined
}

/**
 * The hops of a pipeline as the ledger sees them while none of them runs: cursors and counts are read from the targets,
 * which hold both. A target that was never made stands at the beginning, with no rows.
 */
export function restingHops({ plan, lake, postgres }: RestingHopsOptions): readonly LedgerHop[] {
  return hopsOf(plan).map((hop) => ({
    name: hop.name,
    topics: topicsReadBy(hop),
    isAtRest: () => true,
    ...(hop.kind === 'table'
      ? restingTable(lake, hop, hop.table)
      : restingServe(postgres, hop, hop.serve)),
  }))
}

type Standing = Pick<LedgerHop, 'cursor' | 'rowsFound'>

function restingTable(lake: LakeCatalog, { consumer }: PlannedHop, { name }: TablePlan): Standing {
  const isThere = async () => (await lake.names()).includes(name)
  return {
    cursor: async () =>
      (await isThere()) ? cursorOf(consumer, (await lake.state(name)).transactions()) : [],
    rowsFound: async () => ((await isThere()) ? (await (await lake.state(name)).size()).rows : 0),
  }
}

const CURSOR_SQL = `SELECT topic, partition, offset_end, rows, dead, filtered FROM mekong.cursors
WHERE consumer = $1 ORDER BY topic, partition`

function restingServe(
  postgres: PostgresConfig | undefined,
  { consumer }: PlannedHop,
  { target }: ServePlan,
): Standing {
  if (postgres === undefined) return { cursor: async () => [], rowsFound: async () => 0 }
  return {
    async cursor() {
      if (!(await hasPostgresTable(postgres, 'mekong.cursors'))) return []
      const { rows } = await queryPostgres(postgres, { sql: CURSOR_SQL, values: [consumer] })
      return rows.map(cursorLine)
    },
    rowsFound: async () =>
      (await hasPostgresTable(postgres, target.table))
        ? countPostgresRows(postgres, target.table)
        : 0,
  }
}

function cursorLine(row: readonly unknown[]): Cursor[number] {
  const [topic, partition, offset, rows, dead, filtered] = row
  return {
    topic: String(topic),
    partition: Number(partition),
    offset: Number(offset),
    rows: Number(rows),
    dead: Number(dead),
    filtered: Number(filtered),
  }
}

/** Whether a table or view of this name is there. @throws SinkUnavailableError, SinkConfigError */
export async function hasPostgresTable(config: PostgresConfig, table: string): Promise<boolean> {
  const sql = 'SELECT to_regclass($1) IS NOT NULL'
  const { rows } = await queryPostgres(config, { sql, values: [quoteTable(table)] })
  return rows[0]?.[0] === true
}
