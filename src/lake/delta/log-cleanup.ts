import { TableMismatchError } from '../errors.ts'
import { LOG_FOLDER, type LogFile, parseLogFile } from './log-files.ts'
import type { OpenTable } from './open-table.ts'
import { parseProperties } from './properties.ts'

export interface LogCleanupOptions {
  /** Commits older than this may go. At least an hour. Default: `delta.logRetentionDuration` of the table, else 30 days. */
  readonly ageMaxMs?: number
  /** So many of the newest versions stay readable, however old. Default: 1. */
  readonly versionCountMin?: number
  /** Say what would go, and remove nothing. Default: false. */
  readonly dryRun?: boolean
  /** At most so many files, the oldest first. Default: no limit. */
  readonly fileCountMax?: number
  readonly onProgress?: (progress: { readonly removed: number; readonly count: number }) => void
}

/** Readers and writers look for the next commit by its name for a quarter of an hour before they list anew; this is well above. */
const AGE_MIN_MS = 60 * 60 * 1000

export interface LogCleanupOutcome {
  readonly status: 'removed' | 'planned'
  /** Names in the log folder. */
  readonly names: readonly string[]
  /** The same with their sizes, by their paths in the table. */
  readonly files: readonly { readonly path: string; readonly bytes: number }[]
  readonly bytes: number
  /** Whether more could go than `fileCountMax` let. */
  readonly isPartial: boolean
}

/**
 * Remove commits and checkpoints that are older than the log is kept, and that no kept version needs: all before the newest checkpoint at or before the oldest kept commit (PROTOCOL.md, "Metadata Cleanup").
 * Oldest first, so that a run that is cut short leaves no gap. Sidecars of version 2 checkpoints stay.
 */
export async function cleanLog(
  { deps, log }: OpenTable,
  { ageMaxMs, versionCountMin = 1, dryRun = false, ...options }: LogCleanupOptions = {},
  signal?: AbortSignal,
): Promise<LogCleanupOutcome> {
  const { store, clock } = deps
  const { tableKey } = log.context
  if (ageMaxMs !== undefined && ageMaxMs < AGE_MIN_MS)
    throw new TableMismatchError(`Cleaning the log of ${tableKey}`, [
      'commits younger than an hour stay: others look for the next one by its name',
    ])
  const state = await log.newest(signal)
  const { logRetentionMs } = parseProperties(state.metadata.configuration)
  const oldestMs = clock.nowMs() - (ageMaxMs ?? logRetentionMs)
  const prefix = `${tableKey}/${LOG_FOLDER}/`
  const files: { file: LogFile; key: string; bytes: number; modifiedMs: number }[] = []
  for await (const { key, bytes, modifiedMs } of store.list({ prefix, delimiter: '/' }, signal)) {
    const file = parseLogFile(key.slice(prefix.length))
    if (file !== undefined) files.push({ file, key, bytes, modifiedMs })
  }
  const all = oldLogFiles(files, { oldestMs, versionCountMin })
  const removable = all.slice(0, options.fileCountMax ?? all.length)
  if (!dryRun)
    for (const [index, { key }] of removable.entries()) {
      await store.remove(key, signal)
      options.onProgress?.({ removed: index + 1, count: removable.length })
    }
  return {
    status: dryRun ? 'planned' : 'removed',
    names: removable.map(({ file }) => file.name),
    files: removable.map(({ file, bytes }) => ({ path: `${LOG_FOLDER}/${file.name}`, bytes })),
    bytes: removable.reduce((sum, { bytes }) => sum + bytes, 0),
    isPartial: removable.length < all.length,
  }
}

/** Pure. Multi-part checkpoints count only as what they end at, so that they are never the one that is relied on. */
function oldLogFiles<F extends { readonly file: LogFile; readonly modifiedMs: number }>(
  files: readonly F[],
  { oldestMs, versionCountMin }: { readonly oldestMs: number; readonly versionCountMin: number },
): F[] {
  const commits = files.filter(({ file }) => file.kind === 'commit')
  const newest = commits.at(-1)?.file.version ?? 0
  const firstYoung = commits.find(({ modifiedMs }) => modifiedMs > oldestMs)?.file.version
  const firstKept = Math.min(firstYoung ?? newest, newest - versionCountMin + 1)
  const reliedOn = files.findLast(
    ({ file }) => file.kind === 'checkpoint' && file.version <= firstKept,
  )
  if (reliedOn === undefined) return []
  const { version } = reliedOn.file
  return files.filter(
    ({ file, modifiedMs }) =>
      modifiedMs <= oldestMs &&
      (file.kind === 'compaction' ? file.versionEnd : file.version) < version,
  )
}
