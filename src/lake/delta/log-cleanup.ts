import { LOG_FOLDER, type LogFile, parseLogFile } from './log-files.ts'
import type { OpenTable } from './open-table.ts'
import { parseProperties } from './properties.ts'

export interface LogCleanupOutcome {
  readonly status: 'removed' | 'planned'
  /** Names in the log folder. */
  readonly names: readonly string[]
  /** The same with their sizes, by their paths in the table. */
  readonly files: readonly { readonly path: string; readonly bytes: number }[]
  readonly bytes: number
}

/**
 * Remove commits and checkpoints that are older than the table keeps its log (`delta.logRetentionDuration`, 30 days by default) and that no kept
 * version needs: all before the newest checkpoint at or before the oldest kept commit (PROTOCOL.md, "Metadata Cleanup").
 * Oldest first, so that a run that is cut short leaves no gap. Sidecars of version 2 checkpoints stay.
 */
export async function cleanLog(
  { deps, log }: OpenTable,
  { dryRun = false }: { readonly dryRun?: boolean } = {},
  signal?: AbortSignal,
): Promise<LogCleanupOutcome> {
  const { store, clock } = deps
  const { tableKey } = log.context
  const state = await log.newest(signal)
  const { logRetentionMs } = parseProperties(state.metadata.configuration)
  const oldestMs = clock.nowMs() - logRetentionMs
  const prefix = `${tableKey}/${LOG_FOLDER}/`
  const files: { file: LogFile; key: string; bytes: number; modifiedMs: number }[] = []
  for await (const { key, bytes, modifiedMs } of store.list({ prefix, delimiter: '/' }, signal)) {
    const file = parseLogFile(key.slice(prefix.length))
    if (file !== undefined) files.push({ file, key, bytes, modifiedMs })
  }
  const removable = oldLogFiles(files, oldestMs)
  if (!dryRun) for (const { key } of removable) await store.remove(key, signal)
  return {
    status: dryRun ? 'planned' : 'removed',
    names: removable.map(({ file }) => file.name),
    files: removable.map(({ file, bytes }) => ({ path: `${LOG_FOLDER}/${file.name}`, bytes })),
    bytes: removable.reduce((sum, { bytes }) => sum + bytes, 0),
  }
}

/** Pure. Multi-part checkpoints count only as what they end at, so that they are never the one that is relied on. */
function oldLogFiles<F extends { readonly file: LogFile; readonly modifiedMs: number }>(
  files: readonly F[],
  oldestMs: number,
): F[] {
  const commits = files.filter(({ file }) => file.kind === 'commit')
  const firstKept = commits.find(({ modifiedMs }) => modifiedMs > oldestMs)?.file.version
  const newest = commits.at(-1)?.file.version ?? 0
  const reliedOn = files.findLast(
    ({ file }) => file.kind === 'checkpoint' && file.version <= (firstKept ?? newest),
  )
  if (reliedOn === undefined) return []
  const { version } = reliedOn.file
  return files.filter(
    ({ file, modifiedMs }) =>
      modifiedMs <= oldestMs &&
      (file.kind === 'compaction' ? file.versionEnd : file.version) < version,
  )
}
