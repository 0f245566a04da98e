import { type ColumnType, holdsFloats } from '../../model/column.ts'
import type { ObjectStore } from '../../model/object-store.ts'
import {
  type ColumnPath,
  columnsIn,
  conjuncts,
  type Predicate,
  pathsIn,
  type Scalar,
} from '../../model/predicate.ts'
import type { DeletedRows, ScanColumn, ScanFile, ScanPlan } from '../../model/scan-plan.ts'
import { TableMismatchError } from '../errors.ts'
import { type BoundsOf, type ColumnBounds, mayMatch, surelyMatches } from '../file-skipping.ts'
import type { ParquetPort } from '../parquet-port.ts'
import type { AddAction, DeletionVectorDescriptor, PartitionValues } from './actions.ts'
import { readDeletionVector } from './deletion-vector.ts'
import { boundsFromStats } from './file-bounds.ts'
import { type FileStatistics, knownStatistics, loadStatistics } from './file-statistics.ts'
import { liveRows } from './file-table.ts'
import type { LogState } from './log-state.ts'
import { isOwnFile } from './own-file.ts'
import { partitionScalar } from './partition-value.ts'
import { fileLocator } from './table-path.ts'
import { type ResolvedColumn, resolvePath, type TableSchema } from './table-schema.ts'

/** Deletion vectors fetched at once. */
const VECTOR_CONCURRENCY = 16

export interface ScanOptions {
  /** Rows wanted. Default: all. */
  readonly predicate?: Predicate
  /** Columns wanted, by name. Default: all, in the table's order. */
  readonly columns?: readonly string[]
}

export interface ScanContext {
  readonly store: ObjectStore
  readonly parquet: ParquetPort
  readonly tableKey: string
  readonly state: LogState
  readonly schema: TableSchema
}

/**
 * Which files to read for a scan, and what of them. Files are ruled out by partition values first, then by
 * statistics; reads deletion vectors of the chosen files, and nothing else.
 *
 * @throws TableMismatchError when a column is unknown or a value has another type
 * @throws TableBrokenError when a partition value or deletion vector is damaged
 */
export async function planScan(
  context: ScanContext,
  options: ScanOptions = {},
  signal?: AbortSignal,
): Promise<ScanPlan> {
  return (await planFiles(context, options, signal)).plan
}

/** A plan, and what the table knows of its files. */
export interface PlannedFiles {
  readonly plan: ScanPlan
  /** The row of the file table behind each of the plan's files. */
  readonly rows: readonly number[]
  /** For each file, whether the predicate is true for all of its rows. */
  readonly isSure: readonly boolean[]
}

/** As `planScan`, for those who change the files. */
export async function planFiles(
  context: ScanContext,
  options: ScanOptions = {},
  signal?: AbortSignal,
): Promise<PlannedFiles> {
  const { state, schema, tableKey } = context
  const columns = projected(schema, options.columns, tableKey)
  const wanted = (options.predicate === undefined ? [] : conjuncts(options.predicate)).map(
    (part) => ({ part, columns: resolveColumns(part, schema, tableKey) }),
  )
  const judge = { ...context, statistics: await statisticsFor(context, wanted, signal) }
  const rows = chooseRows(judge, wanted)
  const unsettled = wanted.filter((part) => !isSettled(judge, part, rows))
  const sure = unsettled.map((part) => ({ part: part.part, boundsAt: fileBounds(judge, part) }))
  const residual =
    unsettled.length === 0
      ? undefined
      : ({ kind: 'and', of: unsettled.map(({ part }) => part) } as const)
  const { paths } = state.files.table
  const safe = rows.every((row) => isOwnFile(paths[row]!)) ? withSafeBounds : asTheyAre
  const plan = {
    table: tableKey,
    version: String(state.version),
    columns: safe(columns),
    residualColumns: safe(residual === undefined ? [] : hiddenColumns(residual, columns, schema)),
    matchBy: schema.mapping === 'id' ? ('field_id' as const) : ('name' as const),
    files: await scanFiles(judge, rows, signal),
    residual,
  }
  const isSure = rows.map((row) =>
    sure.every(({ part, boundsAt }) => surelyMatches(part, boundsAt(row))),
  )
  return { plan, rows, isSure }
}

const asTheyAre = (columns: readonly ScanColumn[]) => columns

const withSafeBounds = (columns: readonly ScanColumn[]): readonly ScanColumn[] =>
  columns.map((column) =>
    column.source.kind === 'file' && holdsFloats(column.type)
      ? { ...column, source: { ...column.source, hasSafeBounds: true } }
      : column,
  )

/** Whether a file that is not in the state may hold rows that a predicate is true for. */
export function mayAddMatch(
  context: Pick<ScanContext, 'schema' | 'tableKey'>,
  predicate: Predicate,
): (add: Pick<AddAction, 'partitionValues' | 'stats'>) => boolean {
  const columns = resolveColumns(predicate, context.schema, context.tableKey)
  return ({ partitionValues, stats }) =>
    mayMatch(predicate, (path) => {
      const column = columns.get(path)!
      return column.partitionIndex === undefined
        ? boundsFromStats(stats ?? null, column)
        : boundsOfPartition(partitionValues, column, context.tableKey)
    })
}

/** Rows in a snapshot, deleted ones subtracted; `undefined` when some file has no statistics. */
export async function countRows(
  { store, parquet, state }: ScanContext,
  signal?: AbortSignal,
): Promise<number | undefined> {
  const { table } = state.files
  const statistics = await loadStatistics({ store, parquet }, table, [], signal)
  let count = 0
  for (const row of liveRows(state.files)) {
    const inFile = statistics.rowCountOf(row)
    if (inFile === undefined) return undefined
    count += inFile - (table.deletionVectors.get(row)?.cardinality ?? 0)
  }
  return count
}

/** A context with the statistics at hand that the predicate needs. */
interface Judge extends ScanContext {
  readonly statistics: FileStatistics
}

/** Nothing is fetched for a predicate that partitions alone decide. */
async function statisticsFor(
  { store, parquet, state }: ScanContext,
  wanted: readonly WantedPart[],
  signal: AbortSignal | undefined,
): Promise<FileStatistics> {
  const columns = wanted
    .filter((part) => !isOnPartitions(part))
    .flatMap((part) => [...part.columns.values()])
    .filter((column) => column.partitionIndex === undefined)
  const { table } = state.files
  return columns.length === 0
    ? knownStatistics(table)
    : loadStatistics({ store, parquet }, table, columns, signal)
}

/** A conjunct, with the columns behind its very path objects. */
interface WantedPart {
  readonly part: Predicate
  readonly columns: ReadonlyMap<ColumnPath, ResolvedColumn>
}

function chooseRows(context: Judge, wanted: readonly WantedPart[]): number[] {
  const { files } = context.state
  const onPartitions = wanted.filter(isOnPartitions)
  const onStats = wanted
    .filter((part) => !isOnPartitions(part))
    .map((part) => ({ part: part.part, boundsAt: fileBounds(context, part) }))
  const keeps = files.table.partitions.map((_, id) =>
    onPartitions.every((part) => mayMatch(part.part, partitionBounds(context, part, id))),
  )
  const rows: number[] = []
  for (const row of liveRows(files)) {
    if (!keeps[files.table.partitionIds[row]!]) continue
    if (onStats.every(({ part, boundsAt }) => mayMatch(part, boundsAt(row)))) rows.push(row)
  }
  return rows
}

const isOnPartitions = ({ columns }: WantedPart) =>
  [...columns.values()].every((column) => column.partitionIndex !== undefined)

/** Whether a part of the predicate holds for every row of the chosen files, so that nobody need test it again. */
function isSettled(context: Judge, part: WantedPart, rows: readonly number[]): boolean {
  if (isOnPartitions(part)) {
    const ids = new Set(rows.map((row) => context.state.files.table.partitionIds[row]!))
    return [...ids].every((id) => surelyMatches(part.part, partitionBounds(context, part, id)))
  }
  const boundsAt = fileBounds(context, part)
  return rows.every((row) => surelyMatches(part.part, boundsAt(row)))
}

function partitionBounds(context: ScanContext, { columns }: WantedPart, id: number): BoundsOf {
  return (path) => partitionBoundsOf(context, columns.get(path)!, id)
}

/** Bounds by row. The look-up of each column is made once, because there may be a hundred thousand rows. */
function fileBounds(context: Judge, { columns }: WantedPart): (row: number) => BoundsOf {
  const { table } = context.state.files
  const lookUps = new Map<ColumnPath, (row: number) => ColumnBounds | undefined>()
  for (const [path, column] of columns)
    lookUps.set(
      path,
      column.partitionIndex === undefined
        ? context.statistics.boundsOf(column)
        : (row) => partitionBoundsOf(context, column, table.partitionIds[row]!),
    )
  return (row) => (path) => lookUps.get(path)!(row)
}

function partitionBoundsOf(
  { state, tableKey }: ScanContext,
  column: ResolvedColumn,
  id: number,
): ColumnBounds {
  return boundsOfPartition(state.files.table.partitions[id]!, column, tableKey)
}

function boundsOfPartition(
  values: PartitionValues,
  column: ResolvedColumn,
  tableKey: string,
): ColumnBounds {
  const value = partitionScalar(values[column.path[0]!], column.type, tableKey)
  return value === null
    ? { mayBeNull: true, mayBeValue: false }
    : { min: value, max: value, mayBeNull: false, mayBeValue: true }
}

function resolveColumns(
  part: Predicate,
  schema: TableSchema,
  table: string,
): ReadonlyMap<ColumnPath, ResolvedColumn> {
  const problems: string[] = []
  const found = new Map<ColumnPath, ResolvedColumn>()
  for (const path of pathsIn(part)) {
    const column = resolvePath(schema, path)
    if (column === undefined) problems.push(`there is no column ${path.join('.')}`)
    else found.set(path, column)
  }
  checkValues(part, found, problems)
  if (problems.length > 0) throw new TableMismatchError(`Planning a scan of ${table}`, problems)
  return found
}

/** Values must compare with their columns; what width a number has does not matter. */
function checkValues(
  part: Predicate,
  columns: ReadonlyMap<ColumnPath, ResolvedColumn>,
  problems: string[],
): void {
  if (part.kind === 'and' || part.kind === 'or') {
    for (const inner of part.of) checkValues(inner, columns, problems)
  } else if (part.kind === 'not') {
    checkValues(part.of, columns, problems)
  } else if (part.kind !== 'is_null') {
    const column = columns.get(part.column)
    const values = part.kind === 'in' ? part.values : [part.value]
    for (const value of values)
      if (column !== undefined && comparableAs(value.type) !== comparableAs(column.type))
        problems.push(
          `${part.column.join('.')} is ${comparableAs(column.type)}, not ${comparableAs(value.type)}`,
        )
  }
}

function comparableAs(type: ColumnType): string {
  if (typeof type !== 'string')
    return type.kind === 'decimal' ? `a decimal with scale ${type.scale}` : `a ${type.kind}`
  if (type.startsWith('int')) return 'an integer'
  return type.startsWith('float') ? 'a float' : `a ${type}`
}

function projected(
  schema: TableSchema,
  names: readonly string[] | undefined,
  table: string,
): ScanColumn[] {
  if (names === undefined) return [...schema.scanColumns]
  const problems: string[] = []
  const columns: ScanColumn[] = []
  for (const name of names) {
    const column = schema.scanColumns.find((candidate) => candidate.name === name)
    if (column === undefined) problems.push(`there is no column ${name}`)
    else columns.push(column)
  }
  if (problems.length === 0) return columns
  const known = schema.scanColumns.map((column) => column.name).join(', ')
  throw new TableMismatchError(`Planning a scan of ${table}`, [...problems, `it has ${known}`])
}

function hiddenColumns(
  residual: Predicate,
  columns: readonly ScanColumn[],
  schema: TableSchema,
): ScanColumn[] {
  const shown = new Set(columns.map((column) => column.name))
  const needed = new Set(columnsIn(residual).map((path) => path[0]!))
  return schema.scanColumns.filter(({ name }) => needed.has(name) && !shown.has(name))
}

async function scanFiles(
  context: Judge,
  rows: readonly number[],
  signal: AbortSignal | undefined,
): Promise<ScanFile[]> {
  const { store, tableKey, state, schema } = context
  const { table } = state.files
  const vectors = await readVectors(context, rows, signal)
  const locate = fileLocator(tableKey, store)
  const valuesOf = new Map<number, readonly (Scalar | null)[]>()
  return rows.map((row) => {
    const id = table.partitionIds[row]!
    let partitionValues = valuesOf.get(id)
    if (partitionValues === undefined) {
      const texts = table.partitions[id]!
      partitionValues = schema.partitionColumns.map(({ physicalName, type }) =>
        partitionScalar(texts[physicalName], type, tableKey),
      )
      valuesOf.set(id, partitionValues)
    }
    const deletedRows = vectors.get(row)
    return {
      location: locate(table.paths[row]!),
      bytes: table.sizes[row]!,
      rowCount: context.statistics.rowCountOf(row),
      partitionValues,
      ...(deletedRows === undefined ? {} : { deletedRows }),
    }
  })
}

async function readVectors(
  { store, tableKey, state }: ScanContext,
  rows: readonly number[],
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<number, DeletedRows>> {
  const { deletionVectors } = state.files.table
  const found = new Map<number, DeletedRows>()
  if (deletionVectors.size === 0) return found
  const wanted: [number, DeletionVectorDescriptor][] = []
  for (const row of rows) {
    const descriptor = deletionVectors.get(row)
    if (descriptor !== undefined) wanted.push([row, descriptor])
  }
  for (let start = 0; start < wanted.length; start += VECTOR_CONCURRENCY)
    await Promise.all(
      wanted.slice(start, start + VECTOR_CONCURRENCY).map(async ([row, descriptor]) => {
        found.set(row, await readDeletionVector(store, tableKey, descriptor, signal))
      }),
    )
  return found
}
