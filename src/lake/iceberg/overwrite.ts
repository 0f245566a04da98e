import type { Relation } from '../../model/relation.ts'
import { columnProblems } from '../column-match.ts'
import { TableMismatchError } from '../errors.ts'
import type { EditMetrics } from '../row-edits.ts'
import { checkSatisfies, type OverwriteOptions, overwriteStatement } from '../row-statements.ts'
import type { CatalogEntry } from './catalog.ts'
import { type CommitOptions, commitSnapshot } from './commit.ts'
import { conflictSince } from './conflict.ts'
import { storedType } from './define-schema.ts'
import { type EditOutcome, editProperties, editRows, misfitOf, putManifests } from './edit-rows.ts'
import type { ContentFile } from './manifest.ts'
import { mainId } from './metadata.ts'
import { partitionKey } from './partition-spec.ts'
import { type RemovalChooser, stageReplacement } from './replace.ts'
import { type ChangeableTable, columnsOf } from './table-changes.ts'
import { checkWritable } from './writable.ts'
import { writeFiles } from './write-files.ts'

/**
 * Put a relation's rows in the place of all rows, of those that a predicate is true for, or of the partitions they belong to.
 * @throws TableMismatchError when its columns are not the table's, or some row does not satisfy the predicate
 */
export async function overwriteRows(
  table: ChangeableTable,
  relation: Relation,
  options: OverwriteOptions & CommitOptions,
  signal?: AbortSignal,
): Promise<EditOutcome> {
  const { tools, name } = table
  const base = await table.newest(signal)
  const problems = columnProblems(relation.columns, columnsOf(base), storedType)
  if (problems.length > 0) throw new TableMismatchError(`Overwriting ${name}`, problems)
  const { where } = options
  if (where === 'same_partitions')
    return overwritePartitions(table, base, relation, options, signal)
  await checkSatisfies(tools.ports.tableRows, relation, { where, table: name }, signal)
  return editRows(table, overwriteStatement(relation, where), options, signal)
}

/** The new files say which partitions they are for; all files that were there go, without a look. */
async function overwritePartitions(
  table: ChangeableTable,
  base: CatalogEntry,
  relation: Relation,
  { transactions = [], summary = {} }: CommitOptions,
  signal?: AbortSignal,
): Promise<EditOutcome> {
  const { tools, name } = table
  checkWritable(base.metadata, name)
  const added = await writeFiles(tools, base, relation, {}, signal)
  const partitions = new Set(added.map((file) => partitionKey(file.specId, file.partition)))
  const metricsOf = (removed: readonly ContentFile[]): EditMetrics => ({
    deletedRowCount: rowsIn(removed, 'data') - rowsIn(removed, 'position_deletes'),
    updatedRowCount: 0,
    insertedRowCount: relation.rowCount,
    scannedFileCount: 0,
    addedFileCount: added.length,
    removedFileCount: removed.filter(({ content }) => content === 'data').length,
    markedFileCount: 0,
    addedBytes: added.reduce((sum, { bytes }) => sum + bytes, 0),
  })
  if (added.length === 0 && transactions.length === 0)
    return { status: 'unchanged', snapshotId: mainId(base.metadata), metrics: metricsOf([]) }
  const snapshotId = tools.newSnapshotId()
  const manifests = await putManifests(tools, base, snapshotId, added)
  const { isolation } = editProperties(base.metadata, 'WRITE')
  const reads = isolation === 'snapshot' ? ('nothing' as const) : { partitions }
  let removed: readonly ContentFile[] = []
  const { outcome, entry } = await commitSnapshot(
    tools,
    name,
    base,
    {
      snapshotId,
      transactions,
      summary: { 'replace-partitions': 'true', ...summary },
      stage: async (newest, parent) => {
        const intent = { base, reads, copied: [], marked: new Set<string>() }
        const conflict = misfitOf(base, newest) ?? (await conflictSince(tools, newest, intent))
        if (conflict !== undefined) return conflict
        const chooser = partitionChooser(newest, partitions)
        const replacement = { snapshotId, chooser, added, manifests }
        const staged = await stageReplacement(tools, newest, parent, replacement)
        if ('changes' in staged) removed = staged.changes.removed
        return staged
      },
    },
    signal,
  )
  table.remember(entry)
  return outcome.status === 'committed' ? { ...outcome, metrics: metricsOf(removed) } : outcome
}

/**
 * Every file of some partitions, deletes included.
 * @throws TableMismatchError when files of an older partitioning may hold rows of theirs
 */
function partitionChooser(
  { metadata, tableKey }: CatalogEntry,
  partitions: ReadonlySet<string>,
): RemovalChooser {
  return {
    mayList: () => partitions.size > 0,
    removes: ({ file }) => {
      if (file.specId !== metadata['default-spec-id'])
        throw new TableMismatchError(`Overwriting partitions of ${tableKey}`, [
          `${file.path} is from before the table was partitioned anew, and may hold rows of them; replace rows by a predicate instead`,
        ])
      return partitions.has(partitionKey(file.specId, file.partition))
    },
    missing: () => undefined,
  }
}

const rowsIn = (files: readonly ContentFile[], content: ContentFile['content']) =>
  files.reduce((sum, file) => sum + (file.content === content ? file.recordCount : 0), 0)
