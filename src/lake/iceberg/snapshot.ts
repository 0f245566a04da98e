import { SnapshotMissingError } from '../errors.ts'
import { MAIN_BRANCH, type Snapshot, snapshotById, type TableMetadata } from './metadata.ts'

/** Which state of a table. By default the newest of `main`. */
export type SnapshotSelector =
  | { readonly snapshotId: bigint }
  /** Whatever was current at that moment, in milliseconds since 1970 UTC. */
  | { readonly atMs: number }
  /** A branch or a tag. */
  | { readonly ref: string }

/**
 * The snapshot that a selector means; `undefined` for the newest state of a table that has none yet.
 *
 * @throws SnapshotMissingError
 */
export function selectSnapshot(
  metadata: TableMetadata,
  table: string,
  selector?: SnapshotSelector,
): Snapshot | undefined {
  if (selector === undefined) {
    const id = metadata.refs[MAIN_BRANCH]?.['snapshot-id'] ?? metadata['current-snapshot-id']
    return id === undefined ? undefined : orMissing(metadata, table, id)
  }
  if ('snapshotId' in selector) return orMissing(metadata, table, selector.snapshotId)
  if ('ref' in selector) {
    const ref = metadata.refs[selector.ref]
    if (ref !== undefined) return orMissing(metadata, table, ref['snapshot-id'])
    const known = Object.keys(metadata.refs).join(', ') || 'none'
    throw new SnapshotMissingError(
      `${table} has no branch or tag ${JSON.stringify(selector.ref)}; it has ${known}.`,
    )
  }
  const id = currentAt(metadata, selector.atMs)
  if (id === undefined)
    throw new SnapshotMissingError(
      `${table} has no snapshot as of ${new Date(selector.atMs).toISOString()}: it is younger than that, ` +
        'or what it was then is no longer kept.',
    )
  return orMissing(metadata, table, id)
}

/** The log tells what was current; a snapshot's own time does not (table spec, "Point in Time Reads"). */
function currentAt(metadata: TableMetadata, atMs: number): bigint | undefined {
  const entries = metadata['snapshot-log']
  let found: bigint | undefined
  for (const entry of entries) if (entry['timestamp-ms'] <= atMs) found = entry['snapshot-id']
  return found
}

function orMissing(metadata: TableMetadata, table: string, id: bigint): Snapshot {
  const snapshot = snapshotById(metadata, id)
  if (snapshot !== undefined) return snapshot
  const kept = metadata.snapshots.map((each) => each['snapshot-id']).join(', ')
  throw new SnapshotMissingError(
    `${table} has no snapshot ${id}; it was never there or has expired. Kept are ${kept || 'none'}.`,
  )
}
