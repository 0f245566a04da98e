import type { Task } from '../model/task.ts'
import type { PipelinePlan } from '../pipeline/plan.ts'
import type { ComputeEngine } from '../sql/duckdb/engine.ts'
import { runQuery } from '../sql/duckdb/query.ts'
import type { LakeCatalog } from './lake-catalog.ts'
import { lakeQueryTables } from './tables-to-sql.ts'

/** What steps in plain TypeScript may ask. */
export interface PlainTaskWorld {
  readonly engine: ComputeEngine
  readonly catalog: LakeCatalog
}

/** Rows that a step fetches at most with one question; it should aggregate in SQL instead. */
const ROW_COUNT_MAX = 1_000_000
/** Its run's own timeout and signal end it before. */
const QUERY_MS_MAX = 24 * 3_600_000

/** The steps of a pipeline in plain TypeScript as tasks. */
export function plainTasks(
  { engine, catalog }: PlainTaskWorld,
  plan: PipelinePlan,
): readonly Task[] {
  return plan.plainTasks.map(
    ({ name, reads, writes, tags, run }): Task => ({
      id: name,
      pipeline: plan.name,
      kind: 'step',
      after: reads,
      tags,
      writes,
      async run(context) {
        const query = async (sql: string) => {
          const { columns, rows } = await runQuery(engine, {
            ...{ sql, tables: await lakeQueryTables(catalog, engine), signal: context.signal },
            ...{ rowCountMax: ROW_COUNT_MAX, timeoutMs: QUERY_MS_MAX },
          })
          return rows.map((row) =>
            Object.fromEntries(columns.map((column, index) => [column.name, row[index]])),
          )
        }
        return (await run({ ...context, query })) ?? { status: 'done', facts: {} }
      },
    }),
  )
}
