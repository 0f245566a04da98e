import {
  type DuckDBDecimalType,
  type DuckDBListType,
  type DuckDBMapType,
  type DuckDBStructType,
  type DuckDBType,
  DuckDBTypeId,
} from '@duckdb/node-api'
import type { Column, Columns, ColumnType } from '../../model/column.ts'
import { sameColumnType } from '../../model/column.ts'
import { quoteIdentifier } from '../duckdb/quote-identifier.ts'
import { duckdbType } from '../duckdb/type-mapping.ts'

/** What a statement yields, as a table of the lake can hold it. */
export interface ResultColumns {
  readonly columns: Columns
  /** One expression for each column, with a cast where the engine's type is none of a table's. */
  readonly selectList: string
  /** Columns that no table can hold, in words. */
  readonly problems: readonly string[]
}

/** Names and types of a result as columns. Everything may be null: SQL does not say what may not. */
export function resultColumns(
  names: readonly string[],
  types: readonly DuckDBType[],
): ResultColumns {
  const problems: string[] = []
  const columns: Column[] = []
  const list: string[] = []
  for (const [index, name] of names.entries()) {
    const type = columnTypeOf(types[index]!)
    if (columns.some((column) => column.name.toLowerCase() === name.toLowerCase()))
      problems.push(`the column ${name} is there twice`)
    if (type === undefined) problems.push(`the column ${name} is ${types[index]}`)
    columns.push({ name, type: type ?? 'string', nullable: true })
    const quoted = quoteIdentifier(name)
    list.push(type === undefined ? quoted : `${quoted}::${duckdbType(type)} AS ${quoted}`)
  }
  return { columns, selectList: list.join(', '), problems }
}

const SCALARS: Partial<Record<DuckDBTypeId, ColumnType>> = {
  [DuckDBTypeId.BOOLEAN]: 'boolean',
  [DuckDBTypeId.TINYINT]: 'int8',
  [DuckDBTypeId.SMALLINT]: 'int16',
  [DuckDBTypeId.INTEGER]: 'int32',
  [DuckDBTypeId.BIGINT]: 'int64',
  [DuckDBTypeId.UTINYINT]: 'int16',
  [DuckDBTypeId.USMALLINT]: 'int32',
  [DuckDBTypeId.UINTEGER]: 'int64',
  // A sum of whole numbers is a HUGEINT; what does not fit 64 bits is an error of the run, not a rounding.
  [DuckDBTypeId.HUGEINT]: 'int64',
  [DuckDBTypeId.UBIGINT]: { kind: 'decimal', precision: 20, scale: 0 },
  [DuckDBTypeId.FLOAT]: 'float32',
  [DuckDBTypeId.DOUBLE]: 'float64',
  [DuckDBTypeId.VARCHAR]: 'string',
  [DuckDBTypeId.ENUM]: 'string',
  [DuckDBTypeId.UUID]: 'string',
  [DuckDBTypeId.TIME]: 'string',
  [DuckDBTypeId.BLOB]: 'binary',
  [DuckDBTypeId.DATE]: 'date',
  [DuckDBTypeId.TIMESTAMP_TZ]: 'timestamp',
  [DuckDBTypeId.TIMESTAMP]: 'timestamp_ntz',
  [DuckDBTypeId.TIMESTAMP_S]: 'timestamp_ntz',
  [DuckDBTypeId.TIMESTAMP_MS]: 'timestamp_ntz',
  [DuckDBTypeId.TIMESTAMP_NS]: 'timestamp_ntz',
  // A column of nothing but NULL.
  [DuckDBTypeId.SQLNULL]: 'string',
}

/** A table's type for an engine's; `undefined` when there is none. */
function columnTypeOf(type: DuckDBType): ColumnType | undefined {
  switch (type.typeId) {
    case DuckDBTypeId.DECIMAL: {
      const { width, scale } = type as DuckDBDecimalType
      return { kind: 'decimal', precision: width, scale }
    }
    case DuckDBTypeId.LIST: {
      const element = columnTypeOf((type as DuckDBListType).valueType)
      return element === undefined ? undefined : { kind: 'list', element, elementNullable: true }
    }
    case DuckDBTypeId.MAP: {
      const { keyType, valueType } = type as DuckDBMapType
      const [key, value] = [columnTypeOf(keyType), columnTypeOf(valueType)]
      if (key === undefined || value === undefined) return undefined
      return { kind: 'map', key, value, valueNullable: true }
    }
    case DuckDBTypeId.STRUCT: {
      const { entryNames, entryTypes } = type as DuckDBStructType
      const columns = entryNames.map((name, index) => ({
        name,
        type: columnTypeOf(entryTypes[index]!),
        nullable: true,
      }))
      return columns.every((column): column is Column => column.type !== undefined)
        ? { kind: 'struct', columns }
        : undefined
    }
    default:
      return SCALARS[type.typeId]
  }
}

/** What is not the same in two lists of columns, in words; nullability aside. */
export function columnDifferences(made: Columns, wanted: Columns): readonly string[] {
  const differences: string[] = []
  for (const { name, type } of wanted) {
    const found = made.find((column) => column.name === name)
    if (found === undefined) differences.push(`the column ${name} is missing`)
    else if (!sameColumnType(bare(found.type), bare(type)))
      differences.push(
        `the column ${name} is ${duckdbType(found.type)} and not ${duckdbType(type)}`,
      )
  }
  for (const { name } of made)
    if (!wanted.some((column) => column.name === name))
      differences.push(`the column ${name} is new`)
  return differences
}

/** A type without what may be null inside it, and without names of documentation. */
function bare(type: ColumnType): ColumnType {
  if (typeof type === 'string') return type
  switch (type.kind) {
    case 'decimal':
      return type
    case 'list':
      return { kind: 'list', element: bare(type.element), elementNullable: true }
    case 'map':
      return { kind: 'map', key: bare(type.key), value: bare(type.value), valueNullable: true }
    case 'struct':
      return {
        kind: 'struct',
        columns: type.columns.map((c) => ({ name: c.name, type: bare(c.type), nullable: true })),
      }
  }
}
