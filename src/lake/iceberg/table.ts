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
import { type PreparedAppend, type PrepareOptions, prepareAppend } from './append.ts'
import { type AppendedOptions, type AppendedRows, appendedSince } from './appended.ts'
import { type ChangesOptions, readChanges } from './changes.ts'
import type { CommitOptions, CommitOutcome } from './commit.ts'
import { commitWrite } from './commit-write.ts'
import type { PartitionBy, SortBy } from './define-spec.ts'
import { type IcebergDeps, icebergTools } from './deps.ts'
import { type EditOutcome, editRows } from './edit-rows.ts'
import type { SchemaChange } from './evolve-schema.ts'
import { type HistoryEntry, historyOf } from './history.ts'
import {
  type ExpireOptions,
  type ExpireOutcome,
  expireSnapshots,
  type OrphanOptions,
  type OrphanOutcome,
  removeOrphans,
} from './maintenance.ts'
import { type OptimizeOutcome, optimizeTable } from './optimize.ts'
import { overwriteRows } from './overwrite.ts'
import type { Removal } from './replace.ts'
import { type RestoreOptions, type RestoreOutcome, restoreTable } from './restore.ts'
import { type RewriteManifestsOptions, rewriteManifests } from './rewrite-manifests.ts'
import type { SnapshotSelector } from './snapshot.ts'
import { type IcebergSnapshot, snapshotView } from './snapshot-view.ts'
import {
  type ChangeOutcome,
  changeTable,
  columnChanges,
  columnsOf,
  partitionChanges,
  propertyChanges,
  sortChanges,
} from './table-changes.ts'
import { tableLocation } from './table-location.ts'
import { TableState } from './table-state.ts'

export type { CommitOptions } from './commit.ts'

/**
 * An Apache Iceberg table.
 *
 * In: relations to append or to put in the place of others, applications' progress to record with them, changes to columns and
 * partitioning. Out: snapshots by id, time or name, scan plans, history. Writing has three steps: *prepare* puts data
 * files and their manifest in place, seen by nobody; *stage* makes a snapshot of them on top of the newest one; *commit*
 * asks the catalog to make it the newest.
 * A crash before the commit leaves orphan files; after it, the commit stands. There is nothing in between, and nothing to
 * recover. Any number of processes may read and write a table at once, ours and other engines', through one catalog.
 * Specification: the Apache Iceberg table spec (format/spec.md of apache/iceberg). We read format versions 1 to 3 and
 * write version 2.
 */
export interface IcebergTable {
  /** The table's name in its catalog; of the file system's, the key of its folder. */
  readonly name: string
  /** Key of the table's folder in the store. */
  readonly location: string
  /** By default the newest. @throws SnapshotMissingError, TableBrokenError, TableUnsupportedError */
  snapshot(selector?: SnapshotSelector, signal?: AbortSignal): Promise<IcebergSnapshot>
  /** Write rows into data files of the table, which nobody sees yet. @throws TableMismatchError, TableUnsupportedError */
  prepareAppend(
    relation: Relation,
    options?: PrepareOptions,
    signal?: AbortSignal,
  ): Promise<PreparedAppend>
  /** Make an append visible; `undefined` commits the transactions alone. */
  commitAppend(
    prepared: PreparedAppend | undefined,
    options?: CommitOptions,
    signal?: AbortSignal,
  ): Promise<CommitOutcome>
  /**
   * Take files away and make an append visible in their place, in one step; `undefined` puts nothing there. Files that
   * others add meanwhile and that `removal` covers go too, but for `paths`, which conflict when one is gone.
   * @throws TableMismatchError when a predicate is true for only some rows of a file
   */
  commitReplace(
    prepared: PreparedAppend | undefined,
    removal: Removal,
    options?: CommitOptions,
    signal?: AbortSignal,
  ): Promise<CommitOutcome>
  /**
   * Delete rows. Here and in what follows, what others commit meanwhile is a conflict as `write.<operation>.isolation-level` says
   * (`serializable`, the default, or `snapshot`); a conflict leaves the table as others made it.
   */
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
  /** What snapshots did to the rows, as something to read. @throws ChangesMissingError, SnapshotMissingError */
  changes(options: ChangesOptions, signal?: AbortSignal): Promise<ChangePlan>
  /** What was only added since a snapshot, without a look at anything else. @throws ChangesMissingError, SnapshotMissingError */
  appendedSince(
    after: bigint | null,
    options?: AppendedOptions,
    signal?: AbortSignal,
  ): Promise<AppendedRows>
  /** @throws TableMismatchError naming each change that cannot be made */
  changeColumns(changes: readonly SchemaChange[], signal?: AbortSignal): Promise<ChangeOutcome>
  /** How rows written from now on are split; files that are there stay as they are. @throws TableMismatchError */
  changePartitioning(fields: readonly PartitionBy[], signal?: AbortSignal): Promise<ChangeOutcome>
  changeSortOrder(fields: readonly SortBy[], signal?: AbortSignal): Promise<ChangeOutcome>
  /** Null removes a property. */
  changeProperties(
    properties: Readonly<Record<string, string | null>>,
    signal?: AbortSignal,
  ): Promise<ChangeOutcome>
  /** Write data files anew, so that reading is cheaper. */
  optimize(options?: OptimizeOptions, signal?: AbortSignal): Promise<OptimizeOutcome>
  /** Write the table's files into fewer manifests, for faster planning. Appends do it by themselves once in a while. */
  rewriteManifests(
    options?: RewriteManifestsOptions,
    signal?: AbortSignal,
  ): Promise<OptimizeOutcome>
  /** Forget old snapshots and remove what only they needed. */
  expireSnapshots(options?: ExpireOptions, signal?: AbortSignal): Promise<ExpireOutcome>
  /** Remove files that nobody refers to, once they are old enough. */
  removeOrphans(options?: OrphanOptions, signal?: AbortSignal): Promise<OrphanOutcome>
  /** Make the table what it was. @throws SnapshotMissingError */
  restore(options: RestoreOptions, signal?: AbortSignal): Promise<RestoreOutcome>
  /** Newest first. Default limit: 100. */
  history(options?: { readonly limit?: number }, signal?: AbortSignal): Promise<HistoryEntry[]>
}

/**
 * Open the table of this name in the catalog.
 * @throws TableMissingError when there is none
 * @throws TableBrokenError, TableUnsupportedError saying what is wrong with it
 */
export async function openIcebergTable(
  deps: IcebergDeps,
  name: string,
  signal?: AbortSignal,
): Promise<IcebergTable> {
  const state = new TableState(icebergTools(deps), name)
  const { tableKey } = await state.newest(signal)
  const { tools } = state
  return Object.freeze({
    name,
    location: tableKey,
    snapshot: async (selector?: SnapshotSelector, abort?: AbortSignal) => {
      const { metadata } = await state.newest(abort)
      const place = tableLocation(tools.store, tableKey, metadata.location)
      return snapshotView(place, metadata, tools.ports.parquet, selector)
    },
    prepareAppend: async (relation: Relation, options?: PrepareOptions, abort?: AbortSignal) =>
      prepareAppend(tools, await state.recent(abort), relation, options, abort),
    commitAppend: (
      prepared: PreparedAppend | undefined,
      options?: CommitOptions,
      abort?: AbortSignal,
    ) => commitWrite(state, prepared, undefined, options, abort),
    commitReplace: (
      prepared: PreparedAppend | undefined,
      removal: Removal,
      options?: CommitOptions,
      abort?: AbortSignal,
    ) => commitWrite(state, prepared, removal, options, abort),
    delete: (options: DeleteOptions & CommitOptions = {}, abort?: AbortSignal) =>
      editRows(state, deleteStatement(options), options, abort),
    update: async (options: UpdateOptions & CommitOptions, abort?: AbortSignal) => {
      const columns = columnsOf(await state.recent(abort))
      return editRows(state, updateStatement(options, columns, name), options, abort)
    },
    merge: async (options: MergeOptions & CommitOptions, abort?: AbortSignal) => {
      const target = { columns: columnsOf(await state.newest(abort)), table: name }
      const statement = await mergeStatement(tools.ports.tableRows, options, target, abort)
      return editRows(state, statement, options, abort)
    },
    overwrite: (
      relation: Relation,
      options: OverwriteOptions & CommitOptions = {},
      abort?: AbortSignal,
    ) => overwriteRows(state, relation, options, abort),
    changes: async (options: ChangesOptions, abort?: AbortSignal) =>
      readChanges(tools, await state.newest(abort), options, abort),
    appendedSince: async (
      after: bigint | null,
      options: AppendedOptions = {},
      abort?: AbortSignal,
    ) => appendedSince(tools, await state.newest(abort), after, options, abort),
    changeColumns: (changes: readonly SchemaChange[], abort?: AbortSignal) =>
      changeTable(state, (entry) => columnChanges(entry, changes), abort),
    changePartitioning: (fields: readonly PartitionBy[], abort?: AbortSignal) =>
      changeTable(state, (entry) => partitionChanges(entry, fields), abort),
    changeSortOrder: (fields: readonly SortBy[], abort?: AbortSignal) =>
      changeTable(state, (entry) => sortChanges(entry, fields), abort),
    changeProperties: (properties: Readonly<Record<string, string | null>>, abort?: AbortSignal) =>
      changeTable(state, (entry) => propertyChanges(entry, properties), abort),
    optimize: (options?: OptimizeOptions, abort?: AbortSignal) =>
      optimizeTable(state, options, abort),
    rewriteManifests: (options?: RewriteManifestsOptions, abort?: AbortSignal) =>
      rewriteManifests(state, options, abort),
    expireSnapshots: (options?: ExpireOptions, abort?: AbortSignal) =>
      expireSnapshots(state, options, abort),
    removeOrphans: (options?: OrphanOptions, abort?: AbortSignal) =>
      removeOrphans(state, options, abort),
    restore: (options: RestoreOptions, abort?: AbortSignal) => restoreTable(state, options, abort),
    history: async ({ limit = 100 } = {}, abort?: AbortSignal) =>
      historyOf((await state.newest(abort)).metadata, limit),
  })
}
