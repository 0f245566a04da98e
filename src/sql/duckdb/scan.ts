import { type ColumnType, holdsBytes } from '../../model/column.ts'
import { assert } from '../../model/errors.ts'
import {
  type ComparisonOperator,
  conjuncts,
  type Predicate,
  type Scalar,
  type Value,
} from '../../model/predicate.ts'
import type { FileSource, ScanColumn, ScanFile, ScanPlan } from '../../model/scan-plan.ts'
import { literalSql } from './literal.ts'
import { quoteIdentifier, quotePath, quoteText } from './quote-identifier.ts'
import { readableFile } from './remote-files.ts'
import { duckdbType } from './type-mapping.ts'

/**
 * A scan plan as one DuckDB query. The data files are one `read_parquet` with the schema given, so that DuckDB opens
 * no file before it must, and pushes filters down; what is constant per file is looked up by `file_index` (partition values), or joined by it
 * (deleted rows).
 *
 * Not for plans that find nested columns by id, or delete rows by value, as Iceberg's may: `compileScan` (`scan-by-id.ts`) does for all, and
 * is what others call. The session's `TimeZone` must be `UTC`: old files hold timestamps without a zone, and the cast to `TIMESTAMPTZ`
 * takes the session's.
 */
export function scanSql(plan: ScanPlan): string {
  return compiledSql(plan, [])
}

/** Whether files must be looked into before they can be read right. */
export function needsFooters({
  matchBy,
  columns,
  residualColumns,
  equalityDeletes = [],
}: ScanPlan) {
  if (matchBy !== 'field_id') return false
  return (
    equalityDeletes.length > 0 ||
    [...columns, ...residualColumns].some(
      ({ source }) =>
        source.kind === 'file' &&
        (source.names !== undefined ||
          source.children !== undefined ||
          source.missingPartition !== undefined),
    )
  )
}

/** Where a row is: the place of its file, and its index in the file. No column can have these names without column mapping. */
export const FILE_COLUMN = 'mekong file'
export const ROW_COLUMN = 'mekong row'

/**
 * The same with `FILE_COLUMN` and `ROW_COLUMN` beside the plan's columns. `fileNumbers` says what each of the plan's files counts as;
 * by default its own place.
 */
export function scanPlacesSql(plan: ScanPlan, fileNumbers?: readonly number[]): string {
  if (plan.files.length === 0)
    return compiledSql(plan, [
      `NULL::BIGINT AS ${quoteIdentifier(FILE_COLUMN)}`,
      `NULL::BIGINT AS ${quoteIdentifier(ROW_COLUMN)}`,
    ])
  const index = `${FILES}.file_index`
  const number =
    fileNumbers === undefined || fileNumbers.every((at, place) => at === place)
      ? `${index}::BIGINT`
      : `([${fileNumbers.join(', ')}]::BIGINT[])[${index}::BIGINT + 1]`
  return compiledSql(plan, [
    `${number} AS ${quoteIdentifier(FILE_COLUMN)}`,
    `${FILES}.file_row_number AS ${quoteIdentifier(ROW_COLUMN)}`,
  ])
}

function compiledSql(plan: ScanPlan, places: readonly string[]): string {
  assert(
    plan.files.length === 0 || !needsFooters(plan),
    `the files of ${plan.table} are looked into before they are read`,
  )
  const all = [...plan.columns, ...plan.residualColumns]
  const rows = plan.files.length === 0 ? emptySql(all, places) : filesSql(plan, all, places)
  if (plan.residual === undefined) return rows
  const names = plan.columns.map(({ name }) => quoteIdentifier(name))
  if (places.length > 0) names.push(quoteIdentifier(FILE_COLUMN), quoteIdentifier(ROW_COLUMN))
  const shown = names.length === 0 ? '1' : names.join(', ')
  return `SELECT ${shown} FROM (${rows}) WHERE ${predicateSql(plan.residual)}`
}

export function emptySql(columns: readonly ScanColumn[], places: readonly string[] = []): string {
  const nulls = columns.map(
    ({ name, type }) => `NULL::${duckdbType(type)} AS ${quoteIdentifier(name)}`,
  )
  nulls.push(...places)
  return `SELECT ${nulls.length === 0 ? '1' : nulls.join(', ')} WHERE false`
}

/** Names of our own inside the query; no column of the table is visible under them. */
export const FILES = '"mekong files"'
const PARTITIONS = '"mekong partitions"'
const DELETED = '"mekong deleted"'
const BITS = '"mekong bits"'

function filesSql(
  plan: ScanPlan,
  columns: readonly ScanColumn[],
  places: readonly string[],
): string {
  const partitions = partitionCells(plan.files, columns)
  const outputs = columns.map(
    (column) => `${outputSql(column, partitions)} AS ${quoteIdentifier(column.name)}`,
  )
  outputs.push(...places)
  const { joins, conditions } = deletionSql(plan.files)
  conditions.push(...boundedSql(plan, columns))
  return [
    `SELECT ${outputs.length === 0 ? '1' : outputs.join(', ')}`,
    `FROM ${readSql(plan, columns)} AS ${FILES}`,
    ...partitions.joins,
    ...joins,
    ...(conditions.length === 0 ? [] : [`WHERE ${conditions.join(' AND ')}`]),
  ].join(' ')
}

function outputSql(column: ScanColumn, partitions: PartitionCells): string {
  const { type, source } = column
  if (source.kind === 'partition') return partitions.cellSql(source.index, type)
  const cell = cellSql(source)
  return mayHideNan(column) ? withoutBounds(cell) : renamedSql(cell, source.physicalType, type)
}

const cellSql = ({ physicalName }: FileSource) =>
  `${FILES}.${quoteIdentifier(fileColumnName(physicalName))}`

/**
 * Whether DuckDB, going by a file's own bounds of the column, could pass over a NaN. Floats inside structs are safe where the schema is
 * given: their bounds are not looked at.
 */
const mayHideNan = ({ type, source }: ScanColumn): boolean =>
  source.kind === 'file' &&
  source.hasSafeBounds !== true &&
  (type === 'float32' || type === 'float64')

/** The same value as an expression, behind which DuckDB does not look at bounds. Nothing else is as cheap and keeps -0 and null. */
export const withoutBounds = (cell: string): string => `greatest(${cell}, ${cell})`

/**
 * The parts of the residual that bounds without NaN cannot lead astray, on the bare columns, so that files are still passed over: NaN
 * is above all numbers, so nothing that asks for small ones misses it. The residual stands all the same.
 */
function boundedSql(plan: ScanPlan, columns: readonly ScanColumn[]): string[] {
  if (plan.residual === undefined) return []
  return conjuncts(plan.residual).flatMap((part) => {
    if (part.kind !== 'compare' || !['<', '<=', '='].includes(part.op)) return []
    if (part.column.length > 1 || Number.isNaN(part.value.value)) return []
    const column = columns.find(({ name }) => name === part.column[0])
    if (column?.source.kind !== 'file' || !mayHideNan(column)) return []
    return [`${cellSql(column.source)} ${part.op} ${literalSql(part.value.value, part.value.type)}`]
  })
}

/** Apart from any name the virtual columns (`file_index`, `filename`, …) have. */
const fileColumnName = (physicalName: string) => `f ${physicalName}`

function readSql(plan: ScanPlan, columns: readonly ScanColumn[]): string {
  const entries = columns.flatMap(({ source }) => {
    if (source.kind !== 'file') return []
    const { physicalName, physicalType, fieldId, missing } = source
    const key = plan.matchBy === 'field_id' ? String(fieldId) : quoteText(physicalName)
    const fallback = missing === undefined ? 'NULL' : literalSql(missing, physicalType)
    return [
      `${key}: {name: ${quoteText(fileColumnName(physicalName))}, ` +
        `type: ${quoteText(duckdbType(physicalType))}, default_value: ${fallback}}`,
    ]
  })
  // Without any column DuckDB would take the first file's schema and demand it of all others.
  if (entries.length === 0)
    entries.push(
      `${plan.matchBy === 'field_id' ? '-1' : "'mekong none'"}: {name: 'f none', type: 'BOOLEAN', default_value: NULL}`,
    )
  const locations = plan.files.map((file) => readableFile(file.location))
  return (
    `read_parquet([${locations.join(', ')}], schema=MAP {${entries.join(', ')}}, ` +
    `hive_partitioning=false, explicit_cardinality=${rowCountEstimate(plan)}${bytesOption(columns)})`
  )
}

/**
 * Some writers (ClickHouse into Delta, old ones of Hive and Impala) do not mark text as text, which DuckDB then takes for bytes and gives
 * back escaped. It has one switch for all columns, so text beside bytes is as marked.
 */
const bytesOption = (columns: readonly ScanColumn[]) =>
  columns.some(({ type }) => holdsBytes(type)) ? '' : ', binary_as_string=true'

/** Bytes of a row where nothing better is known. */
const ROW_BYTES = 64

/** With the schema given, DuckDB opens no file to plan, takes each for a thousand rows, and would join on the wrong side. */
const rowCountEstimate = ({ files }: ScanPlan) =>
  files.reduce((sum, file) => sum + (file.rowCount ?? Math.ceil(file.bytes / ROW_BYTES)), 1)

/** How partition values come out beside the rows of their files. */
export interface PartitionCells {
  /** The value of a partition column, by its place among them. */
  cellSql(index: number, type: ColumnType): string
  readonly joins: readonly string[]
}

/** Longer lists take DuckDB longer to make than a join does. */
const LISTED_FILES_MAX = 1_000

/**
 * Values that files have in common, one for each file, in the order of `files`. A list that is looked up by the file's index costs nothing for a row, and lets DuckDB
 * pass over files by the value; a join costs as much as reading a column, and passes over none.
 */
export function partitionCells(
  files: readonly ScanFile[],
  columns: readonly ScanColumn[],
): PartitionCells {
  const literals = (index: number, type: ColumnType) =>
    files.map(({ partitionValues }) => literalSql(partitionValues[index] ?? null, type))
  const used = columns.flatMap(({ source, type }) =>
    source.kind === 'partition' ? [{ index: source.index, type }] : [],
  )
  if (used.length === 0 || files.length <= LISTED_FILES_MAX)
    return {
      cellSql: (index, type) =>
        `([${literals(index, type).join(', ')}]::${duckdbType(type)}[])[${FILES}.file_index::BIGINT + 1]`,
      joins: [],
    }
  const values = used.map(({ index, type }) => literals(index, type))
  const rows = files.map((_, file) => `(${[file, ...values.map((of) => of[file])].join(', ')})`)
  const names = ['i', ...used.map(({ index }) => `p${index}`)]
  return {
    cellSql: (index) => `${PARTITIONS}.p${index}`,
    joins: [
      `JOIN (VALUES ${rows.join(', ')}) AS ${PARTITIONS}(${names.join(', ')})`,
      `ON ${PARTITIONS}.i = ${FILES}.file_index`,
    ],
  }
}

/**
 * Rows that are gone. Few in a big file go as a list that is anti-joined; many go as a bitmap that is looked up,
 * because a list of a million numbers is slow to parse. Whichever is the shorter text.
 */
export function deletionSql(files: readonly ScanFile[]): { joins: string[]; conditions: string[] } {
  const listed: string[] = []
  const bitmaps: string[] = []
  for (const [file, { deletedRows }] of files.entries()) {
    if (deletedRows === undefined || deletedRows.positions.length === 0) continue
    const { positions } = deletedRows
    const bitmapCharacters = positions.at(-1)! / 6
    const listCharacters = positions.length * (String(positions.at(-1)!).length + 6)
    if (bitmapCharacters < listCharacters)
      bitmaps.push(`(${file}, from_base64('${bitmapOf(positions).toString('base64')}')::BIT)`)
    else for (const position of positions) listed.push(`(${file}, ${position})`)
  }
  const joins: string[] = []
  const conditions: string[] = []
  if (listed.length > 0)
    joins.push(
      `ANTI JOIN (VALUES ${listed.join(', ')}) AS ${DELETED}(i, r)`,
      `ON ${DELETED}.i = ${FILES}.file_index AND ${DELETED}.r = ${FILES}.file_row_number`,
    )
  if (bitmaps.length > 0) {
    const row = `${FILES}.file_row_number`
    joins.push(
      `LEFT JOIN (VALUES ${bitmaps.join(', ')}) AS ${BITS}(i, bits)`,
      `ON ${BITS}.i = ${FILES}.file_index`,
    )
    conditions.push(
      `(CASE WHEN ${BITS}.bits IS NULL OR ${row} >= bit_length(${BITS}.bits) THEN true ` +
        `ELSE get_bit(${BITS}.bits, ${row}::INTEGER) = 0 END)`,
    )
  }
  return { joins, conditions }
}

/** Bit `n`, counted from the highest of the first byte, stands for row `n`. */
function bitmapOf(positions: Float64Array): Buffer {
  const bits = Buffer.alloc(Math.floor(positions.at(-1)! / 8) + 1)
  for (const position of positions) bits[Math.floor(position / 8)]! |= 0x80 >> (position % 8)
  return bits
}

/** A nested value with the field names of `to` instead of those of `from`; the two differ in names only. */
export function renamedSql(cell: string, from: ColumnType, to: ColumnType): string {
  if (typeof from === 'string' || typeof to === 'string') return cell
  if (JSON.stringify(from) === JSON.stringify(to)) return cell
  if (from.kind === 'struct' && to.kind === 'struct') {
    const fields = to.columns.map((column, index) => {
      const source = from.columns[index]!
      const inner = renamedSql(
        `(${cell}).${quoteIdentifier(source.name)}`,
        source.type,
        column.type,
      )
      return `${quoteIdentifier(column.name)} := ${inner}`
    })
    return `CASE WHEN ${cell} IS NULL THEN NULL ELSE struct_pack(${fields.join(', ')}) END`
  }
  if (from.kind === 'list' && to.kind === 'list')
    return `list_transform(${cell}, lambda e: ${renamedSql('e', from.element, to.element)})`
  if (from.kind === 'map' && to.kind === 'map') {
    const key = renamedSql('e.key', from.key, to.key)
    const value = renamedSql('e.value', from.value, to.value)
    return `map_from_entries(list_transform(map_entries(${cell}), lambda e: {key: ${key}, value: ${value}}))`
  }
  return cell
}

/** A predicate over columns by their names, below `of` where one is given: `"target"."a"`. */
export function predicateSql(predicate: Predicate, of: readonly string[] = []): string {
  const at = (column: readonly string[]) => [...of, ...column]
  switch (predicate.kind) {
    case 'and':
    case 'or': {
      if (predicate.of.length === 0) return predicate.kind === 'and' ? 'true' : 'false'
      const parts = predicate.of.map((part) => `(${predicateSql(part, of)})`)
      return parts.join(predicate.kind === 'and' ? ' AND ' : ' OR ')
    }
    case 'not':
      return `NOT (${predicateSql(predicate.of, of)})`
    case 'is_null':
      return `${quotePath(at(predicate.column))} IS NULL`
    case 'compare':
      return comparisonSql(at(predicate.column), predicate.op, predicate.value)
    case 'in': {
      if (predicate.values.length === 0)
        return `${quotePath(at(predicate.column))} IS NULL AND NULL`
      const values = predicate.values.map(({ value, type }) => literalSql(value, type))
      return `${quotePath(at(predicate.column))} IN (${values.join(', ')})`
    }
  }
}

const comparisonSql = (column: readonly string[], op: ComparisonOperator, value: Value) =>
  `${quotePath(column)} ${op} ${literalSql(value.value as Scalar, value.type)}`
