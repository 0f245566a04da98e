import type { ManifestEntry } from './manifest.ts'
import { allEntries, manifestsOf } from './manifest-read.ts'
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

/** What one snapshot did, from the manifests that it wrote; reads those and no others. */
export async function fileChangesOf(
  { place, specs }: { place: TableLocation; specs: ReadonlyMap<number, BoundSpec> },
  snapshot: Snapshot,
  signal: AbortSignal | undefined,
): Promise<FileChanges> {
  const id = snapshot['snapshot-id']
  const own = (await manifestsOf(place, snapshot, signal)).filter(
    ({ addedSnapshotId }) => addedSnapshotId === id,
  )
  const entries: ManifestEntry[] = []
  for await (const some of allEntries(place, own, specs, signal))
    for (const entry of some)
      if (entry.status !== 'existing' && entry.snapshotId === id) entries.push(entry)
  const having = (status: ManifestEntry['status'], isData: boolean) =>
    entries.filter((each) => each.status === status && (each.file.content === 'data') === isData)
  return {
    addedData: having('added', true),
    deletedData: having('deleted', true),
    addedDeletes: having('added', false),
    deletedDeletes: having('deleted', false),
  }
}
