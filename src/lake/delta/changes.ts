import { CHANGE_COLUMNS, type ChangePart, type ChangePlan } from '../../model/change-plan.ts'
import { CHANGE_TYPE_COLUMN } from '../../model/row-edit.ts'
import type { ScanColumn, ScanFile, ScanPlan } from '../../model/scan-plan.ts'
import {
  ChangesMissingError,
  SnapshotMissingError,
  TableBrokenError,
  TableMismatchError,
} from '../errors.ts'
import { complementOfPositions, differenceOfPositions } from '../positions.ts'
import type { Action, AddAction, MetadataAction, RemoveAction } from './actions.ts'
import { readDeletionVector } from './deletion-vector.ts'
import { rowCountFromStats } from './file-bounds.ts'
import { listCommits, readCommit } from './log-read.ts'
import type { LogState } from './log-state.ts'
import { partitionScalar } from './partition-value.ts'
import { parseProperties } from './properties.ts'
import { parseSchema, physicalNameOf } from './schema.ts'
import type { TableLog } from './table-log.ts'
import { canonicalPath, fileLocator, keyOfFile, tableUrlOf } from './table-path.ts'
import { type TableSchema, tableSchemaOf } from './table-schema.ts'

export interface ChangesOptions {
  /** First version whose changes are wanted, inclusive. */
  readonly from: number
  /** Last version, inclusive. Default: the newest. */
  readonly to?: number
}

/**
 * What some commits did to the rows (PROTOCOL.md, "Change Data Files", "Reader Requirements for AddCDCFile"). A commit with change
 * files says it itself. For others it follows from the files that came and went and from their deletion vectors; where the table
 * keeps no feed, rows that a commit only copied are no changes, and an update is a delete and an insert.
 *
 * @throws ChangesMissingError when commits or files that the changes need are no longer kept
 * @throws TableMismatchError when the table was partitioned anew in between
 */
export async function readChanges(
  log: TableLog,
  { from, to }: ChangesOptions,
  signal?: AbortSignal,
): Promise<ChangePlan> {
  const { context } = log
  const { tableKey } = context
  const state = to === undefined ? await log.newest(signal) : await log.at(to, signal)
  if (from > state.version)
    throw new SnapshotMissingError(
      `${tableKey} has no version ${from} yet; the newest is ${state.version}.`,
    )
  const commits = new Map(
    (await listCommits(context, signal)).map(({ version, info }) => [version, info.modifiedMs]),
  )
  const schema = tableSchemaOf(state, tableKey)
  const reader = new ChangeReader(log, state, schema)
  const parts: ChangePart[] = []
  let { changeDataFeed } = parseProperties(
    (from === 0 ? state : await log.at(from - 1, signal)).metadata.configuration,
  )
  for (let version = from; version <= state.version; version += 1) {
    const actions = commits.has(version) ? await readCommit(context, version, signal) : undefined
    if (actions === undefined)
      throw new ChangesMissingError(
        `The changes of version ${version} of ${tableKey} cannot be told: its commit is no longer kept.`,
      )
    for (const { metaData } of actions) {
      if (metaData === undefined) continue
      changeDataFeed = parseProperties(metaData.configuration).changeDataFeed
      if (partitionNames(metaData, tableKey) !== partitionNames(state.metadata, tableKey))
        throw new TableMismatchError(`Reading changes of ${tableKey}`, [
          `version ${version} partitioned it otherwise; read up to or from there`,
        ])
    }
    const info = actions.find((action) => action.commitInfo)?.commitInfo
    const timestampMs = info?.inCommitTimestamp ?? commits.get(version)!
    parts.push(...(await reader.parts(actions, { version, timestampMs, changeDataFeed }, signal)))
  }
  return { columns: [...schema.columns, ...CHANGE_COLUMNS], parts }
}

/** Names in the files' own terms, which renaming leaves alone. */
function partitionNames({ schemaString, partitionColumns }: MetadataAction, table: string): string {
  const { fields } = parseSchema(schemaString, table)
  const physical = partitionColumns.map((name) => {
    const field = fields.find((candidate) => candidate.name === name)
    return field === undefined ? name : physicalNameOf(field)
  })
  return JSON.stringify(physical)
}

/** Turns commits into plans under one schema. */
class ChangeReader {
  readonly #log: TableLog
  readonly #state: LogState
  readonly #schema: TableSchema

  constructor(log: TableLog, state: LogState, schema: TableSchema) {
    this.#log = log
    this.#state = state
    this.#schema = schema
  }

  async parts(
    actions: readonly Action[],
    commit: { version: number; timestampMs: number; changeDataFeed: boolean },
    signal?: AbortSignal,
  ): Promise<ChangePart[]> {
    const { version, timestampMs, changeDataFeed } = commit
    const feed = actions.flatMap(({ cdc }) => (cdc ? [cdc] : []))
    if (feed.length > 0) {
      const files = await Promise.all(feed.map((cdc) => this.#file(cdc, undefined, signal)))
      return [{ version, timestampMs, type: 'files', plan: this.#plan(files, version, true) }]
    }
    const removed = actions.flatMap(({ remove }) => (remove?.dataChange ? [remove] : []))
    const added = actions.flatMap(({ add }) => (add?.dataChange ? [add] : []))
    const before = new Map(removed.map((remove) => [remove.path, remove]))
    const inserted: ScanFile[] = []
    const deleted: ScanFile[] = []
    for (const add of added) {
      const old = before.get(add.path)
      before.delete(add.path)
      if (old === undefined) inserted.push(await this.#file(add, undefined, signal))
      else {
        const { gone, back } = await this.#marked(old, add, signal)
        if (gone !== undefined) deleted.push(gone)
        if (back !== undefined) inserted.push(back)
      }
    }
    for (const remove of before.values()) deleted.push(await this.#file(remove, undefined, signal))
    const plans = { deleted: this.#plan(deleted, version), inserted: this.#plan(inserted, version) }
    // Without a feed nobody said which rows of a rewritten file are new.
    const isNet = !changeDataFeed && deleted.length > 0 && inserted.length > 0
    const parts: ChangePart[] = []
    if (deleted.length > 0)
      parts.push({
        version,
        timestampMs,
        type: 'delete',
        plan: plans.deleted,
        ...(isNet ? { except: plans.inserted } : {}),
      })
    if (inserted.length > 0)
      parts.push({
        version,
        timestampMs,
        type: 'insert',
        plan: plans.inserted,
        ...(isNet ? { except: plans.deleted } : {}),
      })
    return parts
  }

  #plan(files: readonly ScanFile[], version: number, hasTypes = false): ScanPlan {
    const { scanColumns, mapping } = this.#schema
    const type: ScanColumn = {
      name: CHANGE_TYPE_COLUMN,
      type: 'string',
      nullable: false,
      source: { kind: 'file', physicalName: CHANGE_TYPE_COLUMN, physicalType: 'string' },
    }
    return {
      table: this.#log.context.tableKey,
      version: String(version),
      columns: hasTypes ? [...scanColumns, type] : scanColumns,
      residualColumns: [],
      // Change files have no id for the type of change; names are right in both modes.
      matchBy: mapping === 'id' && !hasTypes ? 'field_id' : 'name',
      files,
      residual: undefined,
    }
  }

  /** A file that is named in the log and has to be there still. `only` leaves nothing but these rows. */
  async #file(
    action: Pick<AddAction, 'path'> & Partial<AddAction & RemoveAction>,
    only: Float64Array | undefined,
    signal?: AbortSignal,
  ): Promise<ScanFile> {
    const { store, tableKey } = this.#log.context
    const canonical = canonicalPath(action.path, tableUrlOf(store, tableKey))
    const key = keyOfFile(canonical, tableKey, store)
    const info = key === undefined ? undefined : await store.head(key, signal)
    if (key !== undefined && info === undefined)
      throw new ChangesMissingError(
        `The changes of ${tableKey} cannot be read: ${canonical} is gone, most likely by a vacuum. ` +
          'Ask for younger versions.',
      )
    const rowCount = rowCountFromStats(action.stats ?? null) ?? this.#rowCount(canonical)
    if (only !== undefined && rowCount === undefined)
      throw new TableBrokenError(
        `${canonical} of ${tableKey} has a deletion vector and no row count; its changes cannot be told.`,
      )
    const positions =
      only === undefined
        ? action.deletionVector === undefined
          ? undefined
          : (await readDeletionVector(store, tableKey, action.deletionVector, signal)).positions
        : // A file with a deletion vector knows how many rows it has (PROTOCOL.md, "Per-file Statistics").
          complementOfPositions(only, rowCount!)
    return {
      location: fileLocator(tableKey, store)(canonical),
      bytes: action.size ?? info?.bytes ?? 0,
      rowCount,
      partitionValues: this.#schema.partitionColumns.map(({ physicalName, type }) =>
        partitionScalar(action.partitionValues?.[physicalName], type, tableKey),
      ),
      ...(positions === undefined ? {} : { deletedRows: { positions } }),
    }
  }

  /** Removals carry no statistics; the file table often still knows the file. */
  #rowCount(canonical: string): number | undefined {
    const { table } = this.#state.files
    const row = table.rowOf(canonical)
    return row === undefined ? undefined : rowCountFromStats(table.stats[row] ?? null)
  }

  /** One file under two deletion vectors: the rows that went, and those that are back. */
  async #marked(old: RemoveAction, add: AddAction, signal?: AbortSignal) {
    const { store, tableKey } = this.#log.context
    const rowsOf = async ({ deletionVector }: { deletionVector?: AddAction['deletionVector'] }) =>
      deletionVector === undefined
        ? new Float64Array(0)
        : (await readDeletionVector(store, tableKey, deletionVector, signal)).positions
    const [before, after] = [await rowsOf(old), await rowsOf(add)]
    const gone = differenceOfPositions(after, before)
    const back = differenceOfPositions(before, after)
    return {
      gone: gone.length === 0 ? undefined : await this.#file(add, gone, signal),
      back: back.length === 0 ? undefined : await this.#file(add, back, signal),
    }
  }
}
