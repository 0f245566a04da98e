import type { Relation } from '../../model/relation.ts'
import { TableMissingError } from '../errors.ts'
import type { TransactionUpdate } from '../transaction.ts'
import { type PreparedAppend, type PrepareOptions, prepareAppend } from './append.ts'
import type { CatalogEntry } from './catalog.ts'
import { type CommitOutcome, type Conflict, commitSnapshot, type StagedSnapshot } from './commit.ts'
import type { PartitionBy, SortBy } from './define-spec.ts'
import { type IcebergDeps, type IcebergTools, icebergTools } from './deps.ts'
import type { SchemaChange } from './evolve-schema.ts'
import { type HistoryEntry, historyOf } from './history.ts'
import {
  type ExpireOptions,
  type ExpireOutcome,
  expireSnapshots,
  type OrphanOptions,
  type OrphanOutcome,
  removeOrphans,
  rewriteManifests,
} from './maintenance.ts'
import { mergeManifests, mergeOptions } from './manifest-merge.ts'
import { keptManifests, type Removal, stageReplacement } from './replace.ts'
import type { SnapshotSelector } from './snapshot.ts'
import { type IcebergSnapshot, snapshotView } from './snapshot-view.ts'
import {
  type ChangeOutcome,
  changeTable,
  columnChanges,
  partitionChanges,
  propertyChanges,
  sortChanges,
} from './table-changes.ts'
import { tableLocation } from './table-location.ts'
import { checkWritable } from './writable.ts'

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
  /** Write the table's files into fewer manifests, for faster planning. Appends do it by themselves once in a while. */
  rewriteManifests(signal?: AbortSignal): Promise<CommitOutcome>
  /** Forget old snapshots and remove what only they needed. */
  expireSnapshots(options?: ExpireOptions, signal?: AbortSignal): Promise<ExpireOutcome>
  /** Remove files that nobody refers to, once they are old enough. */
  removeOrphans(options?: OrphanOptions, signal?: AbortSignal): Promise<OrphanOutcome>
  /** Newest first. Default limit: 100. */
  history(options?: { readonly limit?: number }, signal?: AbortSignal): Promise<HistoryEntry[]>
}

export interface CommitOptions {
  /** Committed with the data or not at all. */
  readonly transactions?: readonly TransactionUpdate[]
  /** Noted in the snapshot's summary. */
  readonly summary?: Readonly<Record<string, string>>
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
    changeColumns: (changes: readonly SchemaChange[], abort?: AbortSignal) =>
      changeTable(state, (entry) => columnChanges(entry, changes), abort),
    changePartitioning: (fields: readonly PartitionBy[], abort?: AbortSignal) =>
      changeTable(state, (entry) => partitionChanges(entry, fields), abort),
    changeSortOrder: (fields: readonly SortBy[], abort?: AbortSignal) =>
      changeTable(state, (entry) => sortChanges(entry, fields), abort),
    changeProperties: (properties: Readonly<Record<string, string | null>>, abort?: AbortSignal) =>
      changeTable(state, (entry) => propertyChanges(entry, properties), abort),
    rewriteManifests: (abort?: AbortSignal) => rewriteManifests(state, abort),
    expireSnapshots: (options?: ExpireOptions, abort?: AbortSignal) =>
      expireSnapshots(state, options, abort),
    removeOrphans: (options?: OrphanOptions, abort?: AbortSignal) =>
      removeOrphans(state, options, abort),
    history: async ({ limit = 100 } = {}, abort?: AbortSignal) =>
      historyOf((await state.newest(abort)).metadata, limit),
  })
}

/** A table with the newest state that this process has seen of it. */
export class TableState {
  readonly tools: IcebergTools
  readonly name: string
  #known: CatalogEntry | undefined

  constructor(tools: IcebergTools, name: string) {
    this.tools = tools
    this.name = name
  }

  /** @throws TableMissingError */
  async newest(signal?: AbortSignal): Promise<CatalogEntry> {
    const entry = await this.tools.catalog.load(this.name, signal)
    if (entry === undefined)
      throw new TableMissingError(
        `There is no Iceberg table ${this.name}: its catalog knows none, or its folder holds no metadata.`,
      )
    return this.remember(entry)
  }

  /** A state that was the newest a short while ago; good enough to write on top of, as a commit finds out. */
  async recent(signal?: AbortSignal): Promise<CatalogEntry> {
    return this.#known ?? this.newest(signal)
  }

  remember(entry: CatalogEntry): CatalogEntry {
    this.#known = entry
    return entry
  }
}

async function commitWrite(
  state: TableState,
  prepared: PreparedAppend | undefined,
  removal: Removal | undefined,
  { transactions = [], summary = {} }: CommitOptions = {},
  signal: AbortSignal | undefined,
): Promise<CommitOutcome> {
  const { tools, name } = state
  const before = await state.recent(signal)
  checkWritable(before.metadata, name)
  const snapshotId = prepared?.snapshotId ?? tools.newSnapshotId()
  const { outcome, entry } = await commitSnapshot(
    tools,
    name,
    before,
    {
      snapshotId,
      transactions,
      summary,
      stage: async (entry, parent): Promise<StagedSnapshot | Conflict> => {
        const misfit = prepared === undefined ? undefined : misfitOf(prepared, entry)
        if (misfit !== undefined) return misfit
        const added = { added: prepared?.files ?? [], manifest: prepared?.manifest }
        if (removal !== undefined)
          return stageReplacement(tools, entry, parent, { snapshotId, removal, ...added })
        // A fast append: one manifest in front of those that were there.
        const kept = await keptManifests(tools, entry, parent)
        const options = mergeOptions(entry.metadata)
        const merged = await mergeManifests(tools, entry, kept, options, snapshotId)
        return {
          manifests: added.manifest === undefined ? merged : [added.manifest, ...merged],
          changes: { operation: 'append', added: added.added, removed: [] },
        }
      },
    },
    signal,
  )
  state.remember(entry)
  return outcome
}

/** Whether files written for one state of the table fit another. */
function misfitOf(prepared: PreparedAppend, { metadata }: CatalogEntry): Conflict | undefined {
  const isSame =
    prepared.tableId === metadata['table-uuid'] &&
    prepared.schemaId === metadata['current-schema-id'] &&
    prepared.specId === metadata['default-spec-id']
  if (isSame) return undefined
  return {
    reason: 'metadata_changed',
    message: 'the schema or partitioning changed after the files were written',
  }
}
