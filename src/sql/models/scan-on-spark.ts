import path from 'node:path'
import { type ColumnType, holdsFloats } from '../../model/column.ts'
import type {
  FileField,
  FileSource,
  ScanColumn,
  ScanFile,
  ScanPlan,
} from '../../model/scan-plan.ts'
import { literalSql } from '../duckdb/literal.ts'
import { quoteIdentifier, quoteText } from '../duckdb/quote-identifier.ts'
import { predicateSql } from '../duckdb/scan.ts'
import { quoted } from '../spark/words.ts'

// A scan plan read by Spark where the files lie, at the version that the run has fixed: the same files, columns, partition values and deleted rows
// that DuckDB would take. In: the plan. Out: a view over the files, and a statement over it in DuckDB's dialect, which is translated like any
// other. Whatever Spark would not read as exactly is not read so: `undefined`, and the rows are handed over instead.

export interface SparkScan {
  /** Absolute. */
  readonly paths: readonly string[]
  /** Spark's JSON of the columns to take from the files. */
  readonly schema: string
  /** Expressions of Spark's over these columns. */
  readonly columns: readonly string[]
  /** Columns are found by their ids. */
  readonly byFieldId: boolean
  /** Bounds in the files say nothing about NaN in a column. */
  readonly mistrustsBounds: boolean
  /** Small relations to hand over beside the files, as DuckDB's SQL, by name. */
  readonly beside: ReadonlyMap<string, string>
  /** The rows, in DuckDB's dialect, over the view of the files, which `name` names, and what is beside them. */
  readonly sql: string
}

const FILE = 'mekong_file'
const ROW = 'mekong_row'
const VALUE = 'mekong_value_'
/** More of them are quicker handed over as rows that are there than as places of those that are not. */
const DELETED_COUNT_MAX = 500_000
/** Spark takes other characters of a path as patterns, or writes them otherwise when it says where a row is from. */
const PLAIN_PATH = /^\/[\w./=+@-]*$/

/** How Spark reads a plan where it lies, under a name of its own; `undefined` when that would not be exact. */
export function sparkScan(plan: ScanPlan, name: string): SparkScan | undefined {
  const { files, matchBy, residual } = plan
  const columns = [...plan.columns, ...plan.residualColumns]
  const byFieldId = matchBy === 'field_id'
  if (files.length === 0 || !files.every(isPlain) || !haveNames(files)) return undefined
  if (!columns.every(({ source }) => source.kind === 'partition' || isSayable(source, byFieldId)))
    return undefined
  const deletedCount = files.reduce(
    (sum, { deletedRows }) => sum + (deletedRows?.positions.length ?? 0),
    0,
  )
  if (deletedCount > DELETED_COUNT_MAX) return undefined
  const fields = columns.flatMap((column) =>
    column.source.kind === 'file' ? [{ column, source: column.source }] : [],
  )
  const beside = new Map<string, string>()
  const joins: string[] = []
  const constants = columns.flatMap(constantOf)
  if (constants.length > 0) {
    beside.set(`${name}__constants`, constantsSql(files, constants))
    joins.push(`JOIN ${name}__constants USING (${FILE})`)
  }
  if (deletedCount > 0) {
    beside.set(`${name}__deleted`, deletedSql(files))
    joins.push(`ANTI JOIN ${name}__deleted USING (${FILE}, ${ROW})`)
  }
  const names = plan.columns.map((column) => quoteIdentifier(column.name)).join(', ')
  const rows = `SELECT ${columns.map(cellOf).join(', ')} FROM ${name} ${joins.join(' ')}`
  return {
    paths: files.map(({ location }) => location),
    schema: JSON.stringify({
      type: 'struct',
      fields: fields.map(({ column, source }) => sparkField(column, source, byFieldId)),
    }),
    columns: [
      ...fields.map(({ column, source }) => outputOf(column, source, byFieldId)),
      `_metadata.file_name AS ${FILE}`,
      `_metadata.row_index AS ${ROW}`,
    ],
    byFieldId,
    mistrustsBounds: fields.some(
      ({ column, source }) => holdsFloats(column.type) && source.hasSafeBounds !== true,
    ),
    beside,
    sql:
      residual === undefined
        ? rows
        : `SELECT ${names} FROM (${rows}) WHERE ${predicateSql(residual)}`,
  }
}

/** A file on this disk whose rows are told by their places alone, and that Spark does not take for hidden. */
const isPlain = ({ location, equalityDeletes = [] }: ScanFile) =>
  equalityDeletes.length === 0 &&
  PLAIN_PATH.test(location) &&
  !/^[._]/.test(path.basename(location))

/** Whether the names of files tell them apart. */
const haveNames = (files: readonly ScanFile[]) =>
  new Set(files.map(({ location }) => path.basename(location))).size === files.length

/** Spark makes columns that a file lacks null, and finds them by id alone or by name alone. */
const isSayable = (source: FileSource, byFieldId: boolean): boolean =>
  source.missing === undefined &&
  (!byFieldId || (source.names === undefined && (source.children ?? []).every(hasIdAlone)))

const hasIdAlone = ({ names, missing, children = [] }: FileField): boolean =>
  names === undefined && missing === undefined && children.every(hasIdAlone)

interface Constant {
  /** Among the values of a file. */
  readonly index: number
  readonly type: ColumnType
}

/** What a column takes from the values that a file has as a whole. */
function constantOf({ source, type }: ScanColumn): Constant[] {
  const index = source.kind === 'partition' ? source.index : source.missingPartition
  return index === undefined ? [] : [{ index, type }]
}

/** A file that lacks the column has one value for all of its rows; in others the value of a row counts, which is then the same. */
function cellOf(column: ScanColumn): string {
  const name = quoteIdentifier(column.name)
  const [constant] = constantOf(column)
  if (constant === undefined) return name
  const value = `${VALUE}${constant.index}`
  return `${column.source.kind === 'partition' ? value : `coalesce(${name}, ${value})`} AS ${name}`
}

function constantsSql(files: readonly ScanFile[], constants: readonly Constant[]): string {
  const own = [...new Map(constants.map((constant) => [constant.index, constant])).values()]
  const rows = files.map(({ location, partitionValues }) => {
    const values = own.map(({ index, type }) => literalSql(partitionValues[index] ?? null, type))
    return `(${[quoteText(path.basename(location)), ...values].join(', ')})`
  })
  const names = [FILE, ...own.map(({ index }) => `${VALUE}${index}`)]
  return `FROM (VALUES ${rows.join(', ')}) AS constants(${names.join(', ')})`
}

const deletedSql = (files: readonly ScanFile[]): string =>
  files
    .flatMap(({ location, deletedRows }) =>
      deletedRows === undefined || deletedRows.positions.length === 0
        ? []
        : [
            `SELECT ${quoteText(path.basename(location))} AS ${FILE}, unnest([${deletedRows.positions.join(', ')}]::BIGINT[]) AS ${ROW}`,
          ],
    )
    .join(' UNION ALL ')

interface SparkField {
  readonly name: string
  readonly type: unknown
  readonly nullable: true
  readonly metadata: Readonly<Record<string, number>>
}

const field = (name: string, type: unknown, id: number | undefined): SparkField => ({
  ...{ name, type, nullable: true },
  metadata: id === undefined ? {} : { 'parquet.field.id': id },
})

/** By id a column has the name it shall have; by name that of the files, and is renamed behind them. */
function sparkField(
  { name, type }: ScanColumn,
  source: FileSource,
  byFieldId: boolean,
): SparkField {
  const { physicalName, physicalType, fieldId, children } = source
  if (!byFieldId) return field(physicalName, sparkJson(physicalType, undefined), undefined)
  return field(name, sparkJson(children === undefined ? physicalType : type, children), fieldId)
}

function outputOf({ name, type }: ScanColumn, source: FileSource, byFieldId: boolean): string {
  const { physicalName, physicalType, children } = source
  const read = quoted(byFieldId ? name : physicalName)
  const isRenamed =
    !(byFieldId && children !== undefined) && JSON.stringify(type) !== JSON.stringify(physicalType)
  return `${isRenamed ? `CAST(${read} AS ${sparkDdl(type)})` : read} AS ${quoted(name)}`
}

const JSON_TYPES = {
  ...{ boolean: 'boolean', int8: 'byte', int16: 'short', int32: 'integer', int64: 'long' },
  ...{ float32: 'float', float64: 'double', string: 'string', binary: 'binary', date: 'date' },
  ...{ timestamp: 'timestamp', timestamp_ntz: 'timestamp_ntz' },
} as const

/** A type as Spark's JSON has it, with the ids of what is inside. */
function sparkJson(type: ColumnType, children: readonly FileField[] | undefined): unknown {
  if (typeof type === 'string') return JSON_TYPES[type]
  const inside = (index: number) => children?.[index]?.children
  switch (type.kind) {
    case 'decimal':
      return `decimal(${type.precision},${type.scale})`
    case 'list':
      return { type: 'array', elementType: sparkJson(type.element, inside(0)), containsNull: true }
    case 'map':
      return {
        ...{ type: 'map', keyType: sparkJson(type.key, inside(0)) },
        ...{ valueType: sparkJson(type.value, inside(1)), valueContainsNull: true },
      }
    case 'struct':
      return {
        type: 'struct',
        fields: type.columns.map((column, index) =>
          field(column.name, sparkJson(column.type, inside(index)), children?.[index]?.fieldId),
        ),
      }
  }
}

const DDL_TYPES = { byte: 'tinyint', short: 'smallint', integer: 'int', long: 'bigint' } as const

function sparkDdl(type: ColumnType): string {
  if (typeof type === 'string') {
    const word = JSON_TYPES[type]
    return DDL_TYPES[word as keyof typeof DDL_TYPES] ?? word
  }
  switch (type.kind) {
    case 'decimal':
      return `decimal(${type.precision},${type.scale})`
    case 'list':
      return `array<${sparkDdl(type.element)}>`
    case 'map':
      return `map<${sparkDdl(type.key)}, ${sparkDdl(type.value)}>`
    case 'struct':
      return `struct<${type.columns.map((column) => `${quoted(column.name)}: ${sparkDdl(column.type)}`).join(', ')}>`
  }
}
