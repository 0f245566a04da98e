import { SnapshotMissingError } from '../errors.ts'
import type { CatalogEntry } from './catalog.ts'
import { type CommitOptions, type CommitOutcome, commitSnapshot } from './commit.ts'
import type { IcebergTools } from './deps.ts'
import type { ContentFile } from './manifest.ts'
import { liveEntries, manifestsOf } from './manifest-read.ts'
import type { Snapshot } from './metadata.ts'
import { boundSpecs } from './partition-spec.ts'
import { keptManifests } from './replace.ts'
import { type SnapshotSelector, selectSnapshot } from './snapshot.ts'
import type { ChangeableTable } from './table-changes.ts'
import { keyOfLocation, type TableLocation, tableLocation } from './table-location.ts'
import { checkWritable } from './writable.ts'

export interface RestoreOptions extends CommitOptions {
  readonly to: SnapshotSelector
  /** Nothing is written: the answer says what would be. */
  readonly dryRun?: boolean
}

export interface RestoreMetrics {
  readonly restoredSnapshotId: bigint
  /** Data and delete files that come back, and that go. */
  readonly addedFileCount: number
  readonly removedFileCount: number
}

export type RestoreOutcome =
  | (Extract<CommitOutcome, { status: 'committed' }> & { readonly metrics: RestoreMetrics })
  | {
      readonly status: 'unchanged' | 'planned'
      readonly snapshotId: bigint
      readonly metrics: RestoreMetrics
    }
  | Exclude<CommitOutcome, { status: 'committed' }>

const HEAD_CONCURRENCY = 32

/**
 * Give the table the files of an earlier snapshot again, by a new one on top of the newest: unlike a rollback it keeps applications'
 * progress, and what the table is now stays in its history. Columns and partitioning stay as they are. What others commit meanwhile is a conflict.
 * @throws SnapshotMissingError when the snapshot, or a file of it, is no longer kept
 */
export async function restoreTable(
  table: ChangeableTable,
  { to, dryRun = false, transactions = [], summary = {} }: RestoreOptions,
  signal?: AbortSignal,
): Promise<RestoreOutcome> {
  const { tools, name } = table
  const before = await table.newest(signal)
  const { metadata, tableKey } = before
  checkWritable(metadata, name)
  const then = selectSnapshot(metadata, name, to)!
  const now = selectSnapshot(metadata, name)!
  const place = tableLocation(tools.store, tableKey, metadata.location)
  const [old, current] = [await filesOf(place, before, then), await filesOf(place, before, now)]
  const added = [...old].flatMap(([id, file]) => (current.has(id) ? [] : [file]))
  const removed = [...current].flatMap(([id, file]) => (old.has(id) ? [] : [file]))
  const metrics = {
    restoredSnapshotId: then['snapshot-id'],
    addedFileCount: added.length,
    removedFileCount: removed.length,
  }
  await checkPresent(tools, place, { name, then, added }, signal)
  const nowId = now['snapshot-id']
  if (dryRun) return { status: 'planned', snapshotId: nowId, metrics }
  if (added.length + removed.length === 0)
    return { status: 'unchanged', snapshotId: nowId, metrics }
  const { outcome, entry } = await commitSnapshot(
    tools,
    name,
    before,
    {
      snapshotId: tools.newSnapshotId(),
      transactions,
      summary: { ...summary, 'restored-snapshot-id': String(then['snapshot-id']) },
      stage: async (entry, parent) => {
        if (parent?.['snapshot-id'] !== nowId)
          return { reason: 'read_files_changed', message: 'others committed meanwhile' }
        return {
          manifests: await keptManifests(tools, entry, then),
          changes: { operation: 'overwrite', added, removed },
        }
      },
    },
    signal,
  )
  table.remember(entry)
  return outcome.status === 'committed' ? { ...outcome, metrics } : outcome
}

async function filesOf(
  place: TableLocation,
  { metadata, tableKey }: CatalogEntry,
  snapshot: Snapshot,
): Promise<ReadonlyMap<string, ContentFile>> {
  const files = new Map<string, ContentFile>()
  const specs = boundSpecs(metadata, tableKey)
  for await (const entries of liveEntries(place, await manifestsOf(place, snapshot), specs))
    for (const { file } of entries) files.set(idOf(file), file)
  return files
}

/** Several deletion vectors may share a file. */
const idOf = ({ path, contentOffset }: ContentFile) => `${path}#${contentOffset ?? ''}`

async function checkPresent(
  { store }: IcebergTools,
  place: TableLocation,
  {
    name,
    then,
    added,
  }: {
    readonly name: string
    readonly then: Snapshot
    readonly added: readonly ContentFile[]
  },
  signal: AbortSignal | undefined,
): Promise<void> {
  for (let start = 0; start < added.length; start += HEAD_CONCURRENCY)
    await Promise.all(
      added.slice(start, start + HEAD_CONCURRENCY).map(async ({ path }) => {
        const key = keyOfLocation(place, path)
        if (key === undefined || (await store.head(key, signal)) !== undefined) return
        throw new SnapshotMissingError(
          `Snapshot ${then['snapshot-id']} of ${name} cannot be restored: its file ${path} is gone. Nothing was written.`,
        )
      }),
    )
}
