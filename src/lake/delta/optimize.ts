import type { Predicate } from '../../model/predicate.ts'
import type { ScanPlan } from '../../model/scan-plan.ts'
import { TableMismatchError } from '../errors.ts'
import { fitsMetadata } from './append.ts'
import { fileKeyAt, removeActionAt } from './file-actions.ts'
import type { FileTable } from './file-table.ts'
import { finishCommit } from './finish-commit.ts'
import type { LogState } from './log-state.ts'
import { type OpenTable, writeContext } from './open-table.ts'
import { checkWritable } from './protocol.ts'
import { type PlannedFiles, planFiles } from './scan.ts'
import { type TableSchema, tableSchemaOf } from './table-schema.ts'
import { DEFAULT_FILE_BYTES_TARGET, writeFiles } from './write-files.ts'

/**
 * Writing data files anew so that reading is cheaper: small ones packed together, rows that were marked as gone left out, rows laid by
 * columns or along a Z-order curve. No row changes, so that appends never conflict with it; a writer that removes one of the same
 * files does, and then that group is left as it is. Each group of files is a commit of its own: work done is kept
 * when the budget, or the process, ends.
 */
export interface OptimizeOptions {
  /** Over partition columns. Default: everything. */
  readonly where?: Predicate
  /** Files are packed to about this size. Default: 128 MiB. */
  readonly fileBytesTarget?: number
  /** So many files at least make a group worth writing. Default: 2. */
  readonly fileCountMin?: number
  /** Lay rows by these columns; all files of a partition are written, not the small ones alone. */
  readonly sortBy?: readonly string[]
  /** As `sortBy`, along a Z-order curve over these columns; not with it. */
  readonly zOrderBy?: readonly string[]
  /** Nothing is written: the answer says what would be. */
  readonly dryRun?: boolean
  /** No group is begun that would bring what is read above this. Default: no limit. */
  readonly bytesMax?: number
  readonly onProgress?: (progress: OptimizeProgress) => void
}

export interface OptimizeProgress {
  readonly groupsDone: number
  readonly groupCount: number
  readonly bytesDone: number
}

export interface OptimizeOutcome {
  /** `planned` in a dry run, `unchanged` when there was nothing to do or others were faster with all of it. */
  readonly status: 'committed' | 'unchanged' | 'planned'
  /** Of the newest commit that was made, or looked at. */
  readonly version: number
  readonly groups: readonly OptimizedGroup[]
}

export interface OptimizedGroup {
  /** `over_budget` was left for the next run; `conflict` and `unknown` are as in commits. */
  readonly status: 'committed' | 'planned' | 'over_budget' | 'conflict' | 'unknown'
  /** The files that go, by their canonical paths. */
  readonly files: readonly { readonly path: string; readonly bytes: number }[]
  readonly bytes: number
  readonly addedFileCount: number
  readonly addedBytes: number
}

/** Files at least this full are left alone. */
const FULL_SHARE = 0.75
/** A file that has lost so much of its rows is written anew for that alone. */
const DELETED_SHARE = 0.1
const Z_COLUMN = 'mekong z'
const Z_COLUMN_COUNT_MAX = 12

/** @throws TableMismatchError, TableUnsupportedError */
export async function optimizeTable(
  table: OpenTable,
  options: OptimizeOptions = {},
  signal?: AbortSignal,
): Promise<OptimizeOutcome> {
  const { log } = table
  const { tableKey } = log.context
  const state = await log.newest(signal)
  const schema = tableSchemaOf(state, tableKey)
  checkWritable(state.protocol, { metadata: state.metadata, schema: schema.struct }, tableKey)
  const { where, dryRun = false, bytesMax = Number.POSITIVE_INFINITY, onProgress } = options
  const planned = await planFiles(
    { ...log.context, state, schema },
    where === undefined ? {} : { predicate: where },
    signal,
  )
  checkOptions(options, schema, planned.plan, tableKey)
  const candidates = groupsOf(state, planned, options)
  const groups: OptimizedGroup[] = []
  let { version } = state
  let bytesDone = 0
  for (const files of candidates) {
    signal?.throwIfAborted()
    const bytes = files.reduce((sum, index) => sum + planned.plan.files[index]!.bytes, 0)
    const going = files.map((index) => ({
      path: state.files.table.paths[planned.rows[index]!]!,
      bytes: planned.plan.files[index]!.bytes,
    }))
    const left = { files: going, bytes, addedFileCount: 0, addedBytes: 0 }
    if (bytesDone + bytes > bytesMax) groups.push({ status: 'over_budget', ...left })
    else if (dryRun) groups.push({ status: 'planned', ...left })
    else {
      const done = await rewriteGroup(table, { state, planned, files, options }, signal)
      groups.push({ ...left, ...done })
      version = Math.max(version, done.version)
    }
    if (groups.at(-1)!.status !== 'over_budget') bytesDone += bytes
    onProgress?.({ groupsDone: groups.length, groupCount: candidates.length, bytesDone })
  }
  const isCommitted = groups.some((group) => group.status === 'committed')
  return { status: dryRun ? 'planned' : isCommitted ? 'committed' : 'unchanged', version, groups }
}

function checkOptions(
  { sortBy, zOrderBy }: OptimizeOptions,
  schema: TableSchema,
  plan: ScanPlan,
  tableKey: string,
): void {
  const problems: string[] = []
  if (plan.residual !== undefined)
    problems.push('the predicate must be over partition columns, because files are written whole')
  if (sortBy !== undefined && zOrderBy !== undefined)
    problems.push('rows are laid either by sorting or along a Z-order curve')
  if ((zOrderBy?.length ?? 0) > Z_COLUMN_COUNT_MAX)
    problems.push(`a Z-order curve has at most ${Z_COLUMN_COUNT_MAX} columns`)
  for (const name of [...(sortBy ?? []), ...(zOrderBy ?? [])])
    if (schema.partitionColumns.some((column) => column.name === name))
      problems.push(`${name} is the same throughout a file, because the table is partitioned by it`)
    else if (!schema.columns.some((column) => column.name === name))
      problems.push(`there is no column ${name}`)
  if (problems.length > 0) throw new TableMismatchError(`Optimizing ${tableKey}`, problems)
}

/** Places in the plan of files that are written together, all of one partition. Pure. */
function groupsOf(
  { files: { table } }: LogState,
  { plan, rows }: PlannedFiles,
  options: OptimizeOptions,
): number[][] {
  const { fileBytesTarget = DEFAULT_FILE_BYTES_TARGET, fileCountMin = 2 } = options
  const laysRows = options.sortBy !== undefined || options.zOrderBy !== undefined
  const partitions = new Map<number, number[]>()
  for (const [index, row] of rows.entries()) {
    const { bytes, rowCount } = plan.files[index]!
    const deleted = table.deletionVectors.get(row)?.cardinality ?? 0
    const hasLostMuch = rowCount !== undefined && deleted >= DELETED_SHARE * rowCount && deleted > 0
    if (!laysRows && bytes >= FULL_SHARE * fileBytesTarget && !hasLostMuch) continue
    const id = table.partitionIds[row]!
    partitions.set(id, [...(partitions.get(id) ?? []), index])
  }
  if (laysRows) return [...partitions.values()]
  return [...partitions.values()].flatMap((indexes) =>
    packed(indexes, (index) => plan.files[index]!.bytes, fileBytesTarget).filter(
      (bin) =>
        bin.length >= fileCountMin ||
        bin.some((index) => table.deletionVectors.has(rows[index]!) && plan.files[index]!.rowCount),
    ),
  )
}

/** In the order given, which is the order of commits: rows that came together stay together. */
function packed(
  items: readonly number[],
  sizeOf: (item: number) => number,
  target: number,
): number[][] {
  const bins: number[][] = []
  let size = Number.POSITIVE_INFINITY
  for (const item of items) {
    if (size + sizeOf(item) > target) {
      bins.push([])
      size = 0
    }
    bins.at(-1)!.push(item)
    size += sizeOf(item)
  }
  return bins
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
