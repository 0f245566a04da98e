import type { ChangePlan } from '../../model/change-plan.ts'
import type { Relation } from '../../model/relation.ts'
import type { OptimizeOptions } from '../optimize.ts'
import {
  type DeleteOptions,
  deleteStatement,
  type MergeOptions,
  mergeStatement,
  type OverwriteOptions,
  type UpdateOptions,
  updateStatement,
} from '../row-statements.ts'
import type { AlterOptions } from './alter.ts'
import { type AlterOutcome, alterTable } from './alter-table.ts'
import { fitsMetadata, type PreparedAppend, type PrepareOptions, prepareAppend } from './append.ts'
import { type AppendedOptions, type AppendedRows, appendedSince } from './appended.ts'
import { type ChangesOptions, readChanges } from './changes.ts'
import { appendIntent } from './conflict.ts'
import { type EditOutcome, editRows } from './edit-rows.ts'
import {
  type CommitOptions,
  checkpointNow,
  finishCommit,
  type TableCommitOutcome,
} from './finish-commit.ts'
import { type HistoryEntry, readHistory, versionAt } from './history.ts'
import { cleanLog, type LogCleanupOptions, type LogCleanupOutcome } from './log-cleanup.ts'
import { type OpenTable, writeContext } from './open-table.ts'
import { type OptimizeOutcome, optimizeTable } from './optimize.ts'
import { overwriteRows } from './overwrite.ts'
import { parseProperties } from './properties.ts'
import { checkWritable } from './protocol.ts'
import { type ReplaceTableOptions, replaceTable } from './replace-table.ts'
import { type RestoreOptions, type RestoreOutcome, restoreTable } from './restore.ts'
import { type DeltaSnapshot, snapshotOf } from './snapshot.ts'
import { type DeltaDeps, TableLog } from './table-log.ts'
import { tableSchemaOf } from './table-schema.ts'
import { type VacuumOptions, type VacuumOutcome, vacuumTable } from './vacuum.ts'

/**
 * A Delta Lake table.
 *
 * In: relations to append, applications' progress to record with them. Out: snapshots by version or time, scan plans,
 * history. Writing has three steps: *prepare* puts data files in place that nobody sees; *stage* makes one commit of them,
 * checked against what others did; *commit* puts the next log file, if it is not there.
 * A crash before the commit leaves orphan files, which vacuum removes; after it, the commit stands. There is
 * nothing in between, and nothing to recover. Checkpoints only speed up reading: a failed one costs time.
 * Any number of processes may read and write a table at once, ours and other engines', as long as its store
 * has a put that only one can win. Specification: PROTOCOL.md of delta-io/delta.
 */
export interface DeltaTable {
  /** Key of the table's folder in the store. */
  readonly location: string
  /** By default the newest. @throws SnapshotMissingError, TableBrokenError, TableUnsupportedError */
  snapshot(options?: SnapshotOptions, signal?: AbortSignal): Promise<DeltaSnapshot>
  /** Write rows into data files of the table, which nobody sees yet. @throws TableMismatchError, TableUnsupportedError */
  prepareAppend(
    relation: Relation,
    options?: PrepareOptions,
    signal?: AbortSignal,
  ): Promise<PreparedAppend>
  /** Make an append visible; `undefined` commits the transactions alone. */
  commitAppend(
    prepared: PreparedAppend | undefined,
    options?: AppendOptions,
    signal?: AbortSignal,
  ): Promise<AppendOutcome>
  /** Delete rows. Those rules of conflict that Delta has hold for this and all that follows; a conflict leaves the table as others made it. */
  delete(options?: DeleteOptions & CommitOptions, signal?: AbortSignal): Promise<EditOutcome>
  /** Change values of rows. */
  update(options: UpdateOptions & CommitOptions, signal?: AbortSignal): Promise<EditOutcome>
  /** Bring rows into the table: update, delete or insert, by what matches. @throws MergeAmbiguousError */
  merge(options: MergeOptions & CommitOptions, signal?: AbortSignal): Promise<EditOutcome>
  /** Replace all rows, or those that a predicate is true for, by a relation's. */
  overwrite(
    relation: Relation,
    options?: OverwriteOptions & CommitOptions,
    signal?: AbortSignal,
  ): Promise<EditOutcome>
  /** Make it another table, with other columns, partitioning and rows, by one commit. */
  replace(
    relation: Relation,
    options: ReplaceTableOptions & CommitOptions,
    signal?: AbortSignal,
  ): Promise<EditOutcome>
  /** What commits did to the rows, as something to read. @throws ChangesMissingError */
  changes(options: ChangesOptions, signal?: AbortSignal): Promise<ChangePlan>
  /** What appends added after a version, as a scan of its own; `null` for all since the beginning. @throws ChangesMissingError */
  appendedSince(
    after: number | null,
    options?: AppendedOptions,
    signal?: AbortSignal,
  ): Promise<AppendedRows>
  /** Change schema, properties or constraints. */
  alter(options: AlterOptions & CommitOptions, signal?: AbortSignal): Promise<AlterOutcome>
  /** Write data files anew, so that reading is cheaper. */
  optimize(options?: OptimizeOptions, signal?: AbortSignal): Promise<OptimizeOutcome>
  /** Remove files that no kept snapshot needs. */
  vacuum(options?: VacuumOptions, signal?: AbortSignal): Promise<VacuumOutcome>
  /** Make the table what it was. @throws SnapshotMissingError */
  restore(options: RestoreOptions & CommitOptions, signal?: AbortSignal): Promise<RestoreOutcome>
  /** Remove log files that no kept version needs; checkpoints that fall due do so by themselves. @throws TableMismatchError when the age is too short */
  cleanLog(options?: LogCleanupOptions, signal?: AbortSignal): Promise<LogCleanupOutcome>
  /** Newest first. Default limit: 100. */
  history(options?: { readonly limit?: number }, signal?: AbortSignal): Promise<HistoryEntry[]>
  /** Write a checkpoint of the newest version. Returns that version. */
  checkpoint(signal?: AbortSignal): Promise<number>
}

export interface SnapshotOptions {
  readonly version?: number
  /** Milliseconds since 1970: the newest version committed by then. Not with `version`. */
  readonly atMs?: number
}

export type AppendOptions = CommitOptions
export type AppendOutcome = TableCommitOutcome

/**
 * Open the table at `location`, a key in the store.
 * @throws TableMissingError when there is none
 * @throws TableBrokenError, TableUnsupportedError saying what is wrong with it
 */
export async function openDeltaTable(
  deps: DeltaDeps,
  location: string,
  signal?: AbortSignal,
): Promise<DeltaTable> {
  const log = new TableLog(deps, location)
  snapshotOf(log.context, await log.newest(signal))
  const table: OpenTable = { deps, log }
  return Object.freeze({
    location,
    snapshot: (options: SnapshotOptions = {}, abort?: AbortSignal) => snapshot(log, options, abort),
    prepareAppend: async (relation: Relation, options?: PrepareOptions, abort?: AbortSignal) =>
      prepareAppend(writeContext(table), await log.recent(abort), relation, options, abort),
    commitAppend: (
      prepared: PreparedAppend | undefined,
      options: AppendOptions = {},
      abort?: AbortSignal,
    ) => commitAppend(table, prepared, options, abort),
    delete: (options: DeleteOptions & CommitOptions = {}, abort?: AbortSignal) =>
      editRows(table, deleteStatement(options), options, abort),
    update: async (options: UpdateOptions & CommitOptions, abort?: AbortSignal) => {
      const { columns } = tableSchemaOf(await log.recent(abort), location)
      return editRows(table, updateStatement(options, columns, location), options, abort)
    },
    merge: async (options: MergeOptions & CommitOptions, abort?: AbortSignal) => {
      const { columns } = tableSchemaOf(await log.newest(abort), location)
      const target = { columns, table: location }
      const statement = await mergeStatement(deps.ports.tableRows, options, target, abort)
      return editRows(table, statement, options, abort)
    },
    overwrite: (
      relation: Relation,
      options: OverwriteOptions & CommitOptions = {},
      abort?: AbortSignal,
    ) => overwriteRows(table, relation, options, abort),
    replace: (
      relation: Relation,
      options: ReplaceTableOptions & CommitOptions,
      abort?: AbortSignal,
    ) => replaceTable(table, relation, options, abort),
    changes: (options: ChangesOptions, abort?: AbortSignal) => readChanges(log, options, abort),
    appendedSince: (after: number | null, options: AppendedOptions = {}, abort?: AbortSignal) =>
      appendedSince(log, after, options, abort),
    alter: (options: AlterOptions & CommitOptions, abort?: AbortSignal) =>
      alterTable(table, options, abort),
    optimize: (options?: OptimizeOptions, abort?: AbortSignal) =>
      optimizeTable(table, options, abort),
    vacuum: (options?: VacuumOptions, abort?: AbortSignal) => vacuumTable(table, options, abort),
    restore: (options: RestoreOptions & CommitOptions, abort?: AbortSignal) =>
      restoreTable(table, options, abort),
    cleanLog: (options?: LogCleanupOptions, abort?: AbortSignal) => cleanLog(table, options, abort),
    history: ({ limit = 100 } = {}, abort?: AbortSignal) => readHistory(log.context, limit, abort),
    checkpoint: (abort?: AbortSignal) => checkpointNow(table, abort),
  })
}

async function snapshot(
  log: TableLog,
  { version, atMs }: SnapshotOptions,
  signal: AbortSignal | undefined,
): Promise<DeltaSnapshot> {
  const { context } = log
  if (version !== undefined) return snapshotOf(context, await log.at(version, signal))
  const newest = await log.newest(signal)
  if (atMs === undefined) return snapshotOf(context, newest)
  const { inCommitTimestamps } = parseProperties(newest.metadata.configuration)
  const then = await versionAt(context, atMs, inCommitTimestamps, signal)
  return snapshotOf(context, await log.at(then, signal))
}

async function commitAppend(
  table: OpenTable,
  prepared: PreparedAppend | undefined,
  options: AppendOptions,
  signal: AbortSignal | undefined,
): Promise<AppendOutcome> {
  const { log } = table
  const { tableKey } = log.context
  const before = await log.recent(signal)
  const schema = tableSchemaOf(before, tableKey)
  checkWritable(before.protocol, { metadata: before.metadata, schema: schema.struct }, tableKey)
  if (prepared !== undefined && !fitsMetadata(prepared.metadata, before.metadata))
    return {
      status: 'conflict',
      reason: 'metadata_changed',
      message: 'the schema or partitioning changed after the files were written',
      version: before.version,
    }
  const partitionBy = JSON.stringify(before.metadata.partitionColumns)
  return finishCommit(
    table,
    {
      commitId: prepared?.commitId ?? log.newId(),
      intent: appendIntent(options.transactions ?? []),
      actions: (prepared?.adds ?? []).map((add) => ({ add })),
      info: {
        operation: 'WRITE',
        operationParameters: { mode: 'Append', partitionBy },
        operationMetrics: {
          numFiles: String(prepared?.adds.length ?? 0),
          numOutputRows: String(prepared?.rowCount ?? 0),
          numOutputBytes: String(prepared?.bytes ?? 0),
        },
        isBlindAppend: true,
      },
    },
    options,
    signal,
  )
}
