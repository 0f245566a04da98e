import { MAIN_BRANCH, type Snapshot, snapshotById, type TableMetadata } from './metadata.ts'

/** One snapshot of a table, for people. */
export interface HistoryEntry {
  readonly snapshotId: bigint
  readonly parentId: bigint | undefined
  readonly sequenceNumber: number
  /** Milliseconds since 1970, by its writer's clock. */
  readonly committedMs: number
  readonly operation: string
  readonly summary: Readonly<Record<string, string>>
}

/** The snapshots that `main` came through, newest first, as far as they are kept. */
export function historyOf(metadata: TableMetadata, limit: number): HistoryEntry[] {
  const entries: HistoryEntry[] = []
  const head = metadata.refs[MAIN_BRANCH]?.['snapshot-id']
  let at: Snapshot | undefined = head === undefined ? undefined : snapshotById(metadata, head)
  while (at !== undefined && entries.length < limit) {
    const parentId: bigint | undefined = at['parent-snapshot-id']
    entries.push({
      snapshotId: at['snapshot-id'],
      parentId,
      sequenceNumber: at['sequence-number'],
      committedMs: at['timestamp-ms'],
      operation: at.summary.operation ?? 'unknown',
      summary: at.summary,
    })
    at = parentId === undefined ? undefined : snapshotById(metadata, parentId)
  }
  return entries
}
