import type { Relation } from '../model/relation.ts'
import type { SnapshotMaterialization } from '../model/sql-model.ts'
import { quoteIdentifier } from '../sql/duckdb/quote-identifier.ts'
import { emptyRowsSql } from '../sql/models/net-changes.ts'
import { GONE_COLUMN, rowVersionsSql, versionedColumns } from '../sql/models/row-versions.ts'
import { checkKeys } from './check-keys.ts'
import type { ModelWrite } from './model-lake.ts'
import type { ModelRun } from './model-run.ts'
import { replaceAll } from './replace-all.ts'

/** What changes in a table of versions when these rows come. @throws ModelRowsError, ModelInvalidError */
export async function writeVersions(
  run: ModelRun,
  how: SnapshotMaterialization,
  made: Relation,
): Promise<ModelWrite> {
  const { session, decision, target, context, model } = run
  const moments = how.validFrom === undefined ? [] : [how.validFrom]
  await checkKeys(run, made, [...how.key, ...moments])
  // What is kept goes on counting, unless all of it is asked for again.
  const isAnew = decision.kind === 'whole' && decision.why !== 'source_changed'
  const standing = isAnew ? undefined : target
  const columns = versionedColumns(made.columns)
  if (standing === undefined) await session.view('kept_versions', emptyRowsSql(columns))
  else await session.scan('kept_versions', [await standing.plan()], columns)
  const select = rowVersionsSql({
    ...{ how, made: made.name, kept: 'kept_versions', columns: made.columns },
    runTime: new Date(context.logicalMs).toISOString(),
    isEverything: model.incoming === undefined,
  })
  const rows = await session.relation(select, [
    ...columns,
    { name: GONE_COLUMN, type: 'boolean', nullable: false },
  ])
  if (standing === undefined) {
    const names = columns.map(({ name }) => quoteIdentifier(name)).join(', ')
    return replaceAll(run, await session.relation(`SELECT ${names} FROM ${rows.name}`, columns))
  }
  if (rows.rowCount === 0) return { kind: 'nothing' }
  const key = [...how.key, 'valid_from']
  return { kind: 'upsert_and_delete', rows, key, goneColumn: GONE_COLUMN }
}
