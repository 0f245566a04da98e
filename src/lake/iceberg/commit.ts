import { assert } from '../../model/errors.ts'
import { pauseMs } from '../pause.ts'
import type { TransactionUpdate } from '../transaction.ts'
import type { CatalogEntry, MetadataUpdate, Requirement } from './catalog.ts'
import type { IcebergTools } from './deps.ts'
import type { ManifestFile } from './manifest-list.ts'
import { withSequence, writeManifestList } from './manifest-write.ts'
import { MAIN_BRANCH, type Snapshot, snapshotById } from './metadata.ts'
import { type FileChanges, summaryOf } from './snapshot-summary.ts'
import { keyOfLocation, tableLocation } from './table-location.ts'
import {
  keptProperty,
  movedTransaction,
  transactionEntries,
  transactionsAt,
} from './transactions.ts'

/**
 * Committing a snapshot: the one step that makes anything visible, a change of the table's metadata in its catalog.
 *
 * Data files and manifests are in place before. An attempt writes one manifest list, on top of the newest snapshot, and
 * asks the catalog to move `main` from that snapshot to ours. When somebody was faster, the same manifests are tried on
 * top of theirs. When no answer came, we look: a snapshot has one id through all attempts, so that a table that holds
 * the id holds our commit.
 */

/** What every commit can carry besides its own. */
export interface CommitOptions {
  /** Committed with the data or not at all. */
  readonly transactions?: readonly TransactionUpdate[]
  /** Noted in the snapshot's summary. */
  readonly summary?: Readonly<Record<string, string>>
}

/** Attempts on top of ever newer snapshots. With fair chances some writer wins each round, so this is many writers. */
const ATTEMPT_COUNT_MAX = 64

export interface SnapshotRequest {
  /** Never used before, by anybody. A repeated request with the same id is recognised if it had been committed. */
  readonly snapshotId: bigint
  readonly transactions: readonly TransactionUpdate[]
  /** Noted in the snapshot's summary. */
  readonly summary: Readonly<Record<string, string>>
  /** What the snapshot holds on top of `entry`'s newest; asked again for each attempt. */
  stage(entry: CatalogEntry, parent: Snapshot | undefined): Promise<StagedSnapshot | Conflict>
}

export interface StagedSnapshot {
  readonly manifests: readonly ManifestFile[]
  readonly changes: FileChanges
}

export type ConflictReason =
  | 'metadata_changed'
  | 'transaction_moved'
  | 'read_files_changed'
  | 'removed_files_changed'
  | 'contention'

/** Why a commit cannot follow what others committed meanwhile. */
export interface Conflict {
  readonly reason: ConflictReason
  /** What was found and where, for people. */
  readonly message: string
}

/**
 * `conflict`: nothing was committed. `unknown`: no answer came, and looking did not help either; the same request may be
 * sent again later, and will recognise itself.
 */
export type CommitOutcome =
  | { readonly status: 'committed'; readonly snapshotId: bigint; readonly sequenceNumber: number }
  | { readonly status: 'conflict'; readonly reason: ConflictReason; readonly message: string }
  | { readonly status: 'unknown'; readonly cause: unknown }

/**
 * Commit on top of `entry` or of what others have committed since. Returns the outcome, and the newest state that was
 * seen: with our commit in it when it is `committed`.
 * @throws PlatformError when the store or the catalog refused and nothing was changed
 */
export async function commitSnapshot(
  tools: IcebergTools,
  table: string,
  entry: CatalogEntry,
  given: SnapshotRequest,
  signal?: AbortSignal,
): Promise<{ readonly outcome: CommitOutcome; readonly entry: CatalogEntry }> {
  const request = withExpectations(given, entry)
  let base = entry
  for (let attempt = 0; attempt < ATTEMPT_COUNT_MAX; attempt += 1) {
    signal?.throwIfAborted()
    const found = ourSnapshot(base, request)
    if (found !== undefined) return { outcome: found, entry: base }
    const staged = await stageSnapshot(tools, base, request, attempt)
    if ('reason' in staged) {
      // Only the newest state may say no; what we began with may be older than what the caller has seen.
      const newest = await tools.catalog.load(table, signal)
      if (newest === undefined || newest.metadataLocation === base.metadataLocation)
        return { outcome: { status: 'conflict', ...staged }, entry: base }
      if (newest.metadata['table-uuid'] !== base.metadata['table-uuid'])
        return { outcome: { status: 'conflict', ...REPLACED }, entry: base }
      base = newest
      continue
    }
    const outcome = await tools.catalog.commit(table, staged.commit, signal)
    if (outcome.status === 'unknown') return { outcome, entry: base }
    if (outcome.status === 'committed') {
      const committed = ourSnapshot(outcome.entry, request)
      assert(committed !== undefined, 'a committed snapshot is in the table')
      return { outcome: committed, entry: outcome.entry }
    }
    const newest = await tools.catalog.load(table, signal)
    if (newest === undefined || newest.metadata['table-uuid'] !== base.metadata['table-uuid'])
      return { outcome: { status: 'conflict', ...REPLACED }, entry: base }
    base = newest
    // Unless an earlier answer was lost, and this is it, nobody refers to the list any more.
    if (ourSnapshot(base, request) === undefined) await removeList(tools, base, staged.list)
    await tools.pause(pauseMs(attempt, tools.randomness), signal)
  }
  const message = `others were faster ${ATTEMPT_COUNT_MAX} times in a row`
  return { outcome: { status: 'conflict', reason: 'contention', message }, entry: base }
}

/** Progress that expects nothing expects what stands where its commit starts from. */
function withExpectations(
  request: SnapshotRequest,
  { metadata, tableKey }: CatalogEntry,
): SnapshotRequest {
  const id = metadata.refs[MAIN_BRANCH]?.['snapshot-id']
  if (request.transactions.every(({ expected }) => expected !== undefined)) return request
  const parent = id === undefined ? undefined : snapshotById(metadata, id)
  const standing = transactionsAt(metadata, parent, tableKey)
  const transactions = request.transactions.map((each) => ({
    ...each,
    expected: each.expected === undefined ? (standing.get(each.appId) ?? null) : each.expected,
  }))
  return { ...request, transactions }
}

const REPLACED: Conflict = {
  reason: 'metadata_changed',
  message: 'the table was dropped, or replaced by another of the same name',
}

function ourSnapshot(
  { metadata }: CatalogEntry,
  { snapshotId }: SnapshotRequest,
): CommitOutcome | undefined {
  const snapshot = snapshotById(metadata, snapshotId)
  if (snapshot === undefined) return undefined
  return { status: 'committed', snapshotId, sequenceNumber: snapshot['sequence-number'] }
}

interface StagedCommit {
  readonly list: string
  readonly commit: {
    readonly requirements: readonly Requirement[]
    readonly updates: readonly MetadataUpdate[]
  }
}

/** One attempt: the manifest list is written, and the catalog's question worded. */
async function stageSnapshot(
  tools: IcebergTools,
  entry: CatalogEntry,
  request: SnapshotRequest,
  attempt: number,
): Promise<StagedCommit | Conflict> {
  const { metadata, tableKey } = entry
  const { transactions } = request
  const parentId = metadata.refs[MAIN_BRANCH]?.['snapshot-id']
  const parent = parentId === undefined ? undefined : snapshotById(metadata, parentId)
  const standing = transactionsAt(metadata, parent, tableKey)
  const moved = movedTransaction(standing, transactions)
  if (moved !== undefined) return { reason: 'transaction_moved', message: moved }
  const staged = await request.stage(entry, parent)
  if ('reason' in staged) return staged
  const { list, updates } = await snapshotCommit(tools, entry, { ...request, staged, attempt })
  return {
    list,
    commit: {
      requirements: [
        { type: 'assert-table-uuid', uuid: metadata['table-uuid'] },
        { type: 'assert-ref-snapshot-id', ref: MAIN_BRANCH, 'snapshot-id': parentId ?? null },
        {
          type: 'assert-current-schema-id',
          'current-schema-id': metadata['current-schema-id'],
        },
      ],
      updates,
    },
  }
}

/** Write the manifest list of a snapshot on top of a state, and say what makes it the newest. */
export async function snapshotCommit(
  tools: IcebergTools,
  { metadata, tableKey }: CatalogEntry,
  request: Omit<SnapshotRequest, 'stage'> & {
    readonly staged: StagedSnapshot
    readonly attempt?: number
  },
): Promise<{ readonly list: string; readonly updates: readonly MetadataUpdate[] }> {
  const { snapshotId, transactions, staged, attempt = 0 } = request
  const parentId = metadata.refs[MAIN_BRANCH]?.['snapshot-id']
  const parent = parentId === undefined ? undefined : snapshotById(metadata, parentId)
  const standing = transactionsAt(metadata, parent, tableKey)
  const sequenceNumber = metadata['last-sequence-number'] + 1
  const bytes = await writeManifestList({
    manifests: staged.manifests.map((manifest) => withSequence(manifest, sequenceNumber)),
    snapshotId,
    parentId,
    sequenceNumber,
    sync: tools.newSync(),
  })
  const name = `metadata/snap-${snapshotId}-${attempt}-${tools.newId()}.avro`
  await tools.store.put(`${tableKey}/${name}`, bytes)
  const list = `${metadata.location}/${name}`
  const snapshot: Snapshot = {
    'snapshot-id': snapshotId,
    ...(parentId === undefined ? {} : { 'parent-snapshot-id': parentId }),
    'sequence-number': sequenceNumber,
    // Time does not go back along a branch, whatever the clocks say.
    'timestamp-ms': Math.max(tools.clock.nowMs(), metadata['last-updated-ms']),
    'manifest-list': list,
    summary: {
      ...request.summary,
      ...summaryOf(parent, staged.changes),
      ...transactionEntries(standing, transactions),
    },
    'schema-id': metadata['current-schema-id'],
  }
  const kept = keptProperty(metadata, transactions)
  return {
    list,
    updates: [
      ...(kept === undefined ? [] : [{ action: 'set-properties', updates: kept } as const]),
      { action: 'add-snapshot', snapshot },
      {
        action: 'set-snapshot-ref',
        'ref-name': MAIN_BRANCH,
        ...metadata.refs[MAIN_BRANCH],
        'snapshot-id': snapshotId,
        type: 'branch',
      },
    ],
  }
}

/** Best effort: what stays is an orphan. */
async function removeList(
  { store }: IcebergTools,
  { metadata, tableKey }: CatalogEntry,
  list: string,
): Promise<void> {
  const key = keyOfLocation(tableLocation(store, tableKey, metadata.location), list)
  if (key !== undefined) await store.remove(key).catch(() => {})
}
