import type { ManifestEntry } from './manifest.ts'
import { allEntries, liveEntries, manifestsOf } from './manifest-read.ts'
import { type Snapshot, snapshotById, type TableMetadata } from './metadata.ts'
import type { BoundSpec } from './partition-spec.ts'
import type { TableLocation } from './table-location.ts'

/**
 * Snapshots on the way from one to another, oldest first, without the first and with the last; from the table's beginning
 * when `from` is absent. `undefined` when the first is no ancestor of the last, or what was between is no longer kept.
 */
export function snapshotsBetween(
  metadata: TableMetadata,
  from: bigint | undefined,
  to: bigint | undefined,
): Snapshot[] | undefined {
  const found: Snapshot[] = []
  let id = to
  while (id !== from) {
    const snapshot: Snapshot | undefined = id === undefined ? undefined : snapshotById(metadata, id)
    if (snapshot === undefined) return undefined
    found.push(snapshot)
    id = snapshot['parent-snapshot-id']
  }
  return found.reverse()
}

/** Files that one snapshot added or took away. */
export interface FileChanges {
  readonly addedData: readonly ManifestEntry[]
  readonly deletedData: readonly ManifestEntry[]
  readonly addedDeletes: readonly ManifestEntry[]
  readonly deletedDeletes: readonly ManifestEntry[]
}

export interface SnapshotsContext {
  readonly place: TableLocation
  readonly metadata: TableMetadata
  readonly specs: ReadonlyMap<number, BoundSpec>
}

/**
 * What one snapshot did, from the manifests that it wrote; reads those and no others. A snapshot that took over manifests of older ones,
 * as a restore does, is compared with its parent. `undefined` when that has expired.
 */
export async function fileChangesOf(
  context: SnapshotsContext,
  snapshot: Snapshot,
  signal: AbortSignal | undefined,
): Promise<FileChanges | undefined> {
  const id = snapshot['snapshot-id']
  const own = (await manifestsOf(context.place, snapshot, signal)).filter(
    ({ addedSnapshotId }) => addedSnapshotId === id,
  )
  const entries: ManifestEntry[] = []
  for await (const some of allEntries(context.place, own, context.specs, signal))
    for (const entry of some)
      if (entry.status !== 'existing' && entry.snapshotId === id) entries.push(entry)
  const having = (status: ManifestEntry['status']) =>
    entries.filter((each) => each.status === status)
  const told = changesFrom(having('added'), having('deleted'))
  return isWhole(snapshot, told) ? told : differenceFromParent(context, snapshot, signal)
}

function changesFrom(
  added: readonly ManifestEntry[],
  deleted: readonly ManifestEntry[],
): FileChanges {
  const isData = ({ file }: ManifestEntry) => file.content === 'data'
  const isDelete = (entry: ManifestEntry) => !isData(entry)
  return {
    addedData: added.filter(isData),
    deletedData: deleted.filter(isData),
    addedDeletes: added.filter(isDelete),
    deletedDeletes: deleted.filter(isDelete),
  }
}

/** Whether a snapshot's manifests tell all that its summary counts. Summaries may lack counts, and then have nothing to add. */
function isWhole({ summary }: Snapshot, told: FileChanges): boolean {
  const has = (name: string, files: readonly ManifestEntry[]) =>
    summary[name] === undefined || Number(summary[name]) <= files.length
  return (
    has('added-data-files', told.addedData) &&
    has('deleted-data-files', told.deletedData) &&
    has('added-delete-files', told.addedDeletes) &&
    has('removed-delete-files', told.deletedDeletes)
  )
}

async function differenceFromParent(
  context: SnapshotsContext,
  snapshot: Snapshot,
  signal: AbortSignal | undefined,
): Promise<FileChanges | undefined> {
  const parentId = snapshot['parent-snapshot-id']
  const parent = parentId === undefined ? undefined : snapshotById(context.metadata, parentId)
  if (parentId !== undefined && parent === undefined) return undefined
  const before = await liveFiles(context, parent, signal)
  const after = await liveFiles(context, snapshot, signal)
  const missingIn = (other: ReadonlyMap<string, ManifestEntry>, from: typeof before) =>
    [...from].flatMap(([id, entry]) => (other.has(id) ? [] : [entry]))
  return changesFrom(missingIn(before, after), missingIn(after, before))
}

async function liveFiles(
  { place, specs }: SnapshotsContext,
  snapshot: Snapshot | undefined,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, ManifestEntry>> {
  const files = new Map<string, ManifestEntry>()
  if (snapshot === undefined) return files
  const manifests = await manifestsOf(place, snapshot, signal)
  // Several deletion vectors may share a file.
  for await (const entries of liveEntries(place, manifests, specs, signal))
    for (const entry of entries)
      files.set(`${entry.file.path}#${entry.file.contentOffset ?? ''}`, entry)
  return files
}
