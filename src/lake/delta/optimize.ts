import {
  checkedOptions,
  type OptimizedGroup,
  type OptimizeOptions,
  type OptimizeStatus,
  optimizeGroups,
  runOptimizeGroups,
  Z_COLUMN,
} from '../optimize.ts'
import { fitsMetadata } from './append.ts'
import { fileKeyAt, removeActionAt } from './file-actions.ts'
import type { FileTable } from './file-table.ts'
import { finishCommit } from './finish-commit.ts'
import type { LogState } from './log-state.ts'
import { type OpenTable, writeContext } from './open-table.ts'
import { checkWritable } from './protocol.ts'
import { type PlannedFiles, planFiles } from './scan.ts'
import { tableSchemaOf } from './table-schema.ts'
import { DEFAULT_FILE_BYTES_TARGET, writeFiles } from './write-files.ts'

export interface OptimizeOutcome {
  readonly status: OptimizeStatus
  /** Of the newest commit that was made, or looked at. */
  readonly version: number
  readonly groups: readonly OptimizedGroup[]
}

/** @throws TableMismatchError, TableUnsupportedError */
export async function optimizeTable(
  table: OpenTable,
  wanted: OptimizeOptions = {},
  signal?: AbortSignal,
): Promise<OptimizeOutcome> {
  const { log } = table
  const { tableKey } = log.context
  const state = await log.newest(signal)
  const schema = tableSchemaOf(state, tableKey)
  checkWritable(state.protocol, { metadata: state.metadata, schema: schema.struct }, tableKey)
  const { where } = wanted
  const planned = await planFiles(
    { ...log.context, state, schema },
    where === undefined ? {} : { predicate: where },
    signal,
  )
  const { plan, rows } = planned
  const options = checkedOptions(
    wanted,
    {
      columns: schema.columns,
      constant: schema.partitionColumns.map(({ name }) => name),
      table: tableKey,
    },
    plan.residual === undefined
      ? []
      : ['the predicate must be over partition columns, because files are written whole'],
  )
  const { table: files } = state.files
  const candidates = rows.map((row, place) => ({
    name: files.paths[row]!,
    bytes: plan.files[place]!.bytes,
    rowCount: plan.files[place]!.rowCount,
    partition: files.partitionIds[row]!,
    deletedCount: files.deletionVectors.get(row)?.cardinality ?? 0,
  }))
  const { fileBytesTarget = DEFAULT_FILE_BYTES_TARGET } = options
  const groups = optimizeGroups(candidates, { ...options, fileBytesTarget })
  let { version } = state
  const done = await runOptimizeGroups(
    groups,
    candidates,
    options,
    async (places) => {
      const group = await rewriteGroup(table, { state, planned, files: places, options }, signal)
      version = Math.max(version, group.version)
      return group
    },
    signal,
  )
  return { ...done, version }
}

interface Group {
  readonly state: LogState
  readonly planned: PlannedFiles
  readonly files: readonly number[]
  readonly options: OptimizeOptions
}

async function rewriteGroup(table: OpenTable, group: Group, signal?: AbortSignal) {
  const { planned, files, options } = group
  const { sortBy, zOrderBy, fileBytesTarget } = options
  const context = writeContext(table)
  const fileRows = files.map((index) => planned.rows[index]!)
  const { table: planTable } = group.state.files
  const keys = new Set(fileRows.map((row) => fileKeyAt(planTable, row)))
  // Not from the state of the plan: our own commits since would have to be looked through again, one by one.
  const state = await table.log.newest(signal)
  if (!fitsMetadata(state.metadata, group.state.metadata) || !hasFiles(state, planTable, fileRows))
    return { status: 'conflict' as const, version: 0, addedFileCount: 0, addedBytes: 0 }
  const plan = {
    ...planned.plan,
    residual: undefined,
    residualColumns: [],
    files: files.map((index) => planned.plan.files[index]!),
  }
  await using rows = await context.rows.planRelation(
    { plan, ...(zOrderBy === undefined ? {} : { zOrder: { by: zOrderBy, as: Z_COLUMN } }) },
    signal,
  )
  const orderBy = zOrderBy === undefined ? sortBy : [Z_COLUMN]
  const adds = await writeFiles(
    context,
    state,
    rows.relation,
    {
      areOldRows: true,
      ...(fileBytesTarget === undefined ? {} : { fileBytesTarget }),
      ...(orderBy === undefined ? {} : { orderBy }),
    },
    signal,
  )
  const outcome = await finishCommit(
    table,
    {
      commitId: context.newId(),
      base: state,
      intent: {
        read: { files: keys, mayMatch: () => false, isolation: 'snapshot' },
        removes: keys,
        changesMetadata: false,
        transactions: [],
        domains: new Set(),
      },
      actions: [
        ...fileRows.map((row) => ({
          remove: removeActionAt(planTable, row, {
            nowMs: context.nowMs,
            dataChange: false,
          }),
        })),
        ...adds.map((add) => ({ add: { ...add, dataChange: false } })),
      ],
      info: {
        operation: 'OPTIMIZE',
        operationParameters: { zOrderBy: JSON.stringify(zOrderBy ?? []) },
        operationMetrics: {
          numRemovedFiles: String(fileRows.length),
          numAddedFiles: String(adds.length),
        },
        isolationLevel: 'SnapshotIsolation',
        isBlindAppend: false,
      },
    },
    {},
    signal,
  )
  return {
    status: outcome.status,
    version: outcome.status === 'committed' ? outcome.version : 0,
    addedFileCount: adds.length,
    addedBytes: adds.reduce((sum, add) => sum + add.size, 0),
  }
}

/** Whether a state still has the very files, with the same deletion vectors. */
function hasFiles({ files }: LogState, table: FileTable, rows: readonly number[]): boolean {
  return rows.every((row) => {
    const found = files.table.rowOf(table.paths[row]!)
    return (
      found !== undefined &&
      found < files.rowEnd &&
      files.live[found] === 1 &&
      files.table.deletionVectorIdAt(found) === table.deletionVectorIdAt(row)
    )
  })
}
