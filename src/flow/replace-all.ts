import type { Relation } from '../model/relation.ts'
import { columnDifferences } from '../sql/models/result-columns.ts'
import type { ModelWrite } from './model-lake.ts'
import type { ModelRun } from './model-run.ts'

/** The rows in place of all that are there, with other columns and another partitioning where the model has these now. */
export function replaceAll({ model, target }: ModelRun, rows: Relation): ModelWrite {
  const { partitionBy } = model
  const columns = rows.columns.map((column) => ({ ...column, nullable: true }))
  const isOther =
    target !== undefined &&
    (columnDifferences(columns, target.columns).length > 0 ||
      JSON.stringify(partitionBy) !== JSON.stringify(target.partitionBy))
  return { kind: 'replace', rows, columns, partitionBy, isOther }
}
