import type { Predicate } from '../../model/predicate.ts'
import type { EditMetrics, RowStatement } from '../row-edits.ts'
import type { CatalogEntry } from './catalog.ts'
import {
  type CommitOptions,
  type CommitOutcome,
  type Conflict,
  commitSnapshot,
  type StagedSnapshot,
} from './commit.ts'
import { conflictSince } from './conflict.ts'
import type { IcebergTools } from './deps.ts'
import { type Change, changeOf, type WriteMode } from './edit-files.ts'
import type { ContentFile } from './manifest.ts'
import type { ManifestFile } from './manifest-list.ts'
import { mainId, type Snapshot, schemaById, snapshotById, type TableMetadata } from './metadata.ts'
import { boundSpecs } from './partition-spec.ts'
import { putManifest } from './put-manifest.ts'
import { knownFilesChooser, stageReplacement } from './replace.ts'
import { type PlannedFiles, planFiles } from './scan.ts'
import type { ChangeableTable } from './table-changes.ts'
import { tableLocation } from './table-location.ts'
import { checkWritable } from './writable.ts'

/**
 * Statements that change rows of an Iceberg table: one statement, one snapshot.
 *
 * Files are looked into only when partition values and column bounds say that they may hold rows concerned. Rows that go are
 * marked in position delete files (merge-on-read) or the files that hold them are written anew (copy-on-write), as
 * the table's `write.delete.mode`, `write.update.mode` and `write.merge.mode` say. What others commit between the look and
 * our commit is judged by `conflict.ts`. A crash before the commit leaves orphan files.
 */

/** `unchanged`: no row was concerned, and nothing was committed; `snapshotId` is what was looked at. */
export type EditOutcome =
  | (Extract<CommitOutcome, { status: 'committed' }> & { readonly metrics: EditMetrics })
  | {
      readonly status: 'unchanged'
      readonly snapshotId: bigint | undefined
      readonly metrics: EditMetrics
    }
  | Exclude<CommitOutcome, { status: 'committed' }>

/**
 * @throws TableMismatchError when a column or value does not fit
 * @throws MergeAmbiguousError when several source rows want to change one row
 * @throws TableUnsupportedError when the table needs what Mekong cannot write
 */
export async function editRows(
  table: ChangeableTable,
  statement: RowStatement,
  { transactions = [], summary = {} }: CommitOptions = {},
  signal?: AbortSignal,
): Promise<EditOutcome> {
  const { tools, name } = table
  const base = await table.newest(signal)
  checkWritable(base.metadata, name)
  const planned = await planNewest(tools, base, statement.predicate, signal)
  const { mode, isolation } = editProperties(base.metadata, statement.operation)
  const change = await changeOf({ entry: base, statement, planned, mode }, tools, signal)
  const { metrics } = change
  const isNothing = change.added.length === 0 && change.removed.length === 0
  if (isNothing && transactions.length === 0)
    return { status: 'unchanged', snapshotId: mainId(base.metadata), metrics }
  const snapshotId = tools.newSnapshotId()
  const manifests = await putManifests(tools, base, snapshotId, change.added)
  const intent = {
    base,
    reads: isolation === 'snapshot' ? ('nothing' as const) : { where: statement.predicate },
    copied: change.copied,
    marked: new Set(change.marked.map(({ file }) => file.path)),
  }
  const { outcome, entry } = await commitSnapshot(
    tools,
    name,
    base,
    {
      snapshotId,
      transactions,
      summary,
      stage: async (newest, parent) =>
        misfitOf(base, newest) ??
        (await conflictSince(tools, newest, intent, signal)) ??
        stageChange(tools, newest, parent, { snapshotId, change, manifests, planned }),
    },
    signal,
  )
  table.remember(entry)
  return outcome.status === 'committed' ? { ...outcome, metrics } : outcome
}

/** All columns of the files of the newest snapshot that may hold rows that a predicate is true for. */
export async function planNewest(
  tools: IcebergTools,
  { metadata, tableKey }: CatalogEntry,
  predicate: Predicate | undefined,
  signal: AbortSignal | undefined,
): Promise<PlannedFiles> {
  const id = mainId(metadata)
  return planFiles(
    {
      place: tableLocation(tools.store, tableKey, metadata.location),
      metadata,
      snapshot: id === undefined ? undefined : snapshotById(metadata, id),
      schema: schemaById(metadata, metadata['current-schema-id'])!,
      parquet: tools.ports.parquet,
    },
    predicate === undefined ? {} : { predicate },
    signal,
  )
}

/** Iceberg's own properties and defaults. An overwrite takes those of a merge, having none of its own. */
export function editProperties(
  { properties }: TableMetadata,
  operation: RowStatement['operation'],
): { readonly mode: WriteMode; readonly isolation: 'serializable' | 'snapshot' } {
  const word = operation === 'WRITE' ? 'merge' : operation.toLowerCase()
  const mode = properties[`write.${word}.mode`]?.toLowerCase()
  const isolation = properties[`write.${word}.isolation-level`]?.toLowerCase()
  return {
    mode: mode === 'merge-on-read' ? 'merge-on-read' : 'copy-on-write',
    isolation: isolation === 'snapshot' ? 'snapshot' : 'serializable',
  }
}

/** One manifest for each partition spec and kind of file. `age` is the rows' sequence number, where it is not the commit's own. */
export async function putManifests(
  tools: IcebergTools,
  entry: CatalogEntry,
  snapshotId: bigint,
  added: readonly ContentFile[],
  age?: number,
): Promise<readonly ManifestFile[]> {
  const specs = boundSpecs(entry.metadata, entry.tableKey)
  const groups = new Map<string, ContentFile[]>()
  for (const file of added) {
    const key = `${file.content === 'data' ? 'data' : 'deletes'} ${file.specId}`
    groups.set(key, [...(groups.get(key) ?? []), file])
  }
  const manifests: ManifestFile[] = []
  for (const files of groups.values()) {
    const { specId, content } = files[0]!
    manifests.push(
      await putManifest(tools, entry, specs.get(specId)!, {
        content: content === 'data' ? 'data' : 'deletes',
        snapshotId,
        entries: files.map((file) => ({
          status: 'added',
          snapshotId,
          file,
          ...(age === undefined ? {} : { sequenceNumber: age }),
        })),
      }),
    )
  }
  return manifests
}

/** Whether files written for one state of the table fit another. */
export function misfitOf({ metadata: base }: CatalogEntry, { metadata }: CatalogEntry) {
  const isSame =
    base['table-uuid'] === metadata['table-uuid'] &&
    base['current-schema-id'] === metadata['current-schema-id'] &&
    base['default-spec-id'] === metadata['default-spec-id']
  if (isSame) return undefined
  return {
    reason: 'metadata_changed',
    message: 'the schema or partitioning changed after the rows were read',
  } as const
}

interface StagedChange {
  readonly snapshotId: bigint
  readonly change: Change
  readonly manifests: readonly ManifestFile[]
  readonly planned: PlannedFiles
}

function stageChange(
  tools: IcebergTools,
  entry: CatalogEntry,
  parent: Snapshot | undefined,
  { snapshotId, change, manifests, planned }: StagedChange,
): Promise<StagedSnapshot | Conflict> {
  const { added, removed, removedDeletes } = change
  const isAppend = removed.length === 0 && added.every(({ content }) => content === 'data')
  return stageReplacement(tools, entry, parent, {
    snapshotId,
    added,
    manifests,
    chooser: knownFilesChooser({
      data: new Set(removed.map(({ entry: { file } }) => file.path)),
      deletes: new Set(removedDeletes.map((file) => file.path)),
      manifests: planned.manifests,
      listing: new Set(removed.map(({ manifest }) => manifest)),
    }),
    ...(isAppend ? { operation: 'append' } : {}),
  })
}
