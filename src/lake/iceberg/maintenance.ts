import { expiredAt, expiryCommit, type RetentionOptions } from './expire.ts'
import type { Snapshot } from './metadata.ts'
import { parseMetadataFile } from './metadata-file.ts'
import { filesOfMetadata, filesOfSnapshots } from './referenced-files.ts'
import type { ChangeableTable, ChangeOutcome } from './table-changes.ts'
import { keyOfLocation, tableLocation } from './table-location.ts'

/** Upkeep of a table: forgotten snapshots, files that nobody needs. Safe beside readers and writers. */

export interface ExpireOptions extends RetentionOptions {
  /** Only say what would go. Default: false. */
  readonly dryRun?: boolean
  /** At most so many snapshots, the oldest first. Default: no limit. */
  readonly snapshotCountMax?: number
  /** Of the files that go. */
  readonly onProgress?: (progress: { readonly removed: number; readonly count: number }) => void
}

export type ExpireOutcome =
  | {
      readonly status: 'committed'
      readonly snapshotIds: readonly bigint[]
      /** Keys of files that went, or would go. */
      readonly files: readonly string[]
      /** The bytes of each, in the same order. */
      readonly sizes: readonly number[]
      readonly bytes: number
      /** Whether more could go than `snapshotCountMax` let. */
      readonly isPartial: boolean
    }
  | Exclude<ChangeOutcome, { status: 'committed' }>

/**
 * Forget old snapshots, then remove the files that only they needed. Forgetting is committed first: a crash in between leaves
 * orphans, never a snapshot without its files.
 */
export async function expireSnapshots(
  table: ChangeableTable,
  options: ExpireOptions = {},
  signal?: AbortSignal,
): Promise<ExpireOutcome> {
  const { tools, name } = table
  const entry = await table.newest(signal)
  const all = expiredAt(entry.metadata, tools.clock.nowMs(), options)
  const { snapshots } = entry.metadata
  const expired = { ...all, snapshotIds: oldestOf(snapshots, all.snapshotIds, options) }
  const gone = new Set(expired.snapshotIds)
  const kept = snapshots.filter((snapshot) => !gone.has(snapshot['snapshot-id']))
  const needed = await filesOfSnapshots(tools, entry, kept, { signal })
  const old = snapshots.filter((snapshot) => gone.has(snapshot['snapshot-id']))
  const onlyOld = await filesOfSnapshots(tools, entry, old, {
    except: needed,
    mentioned: true,
    signal,
  })
  const files = [...onlyOld].filter((key) => !needed.has(key)).sort()
  const sizes = await sizesOf(table, files, signal)
  const bytes = sizes.reduce((sum, size) => sum + size, 0)
  const { snapshotIds } = expired
  const isPartial = snapshotIds.length < all.snapshotIds.length
  const report = { status: 'committed', snapshotIds, files, sizes, bytes, isPartial } as const
  const isNothing = expired.snapshotIds.length === 0 && expired.refs.length === 0
  if (options.dryRun === true || isNothing) return report
  const outcome = await tools.catalog.commit(name, expiryCommit(entry, expired), signal)
  if (outcome.status === 'unknown') return outcome
  if (outcome.status === 'conflict') return { status: 'conflict', message: outcome.message }
  table.remember(outcome.entry)
  for (const [index, key] of files.entries()) {
    await tools.store.remove(key, signal)
    options.onProgress?.({ removed: index + 1, count: files.length })
  }
  return report
}

function oldestOf(
  snapshots: readonly Snapshot[],
  ids: readonly bigint[],
  { snapshotCountMax = ids.length }: ExpireOptions,
): readonly bigint[] {
  const wanted = new Set(ids)
  return snapshots
    .filter((snapshot) => wanted.has(snapshot['snapshot-id']))
    .sort((a, b) => a['timestamp-ms'] - b['timestamp-ms'])
    .slice(0, snapshotCountMax)
    .map((snapshot) => snapshot['snapshot-id'])
}

export interface OrphanOptions {
  /**
   * Files younger than this stay: a writer may be about to commit them. Default: three days, longer than any write
   * takes; less than an hour is refused by raising it.
   */
  readonly ageMinMs?: number
  /** Only say what would go. Default: false. */
  readonly dryRun?: boolean
  /** At most so many files. Default: no limit. */
  readonly fileCountMax?: number
  readonly onProgress?: (progress: { readonly removed: number; readonly count: number }) => void
}

export interface OrphanOutcome {
  /** Keys of files that went, or would go. */
  readonly files: readonly string[]
  /** The bytes of each, in the same order. */
  readonly sizes: readonly number[]
  readonly bytes: number
  /** Whether more could go than `fileCountMax` let. */
  readonly isPartial: boolean
}

const ORPHAN_AGE_MIN_MS = 3 * 24 * 60 * 60 * 1000
const ORPHAN_AGE_FLOOR_MS = 60 * 60 * 1000

/**
 * Remove files below the table that no snapshot needs: of writers that died before their commit, of attempts that lost, and
 * old metadata that the log no longer keeps. Judged by a listing made before the table's state is read, so that
 * whatever is committed meanwhile is either not in the listing or in the state.
 */
export async function removeOrphans(
  table: ChangeableTable,
  { ageMinMs = ORPHAN_AGE_MIN_MS, dryRun = false, ...options }: OrphanOptions = {},
  signal?: AbortSignal,
): Promise<OrphanOutcome> {
  const { tools } = table
  const { tableKey } = await table.newest(signal)
  const youngestMs = tools.clock.nowMs() - Math.max(ageMinMs, ORPHAN_AGE_FLOOR_MS)
  const candidates: { readonly key: string; readonly bytes: number }[] = []
  for (const folder of ['data', 'metadata'])
    for await (const info of tools.store.list({ prefix: `${tableKey}/${folder}/` }, signal))
      if (info.modifiedMs < youngestMs) candidates.push(info)
  const entry = await table.newest(signal)
  const { metadata, metadataLocation } = entry
  const place = tableLocation(tools.store, tableKey, metadata.location)
  const needed = await filesOfSnapshots(tools, entry, metadata.snapshots, { signal })
  for (const key of filesOfMetadata(place, metadata)) needed.add(key)
  const current = keyOfLocation(place, metadataLocation)
  const orphans = candidates.filter(({ key }) => {
    const name = key.slice(key.lastIndexOf('/') + 1)
    return !needed.has(key) && key !== current && !isNewerMetadata(name, current) && !isHint(name)
  })
  const chosen = orphans.slice(0, options.fileCountMax ?? orphans.length)
  if (!dryRun)
    for (const [index, { key }] of chosen.entries()) {
      signal?.throwIfAborted()
      await tools.store.remove(key, signal)
      options.onProgress?.({ removed: index + 1, count: chosen.length })
    }
  return {
    files: chosen.map(({ key }) => key),
    sizes: chosen.map(({ bytes }) => bytes),
    bytes: chosen.reduce((sum, { bytes }) => sum + bytes, 0),
    isPartial: chosen.length < orphans.length,
  }
}

/** Where the file name decides, what comes after the current metadata is somebody's commit. */
function isNewerMetadata(name: string, current: string | undefined): boolean {
  const file = parseMetadataFile(name)
  const now = parseMetadataFile(current?.slice(current.lastIndexOf('/') + 1) ?? '')
  return file !== undefined && now !== undefined && file.order >= now.order
}

const isHint = (name: string) => name === 'version-hint.text'

const HEAD_CONCURRENCY = 32

async function sizesOf(
  { tools }: ChangeableTable,
  keys: readonly string[],
  signal: AbortSignal | undefined,
): Promise<readonly number[]> {
  const sizes: number[] = []
  for (let start = 0; start < keys.length; start += HEAD_CONCURRENCY) {
    const batch = keys.slice(start, start + HEAD_CONCURRENCY)
    const infos = await Promise.all(batch.map((key) => tools.store.head(key, signal)))
    sizes.push(...infos.map((info) => info?.bytes ?? 0))
  }
  return sizes
}
