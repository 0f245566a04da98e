import { TableMismatchError } from '../errors.ts'
import type { DeletionVectorDescriptor } from './actions.ts'
import { readTombstones } from './checkpoint-read.ts'
import { deletionVectorPath } from './deletion-vector.ts'
import { liveRows } from './file-table.ts'
import { LOG_FOLDER } from './log-files.ts'
import type { LogState } from './log-state.ts'
import type { OpenTable } from './open-table.ts'
import { parseProperties } from './properties.ts'
import { checkWritable } from './protocol.ts'
import { canonicalPath, tableUrlOf } from './table-path.ts'
import { tableSchemaOf } from './table-schema.ts'

/**
 * Removing files that no kept snapshot needs: data files and deletion vectors removed from the table long enough ago, change files that
 * are as old, and what writers that died have left. A file that is younger than the retention is never touched, whoever wrote it,
 * so that no writer at work loses one; the log and its checkpoints are none of its business.
 */
export interface VacuumOptions {
  /** How long files stay after their removal, or after they were written. Default: the table's `delta.deletedFileRetentionDuration`, a week. */
  readonly retentionMs?: number
  /** Take a retention shorter than the table's. Readers of old snapshots and slow writers may lose files. Default: false. */
  readonly allowsShortRetention?: boolean
  /** Nothing is removed: the answer says what would be. */
  readonly dryRun?: boolean
  /** At most so many files. Default: no limit. */
  readonly fileCountMax?: number
  readonly onProgress?: (progress: { readonly removed: number; readonly count: number }) => void
}

export interface VacuumOutcome {
  readonly status: 'removed' | 'planned'
  /** Relative to the table, with what they hold. */
  readonly files: readonly { readonly path: string; readonly bytes: number }[]
  readonly bytes: number
  /** Whether more could be removed than `fileCountMax` let. */
  readonly isPartial: boolean
}

const REMOVE_CONCURRENCY = 16
const CHANGE_FOLDER = '_change_data'

/** @throws TableMismatchError when the retention is too short */
export async function vacuumTable(
  { deps, log }: OpenTable,
  options: VacuumOptions = {},
  signal?: AbortSignal,
): Promise<VacuumOutcome> {
  const { store } = deps
  const { tableKey } = log.context
  const state = await log.newest(signal)
  const schema = tableSchemaOf(state, tableKey)
  checkWritable(state.protocol, { metadata: state.metadata, schema: schema.struct }, tableKey)
  const { deletedFileRetentionMs } = parseProperties(state.metadata.configuration)
  const { retentionMs = deletedFileRetentionMs, dryRun = false, onProgress } = options
  if (retentionMs < deletedFileRetentionMs && options.allowsShortRetention !== true)
    throw new TableMismatchError(`Vacuuming ${tableKey}`, [
      `a retention of ${retentionMs} ms is shorter than the table's ${deletedFileRetentionMs} ms, ` +
        'so that readers and writers at work could lose files',
    ])
  const oldestMs = deps.clock.nowMs() - retentionMs
  const kept = await keptPaths({ deps, log }, state, oldestMs, signal)
  const found: { path: string; bytes: number; key: string }[] = []
  const foreign: string[] = []
  for await (const { key, bytes, modifiedMs } of store.list({ prefix: `${tableKey}/` }, signal)) {
    const path = key.slice(tableKey.length + 1)
    const nested = path.indexOf(`/${LOG_FOLDER}/`)
    if (nested >= 0) foreign.push(path.slice(0, nested + 1))
    if (modifiedMs > oldestMs || kept.has(path) || isHidden(path) || isIceberg(path)) continue
    found.push({ path, bytes, key })
  }
  // Another table may lie inside of this one's folder.
  const removable = found.filter(({ path }) => !foreign.some((folder) => path.startsWith(folder)))
  const chosen = removable.slice(0, options.fileCountMax ?? removable.length)
  if (!dryRun)
    for (let start = 0; start < chosen.length; start += REMOVE_CONCURRENCY) {
      signal?.throwIfAborted()
      const batch = chosen.slice(start, start + REMOVE_CONCURRENCY)
      await Promise.all(batch.map(({ key }) => store.remove(key, signal)))
      onProgress?.({ removed: start + batch.length, count: chosen.length })
    }
  return {
    status: dryRun ? 'planned' : 'removed',
    files: chosen.map(({ path, bytes }) => ({ path, bytes })),
    bytes: chosen.reduce((sum, file) => sum + file.bytes, 0),
    isPartial: chosen.length < removable.length,
  }
}

/** Canonical paths of what the newest snapshot has, and of what others had that were current after `oldestMs`. */
async function keptPaths(
  { log }: OpenTable,
  state: LogState,
  oldestMs: number,
  signal?: AbortSignal,
): Promise<ReadonlySet<string>> {
  const { context } = log
  const tableUrl = tableUrlOf(context.store, context.tableKey)
  const kept = new Set<string>()
  const keep = (path: string, vector: DeletionVectorDescriptor | undefined) => {
    kept.add(path)
    if (vector !== undefined && vector.storageType !== 'i')
      kept.add(canonicalPath(deletionVectorPath(vector, tableUrl), tableUrl))
  }
  const { table } = state.files
  for (const row of liveRows(state.files)) keep(table.paths[row]!, table.deletionVectors.get(row))
  const isYoung = (deletionTimestamp: number | undefined) => (deletionTimestamp ?? 0) > oldestMs
  if (state.base !== undefined)
    for await (const { path, deletionTimestamp, deletionVector } of readTombstones(
      context,
      state.base,
      signal,
    ))
      if (isYoung(deletionTimestamp)) keep(canonicalPath(path, tableUrl), deletionVector)
  for (const { path, deletionTimestamp, deletionVector } of state.tombstones)
    if (isYoung(deletionTimestamp)) keep(path, deletionVector)
  return kept
}

/** Names with an underscore or a dot in front belong to others, but for partitions and change files. */
const isHidden = (path: string) =>
  path
    .split('/')
    .some(
      (name, depth) =>
        /^[._]/.test(name) && !name.includes('=') && !(depth === 0 && name === CHANGE_FOLDER),
    )

/** Metadata of an Iceberg table in the same folder, from which this one was converted or into which. */
const isIceberg = (path: string) =>
  /^metadata\/([^/]+\.(avro|metadata\.json)|version-hint\.text)$/.test(path)
