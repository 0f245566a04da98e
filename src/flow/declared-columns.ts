import type { Columns } from '../model/column.ts'
import type { PipelinePlan } from '../pipeline/plan.ts'
import { storedColumns } from './lake-table.ts'

/** Columns of the tables that pipelines declare: those that streams fill, and models that say theirs. */
export function declaredColumns(
  plans: readonly PipelinePlan[],
): (table: string) => Columns | undefined {
  const known = new Map<string, Columns>()
  for (const { tables, models } of plans) {
    for (const table of tables) known.set(table.name, storedColumns(table))
    for (const { name, columns } of models) if (columns !== undefined) known.set(name, columns)
  }
  return (table) => known.get(table)
}
