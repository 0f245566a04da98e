import type { CatalogCommit, CatalogEntry } from './catalog.ts'
import {
  MAIN_BRANCH,
  type Snapshot,
  type SnapshotRef,
  snapshotById,
  type TableMetadata,
} from './metadata.ts'
import { hasTransactions, tellsTransactions } from './transactions.ts'

/** How long snapshots stay (table spec, "Snapshot Retention Policy"); a branch's own settings go before these. */
export interface RetentionOptions {
  /** Snapshots of a branch older than this may go. Default: the table's `history.expire.max-snapshot-age-ms`, else five days. */
  readonly snapshotAgeMaxMs?: number
  /** So many of each branch stay, however old. Default: the table's `history.expire.min-snapshots-to-keep`, else one. */
  readonly snapshotCountMin?: number
}

/** Iceberg's own defaults. */
const SNAPSHOT_AGE_MAX_MS = 5 * 24 * 60 * 60 * 1000
const SNAPSHOT_COUNT_MIN = 1

/** Which snapshots and references a table no longer has to keep. Pure. */
export function expiredAt(
  metadata: TableMetadata,
  nowMs: number,
  options: RetentionOptions = {},
): { readonly snapshotIds: readonly bigint[]; readonly refs: readonly string[] } {
  const { properties } = metadata
  const ageMaxMs =
    options.snapshotAgeMaxMs ??
    numberOf(properties['history.expire.max-snapshot-age-ms']) ??
    SNAPSHOT_AGE_MAX_MS
  const countMin =
    options.snapshotCountMin ??
    numberOf(properties['history.expire.min-snapshots-to-keep']) ??
    SNAPSHOT_COUNT_MIN
  const refAgeMaxMs = numberOf(properties['history.expire.max-ref-age-ms']) ?? Infinity
  const retained = new Set<bigint>()
  const refs: string[] = []
  for (const [name, ref] of Object.entries(metadata.refs)) {
    const head = snapshotById(metadata, ref['snapshot-id'])!
    if (name !== MAIN_BRANCH && ageOf(head, nowMs) > (ref['max-ref-age-ms'] ?? refAgeMaxMs)) {
      refs.push(name)
      continue
    }
    retained.add(head['snapshot-id'])
    if (ref.type === 'branch')
      for (const id of keptAncestors(metadata, head, nowMs, limitsOf(ref, ageMaxMs, countMin)))
        retained.add(id)
  }
  const snapshotIds = metadata.snapshots
    .map((snapshot) => snapshot['snapshot-id'])
    .filter((id) => !retained.has(id))
  return { snapshotIds, refs }
}

/** A commit that forgets snapshots, if references are as they were. */
export function expiryCommit(
  { metadata }: CatalogEntry,
  { snapshotIds, refs }: ReturnType<typeof expiredAt>,
): CatalogCommit {
  return {
    requirements: Object.entries(metadata.refs).map(([ref, { 'snapshot-id': id }]) => ({
      type: 'assert-ref-snapshot-id',
      ref,
      'snapshot-id': id,
    })),
    updates: [
      ...refs.map((name) => ({ action: 'remove-snapshot-ref', 'ref-name': name }) as const),
      ...(snapshotIds.length === 0
        ? []
        : [{ action: 'remove-snapshots', 'snapshot-ids': snapshotIds } as const]),
    ],
  }
}

interface Limits {
  readonly ageMaxMs: number
  readonly countMin: number
}

const limitsOf = (ref: SnapshotRef, ageMaxMs: number, countMin: number): Limits => ({
  ageMaxMs: ref['max-snapshot-age-ms'] ?? ageMaxMs,
  countMin: ref['min-snapshots-to-keep'] ?? countMin,
})

function* keptAncestors(
  metadata: TableMetadata,
  head: Snapshot,
  nowMs: number,
  { ageMaxMs, countMin }: Limits,
): Generator<bigint> {
  let at: Snapshot | undefined = head
  // The newest snapshot that tells applications' progress stays, and so does the way to it.
  let isTold = !hasTransactions(metadata)
  for (let count = 0; at !== undefined; count += 1) {
    if (isTold && count >= countMin && ageOf(at, nowMs) > ageMaxMs) return
    isTold ||= tellsTransactions(at)
    yield at['snapshot-id']
    const parentId: bigint | undefined = at['parent-snapshot-id']
    at = parentId === undefined ? undefined : snapshotById(metadata, parentId)
  }
}

const ageOf = (snapshot: Snapshot, nowMs: number) => nowMs - snapshot['timestamp-ms']

function numberOf(text: string | undefined): number | undefined {
  const value = Number(text ?? Number.NaN)
  return Number.isSafeInteger(value) && value > 0 ? value : undefined
}
