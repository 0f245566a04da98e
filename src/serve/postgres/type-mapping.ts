import type { Column, Columns, ColumnType } from '../../model/column.ts'
import { columnTypeText } from '../../model/column.ts'
import type { TextCell } from './client.ts'

// Our column types and PostgreSQL's. Nothing is lost on the way in except what the table itself declares away:
//   int8       has no equal; it goes into smallint
//   decimal    into a numeric of smaller scale would round, so such a column is refused
//   list, struct, map   go in as JSON text, into json or jsonb (jsonb drops key order and repeated keys)
//   timestamp  microseconds both sides; the zone a text was written with is not kept, only the instant
// Type oids: https://github.com/postgres/postgres/blob/master/src/include/catalog/pg_type.dat

/** A column as the server's catalog describes it. */
export interface TableColumn {
  readonly name: string
  /** `int4`, `varchar`, `numeric`, … */
  readonly typeName: string
  /** As people write it: `character varying(50)`. */
  readonly typeText: string
  /** `pg_type.typtype`: `b` for base types, `e` for enumerations. */
  readonly typeKind: string
  /** `pg_attribute.atttypmod`, -1 when there is none. */
  readonly typeModifier: number
  readonly notNull: boolean
  /** Has a default, or is an identity column. */
  readonly filledByServer: boolean
  /** Is computed from other columns and cannot be written. */
  readonly generated: boolean
}

const ACCEPTED: Readonly<Record<string, readonly string[]>> = {
  boolean: ['bool'],
  int8: ['int2', 'int4', 'int8', 'numeric'],
  int16: ['int2', 'int4', 'int8', 'numeric'],
  int32: ['int4', 'int8', 'numeric'],
  int64: ['int8', 'numeric'],
  float32: ['float4', 'float8'],
  float64: ['float8'],
  string: ['text', 'varchar', 'bpchar', 'citext', 'json', 'jsonb', 'uuid', 'inet'],
  binary: ['bytea'],
  date: ['date'],
  timestamp: ['timestamptz'],
  timestamp_ntz: ['timestamp'],
}
const NESTED_ACCEPTED = ['jsonb', 'json']

/** The type a new column should have. */
export function postgresTypeText(type: ColumnType): string {
  if (typeof type !== 'string')
    return type.kind === 'decimal' ? `numeric(${type.precision},${type.scale})` : 'jsonb'
  const names: Readonly<Record<string, string>> = {
    int8: 'smallint',
    int16: 'smallint',
    int32: 'integer',
    int64: 'bigint',
    float32: 'real',
    float64: 'double precision',
    string: 'text',
    binary: 'bytea',
    timestamp: 'timestamptz',
    timestamp_ntz: 'timestamp',
  }
  return names[type] ?? type
}

/** What keeps rows of `declared` columns from going into a table with the `actual` ones; one line each, none when they fit. */
export function columnDifferences(declared: Columns, actual: readonly TableColumn[]): string[] {
  const differences: string[] = []
  const found = new Map(actual.map((column) => [column.name, column]))
  for (const column of declared) {
    const real = found.get(column.name)
    found.delete(column.name)
    if (real === undefined) {
      const like = `add it as ${postgresTypeText(column.type)}`
      differences.push(`column ${column.name} is missing (${like})`)
    } else if (real.generated) {
      differences.push(`column ${column.name} is computed by the table and cannot be written`)
    } else if (!accepts(real, column)) {
      const wanted = `${columnTypeText(column.type)} needs ${postgresTypeText(column.type)}`
      differences.push(`column ${column.name} is ${real.typeText}, but ${wanted}`)
    }
  }
  for (const real of found.values()) {
    if (real.notNull && !real.filledByServer && !real.generated)
      differences.push(
        `column ${real.name} is NOT NULL without a default, and the sink does not write it`,
      )
  }
  return differences
}

function accepts(real: TableColumn, column: Column): boolean {
  const { type } = column
  if (typeof type === 'string')
    return (
      (ACCEPTED[type] ?? []).includes(real.typeName) || (type === 'string' && real.typeKind === 'e')
    )
  if (type.kind !== 'decimal') return NESTED_ACCEPTED.includes(real.typeName)
  if (real.typeName !== 'numeric') return false
  if (real.typeModifier === -1) return true
  const { precision, scale } = numericOf(real.typeModifier)
  return scale >= type.scale && precision - scale >= type.precision - type.scale
}

/** `atttypmod` of numeric: precision in the upper 16 bits, scale in the lower 11, after the header of 4. */
function numericOf(typeModifier: number): { precision: number; scale: number } {
  const packed = typeModifier - 4
  return { precision: (packed >> 16) & 0xffff, scale: packed & 0x7ff }
}

/** Our type of a result column. What we have no type for is text, spelled as the server spells it. */
export function columnTypeOfOid(typeOid: number, typeModifier: number): ColumnType {
  if (typeOid === NUMERIC_OID) {
    if (typeModifier === -1) return 'string'
    const { precision, scale } = numericOf(typeModifier)
    return precision <= 38 ? { kind: 'decimal', precision, scale } : 'string'
  }
  return TYPE_OF_OID.get(typeOid) ?? 'string'
}

const NUMERIC_OID = 1700
const TYPE_OF_OID: ReadonlyMap<number, ColumnType> = new Map<number, ColumnType>([
  [16, 'boolean'],
  [17, 'binary'],
  [20, 'int64'],
  [21, 'int16'],
  [23, 'int32'],
  [700, 'float32'],
  [701, 'float64'],
  [1082, 'date'],
  [1114, 'timestamp_ntz'],
  [1184, 'timestamp'],
])

/**
 * A cell in the form `RowSet.chunks` has it: `bigint` for int64 and times (µs since 1970, UTC), text for decimals and dates,
 * bytes for binary. Times and dates that no number of ours can hold (`infinity`, years before 1 or past 9999) stay text.
 */
export function cellValue(text: TextCell, type: ColumnType): unknown {
  if (text === null) return null
  switch (type) {
    case 'boolean':
      return text === 't'
    case 'int16':
    case 'int32':
    case 'float64':
      return Number(text)
    case 'float32':
      return Math.fround(Number(text))
    case 'int64':
      return BigInt(text)
    case 'binary':
      return Uint8Array.from(Buffer.from(text.slice(2), 'hex'))
    case 'timestamp':
    case 'timestamp_ntz':
      return microsOf(text) ?? text
    default:
      return text
  }
}

/** `2023-11-29 05:09:27.89+00` or the same without the zone, in UTC microseconds. */
function microsOf(text: string): bigint | undefined {
  const parts = /^(\d{4}-\d{2}-\d{2}) (\d{2}:\d{2}:\d{2})(?:\.(\d{1,6}))?(?:\+00)?$/.exec(text)
  if (parts === null) return undefined
  const wholeMs = Date.parse(`${parts[1]}T${parts[2]}Z`)
  return BigInt(wholeMs) * 1000n + BigInt((parts[3] ?? '').padEnd(6, '0'))
}
