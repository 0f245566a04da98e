import type { Columns } from '../model/column.ts'
import type { Relation } from '../model/relation.ts'
import { ModelInvalidError } from '../sql/models/errors.ts'
import { columnDifferences } from '../sql/models/result-columns.ts'
import { versionedColumns } from '../sql/models/row-versions.ts'
import { partitionsPredicate, type TouchedPartitions } from '../sql/models/touched-partitions.ts'
import { checkKeys } from './check-keys.ts'
import type { ModelLake, ModelTable, ModelWrite } from './model-lake.ts'
import type { ModelRun } from './model-run.ts'
import { replaceAll } from './replace-all.ts'
import { writeVersions } from './write-versions.ts'

/** See that rows have the columns that a model says, if it says any. @throws ModelInvalidError */
export function checkColumns({ model: { columns, name } }: ModelRun, made: Columns): void {
  const differences = columns === undefined ? [] : columnDifferences(made, columns)
  if (differences.length > 0)
    throw new ModelInvalidError(
      `The rows of ${name} are not what it says: ${differences.join('; ')}. Nothing was written. Change its SQL or its columns.`,
    )
}

/**
 * What a run commits, from the rows that its SQL made: by how the model is kept, and whether they are all rows or what came.
 * @throws ModelInvalidError, ModelRowsError
 */
export async function decideWrite(
  run: ModelRun,
  made: Relation,
  touched: TouchedPartitions | undefined,
): Promise<ModelWrite> {
  const { model, decision } = run
  const { materialize } = model
  if (materialize.kind === 'merge') await checkKeys(run, made, materialize.key)
  if (materialize.kind === 'snapshot') return writeVersions(run, materialize, made)
  if (decision.kind === 'whole' || materialize.kind === 'table') return replaceAll(run, made)
  if (materialize.kind === 'merge') {
    const { key, whenMatched } = materialize
    return made.rowCount === 0
      ? { kind: 'nothing' }
      : { kind: 'merge', rows: made, key, whenMatched }
  }
  if (touched !== undefined)
    return touched.rows.length === 0
      ? { kind: 'nothing' }
      : { kind: 'replace_where', rows: made, where: partitionsPredicate(touched, made.columns) }
  if (decision.kind === 'range')
    throw new ModelInvalidError(
      `${model.name} only adds rows, so that a part of it cannot be made anew without doubling it. Nothing was written. Run it with --full-refresh.`,
    )
  return made.rowCount === 0 ? { kind: 'nothing' } : { kind: 'append', rows: made }
}

/** The table to write to, made where it is not there. @throws ModelInvalidError when rows no longer fit it */
export async function targetFor(
  { model, target }: ModelRun,
  lake: ModelLake,
  write: ModelWrite,
  made: Columns,
): Promise<ModelTable> {
  const { name, format, partitionBy, properties, materialize } = model
  const columns = materialize.kind === 'snapshot' ? versionedColumns(made) : made
  if (target === undefined)
    return lake.create({
      ...{ name, format, partitionBy, properties },
      columns: columns.map((column) => ({ ...column, nullable: true })),
    })
  const differences = write.kind === 'replace' ? [] : columnDifferences(columns, target.columns)
  if (differences.length === 0) return target
  throw new ModelInvalidError(
    `The rows of ${name} are no longer those of its table: ${differences.join('; ')}. Nothing was written. ` +
      `Make it anew with mekong run ${name} --full-refresh, or change the SQL back.`,
  )
}
