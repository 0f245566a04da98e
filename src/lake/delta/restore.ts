import { SnapshotMissingError, TableMismatchError } from '../errors.ts'
import type { Action } from './actions.ts'
import { addActionAt, fileKeyAt, removeActionAt, statsTexts } from './file-actions.ts'
import { liveRows } from './file-table.ts'
import { type CommitOptions, finishCommit, type TableCommitOutcome } from './finish-commit.ts'
import { versionAt } from './history.ts'
import type { LogState } from './log-state.ts'
import type { OpenTable } from './open-table.ts'
import { parseProperties } from './properties.ts'
import { checkWritable } from './protocol.ts'
import { keyOfFile } from './table-path.ts'
import { tableSchemaOf } from './table-schema.ts'

export interface RestoreOptions {
  readonly version?: number
  /** Milliseconds since 1970: the newest version committed by then. Not with `version`. */
  readonly atMs?: number
  /** Nothing is written: the answer says what would be. */
  readonly dryRun?: boolean
}

export interface RestoreMetrics {
  readonly restoredVersion: number
  readonly addedFileCount: number
  readonly removedFileCount: number
}

export type RestoreOutcome =
  | (Extract<TableCommitOutcome, { status: 'committed' }> & { readonly metrics: RestoreMetrics })
  | {
      readonly status: 'unchanged' | 'planned'
      readonly version: number
      readonly metrics: RestoreMetrics
    }
  | Exclude<TableCommitOutcome, { status: 'committed' }>

/** Files looked up at once. */
const HEAD_CONCURRENCY = 32

/**
 * Make the table what it was at an earlier version, by a new commit: rows, schema and properties. Application ids stay, and so does
 * the protocol, which only grows.
 * @throws SnapshotMissingError when the version, or a file of it, is no longer kept
 */
export async function restoreTable(
  table: OpenTable,
  options: RestoreOptions & CommitOptions,
  signal?: AbortSignal,
): Promise<RestoreOutcome> {
  const { deps, log } = table
  const { tableKey } = log.context
  const now = await log.newest(signal)
  const schema = tableSchemaOf(now, tableKey)
  checkWritable(now.protocol, { metadata: now.metadata, schema: schema.struct }, tableKey)
  const { inCommitTimestamps, appendOnly } = parseProperties(now.metadata.configuration)
  if (appendOnly)
    throw new TableMismatchError(`Restoring ${tableKey}`, [
      'the table takes appends alone (delta.appendOnly is true)',
    ])
  const version =
    options.version ??
    (await versionAt(log.context, options.atMs ?? deps.clock.nowMs(), inCommitTimestamps, signal))
  const then = await log.at(version, signal)
  const [nowKeys, thenKeys] = [keysOf(now), keysOf(then)]
  const back = [...thenKeys].filter(([key]) => !nowKeys.has(key)).map(([, row]) => row)
  const gone = [...nowKeys].filter(([key]) => !thenKeys.has(key)).map(([, row]) => row)
  const changesMetadata = JSON.stringify(now.metadata) !== JSON.stringify(then.metadata)
  const metrics = {
    restoredVersion: version,
    addedFileCount: back.length,
    removedFileCount: gone.length,
  }
  await checkPresent(table, then, back, signal)
  if (options.dryRun === true) return { status: 'planned', version: now.version, metrics }
  if (back.length + gone.length === 0 && !changesMetadata)
    return { status: 'unchanged', version: now.version, metrics }
  const stats = await statsTexts(log.context, then.files.table, back, signal)
  const actions: Action[] = [
    ...(changesMetadata ? [{ metaData: then.metadata }] : []),
    ...gone.map((row) => ({
      remove: removeActionAt(now.files.table, row, { nowMs: deps.clock.nowMs(), dataChange: true }),
    })),
    ...back.map((row) => ({
      add: addActionAt(then.files.table, row, {
        stats: stats.get(row) ?? null,
        dataChange: true,
        deletionVector: then.files.table.deletionVectors.get(row),
      }),
    })),
  ]
  const outcome = await finishCommit(
    table,
    {
      commitId: log.newId(),
      base: now,
      intent: {
        read: 'everything',
        removes: new Set(gone.map((row) => fileKeyAt(now.files.table, row))),
        changesMetadata,
        transactions: options.transactions ?? [],
        domains: new Set(),
      },
      actions,
      info: {
        operation: 'RESTORE',
        operationParameters: { version: String(version) },
        operationMetrics: {
          numRestoredFiles: String(back.length),
          numRemovedFiles: String(gone.length),
        },
        isBlindAppend: false,
      },
    },
    options,
    signal,
  )
  return outcome.status === 'committed' ? { ...outcome, metrics } : outcome
}

function keysOf({ files }: LogState): ReadonlyMap<string, number> {
  return new Map([...liveRows(files)].map((row) => [fileKeyAt(files.table, row), row]))
}

async function checkPresent(
  { deps: { store }, log }: OpenTable,
  { files: { table }, version }: LogState,
  rows: readonly number[],
  signal?: AbortSignal,
): Promise<void> {
  const { tableKey } = log.context
  for (let start = 0; start < rows.length; start += HEAD_CONCURRENCY)
    await Promise.all(
      rows.slice(start, start + HEAD_CONCURRENCY).map(async (row) => {
        const path = table.paths[row]!
        const key = keyOfFile(path, tableKey, store)
        if (key === undefined || (await store.head(key, signal)) !== undefined) return
        throw new SnapshotMissingError(
          `Version ${version} of ${tableKey} cannot be restored: its file ${path} is gone, most likely by a vacuum. ` +
            'Nothing was written.',
        )
      }),
    )
}
