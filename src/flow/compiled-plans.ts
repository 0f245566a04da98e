import type { ChangePlan } from '../model/change-plan.ts'
import type { ScanPlan } from '../model/scan-plan.ts'
import { compileChanges } from '../sql/duckdb/changes.ts'
import type { ComputeEngine } from '../sql/duckdb/engine.ts'
import { compileScan } from '../sql/duckdb/scan-by-id.ts'

// Plans of the lake as SQL of the engine, whatever their format. Everything in this room that reads tables goes by here: Iceberg's may need a
// look into the files first, and must not be read as if they did not.

/** SQL that yields the rows of a scan plan. */
export const compiledPlan = (
  plan: ScanPlan,
  engine: ComputeEngine,
  signal?: AbortSignal,
): Promise<string> => compileScan(plan, footerRows(engine, signal))

/** SQL that yields what commits changed, with the kind of change, its version and its moment beside the columns. */
export const compiledChanges = (
  plan: ChangePlan,
  engine: ComputeEngine,
  signal?: AbortSignal,
): Promise<string> => compileChanges(plan, footerRows(engine, signal))

/** Some plans look into the files first, over a connection of their own. */
const footerRows =
  (engine: ComputeEngine, signal: AbortSignal | undefined) => async (sql: string) => {
    const connection = await engine.connection()
    try {
      return await connection.rows(sql, signal)
    } finally {
      connection.close()
    }
  }
