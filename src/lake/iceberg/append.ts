import type { Relation } from '../../model/relation.ts'
import { columnProblems } from '../column-match.ts'
import { TableMismatchError } from '../errors.ts'
import type { CatalogEntry } from './catalog.ts'
import { storedType } from './define-schema.ts'
import type { IcebergTools } from './deps.ts'
import type { ContentFile } from './manifest.ts'
import type { ManifestFile } from './manifest-list.ts'
import { schemaById } from './metadata.ts'
import { boundSpecs } from './partition-spec.ts'
import { putManifest } from './put-manifest.ts'
import { columnOf } from './schema.ts'
import { checkWritable } from './writable.ts'
import { type WriteFilesOptions, writeFiles } from './write-files.ts'

/**
 * Data files of one append and the manifest that lists them, in place and seen by nobody. Committing it twice leaves the
 * rows once. When it is never committed its files are orphans.
 */
export interface PreparedAppend {
  /** Of the snapshot that this becomes, so that it is recognised after an answer was lost. */
  readonly snapshotId: bigint
  readonly files: readonly ContentFile[]
  /** None when there are no rows. */
  readonly manifest: ManifestFile | undefined
  readonly rowCount: number
  readonly bytes: number
  /** What the files were written for. */
  readonly tableId: string
  readonly schemaId: number
  readonly specId: number
}

export type PrepareOptions = WriteFilesOptions

/**
 * Write a relation's rows into data files of the table.
 * @throws TableMismatchError when its columns are not exactly the table's, or hold nulls where none may be
 * @throws TableUnsupportedError when the table needs what Mekong cannot write
 */
export async function prepareAppend(
  tools: IcebergTools,
  entry: CatalogEntry,
  relation: Relation,
  options: PrepareOptions = {},
  signal?: AbortSignal,
): Promise<PreparedAppend> {
  const { metadata, tableKey } = entry
  checkWritable(metadata, tableKey)
  const schema = schemaById(metadata, metadata['current-schema-id'])!
  const columns = schema.fields.map((field) => columnOf(field, tableKey))
  const problems = columnProblems(relation.columns, columns, storedType)
  if (problems.length > 0) throw new TableMismatchError(`Appending to ${tableKey}`, problems)
  const spec = boundSpecs(metadata, tableKey).get(metadata['default-spec-id'])!
  const snapshotId = tools.newSnapshotId()
  const files = await writeFiles(tools, entry, relation, options, signal)
  const manifest =
    files.length === 0
      ? undefined
      : await putManifest(tools, entry, spec, {
          content: 'data',
          snapshotId,
          entries: files.map((file) => ({ status: 'added', snapshotId, file })),
        })
  return {
    snapshotId,
    files,
    manifest,
    rowCount: relation.rowCount,
    bytes: files.reduce((sum, file) => sum + file.bytes, 0),
    tableId: metadata['table-uuid'],
    schemaId: metadata['current-schema-id'],
    specId: spec.specId,
  }
}
