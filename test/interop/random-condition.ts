import fc from 'fast-check'
import type { Column, Columns, ColumnType } from '../../src/model/column.ts'
import {
  type ComparisonOperator,
  compare,
  isNull,
  type Predicate,
  type Value,
} from '../../src/model/predicate.ts'
import { scalarFromText } from '../../src/model/scalar.ts'
import { literalSql } from '../../src/sql/duckdb/literal.ts'
import { quoteIdentifier } from '../../src/sql/duckdb/quote-identifier.ts'
import { predicateSql } from '../../src/sql/duckdb/scan.ts'
import { isScalar } from './random-columns.ts'
import type { Workshop } from './workshop.ts'

/** How to draw a condition; the value compared with is one that the table has. */
export interface ConditionChoice {
  readonly column: number
  readonly op: ComparisonOperator
  readonly row: number
}

export const conditionChoice: fc.Arbitrary<ConditionChoice> = fc.record({
  column: fc.nat(20),
  op: fc.constantFrom('=', '<', '<=', '>', '>=', '<>'),
  row: fc.nat(1_000),
})

/** The same condition as our value and in the dialects of others. */
export interface Condition {
  readonly column: Column
  readonly op: ComparisonOperator
  /** The value compared with, as DuckDB writes it; binary in hexadecimal. Null when the condition is that there is none. */
  readonly text: string | null
  readonly predicate: Predicate
  /** The value compared with as a literal, `NULL` when the condition is that there is none. */
  readonly literal: {
    readonly ours: Value | null
    readonly duckdb: string
    readonly spark: string
    readonly datafusion: string
  }
  readonly duckdb: string
  readonly spark: string
  readonly datafusion: string
}

/** `undefined` when the table has no row to draw from. */
export async function drawCondition(
  { sql }: Pick<Workshop, 'sql'>,
  { table, columns }: { table: string; columns: Columns },
  { column: at, op, row }: ConditionChoice,
): Promise<Condition | undefined> {
  const scalars = columns.filter(({ type }) => isScalar(type))
  const drawnColumn = scalars[at % scalars.length]!
  const { name, type } = drawnColumn
  const drawn = await sql(
    `SELECT ${textSql(quoteIdentifier(name), type)} AS text FROM ${table} ORDER BY hash(k, ${row}) LIMIT 1`,
  )
  if (drawn.length === 0) return undefined
  const text = drawn[0]!.text as string | null
  const inSpark = sparkIdentifier(name)
  const inDatafusion = quoteIdentifier(name)
  if (text === null) {
    const predicate = isNull(name)
    return {
      ...{ column: drawnColumn, op, text },
      predicate,
      literal: { ours: null, duckdb: 'NULL', spark: 'NULL', datafusion: 'NULL' },
      duckdb: predicateSql(predicate),
      spark: `${inSpark} IS NULL`,
      datafusion: `${inDatafusion} IS NULL`,
    }
  }
  const value =
    type === 'binary' ? Uint8Array.from(Buffer.from(text, 'hex')) : scalarFromText(text, type)
  if (value === undefined) throw new Error(`No ${JSON.stringify(type)}: ${text}`)
  const predicate = compare([name], op, { type, value })
  const literal = {
    ours: { type, value },
    duckdb: literalSql(value, type),
    spark: sparkLiteral(text, type),
    datafusion: datafusionLiteral(text, type),
  }
  return {
    ...{ column: drawnColumn, op, text },
    predicate,
    literal,
    duckdb: predicateSql(predicate),
    spark: `${inSpark} ${op} ${literal.spark}`,
    datafusion: `${inDatafusion} ${op} ${literal.datafusion}`,
  }
}

export const sparkIdentifier = (name: string) => `\`${name.replaceAll('`', '``')}\``

function textSql(cell: string, type: ColumnType): string {
  if (type === 'binary') return `hex(${cell})`
  return `${cell}::VARCHAR`
}

const SPARK_TYPES = {
  boolean: 'BOOLEAN',
  int8: 'TINYINT',
  int16: 'SMALLINT',
  int32: 'INT',
  int64: 'BIGINT',
  float32: 'FLOAT',
  float64: 'DOUBLE',
  string: 'STRING',
  binary: 'BINARY',
  date: 'DATE',
  timestamp: 'TIMESTAMP',
  timestamp_ntz: 'TIMESTAMP_NTZ',
} as const

/** A type in Spark's dialect. */
export function sparkType(type: ColumnType): string {
  if (typeof type === 'string') return SPARK_TYPES[type]
  switch (type.kind) {
    case 'decimal':
      return `DECIMAL(${type.precision}, ${type.scale})`
    case 'list':
      return `ARRAY<${sparkType(type.element)}>`
    case 'map':
      return `MAP<${sparkType(type.key)}, ${sparkType(type.value)}>`
    case 'struct': {
      const members = type.columns.map((c) => `${sparkIdentifier(c.name)}: ${sparkType(c.type)}`)
      return `STRUCT<${members.join(', ')}>`
    }
  }
}

function sparkLiteral(text: string, type: ColumnType): string {
  if (type === 'binary') return `unhex('${text}')`
  if (type === 'string') return `CAST(unhex('${Buffer.from(text).toString('hex')}') AS STRING)`
  return `CAST('${text}' AS ${sparkType(type)})`
}

const ARROW_TYPES = {
  boolean: 'Boolean',
  int8: 'Int8',
  int16: 'Int16',
  int32: 'Int32',
  int64: 'Int64',
  float32: 'Float32',
  float64: 'Float64',
  string: 'Utf8',
  date: 'Date32',
  timestamp: 'Timestamp(Microsecond, Some("UTC"))',
  timestamp_ntz: 'Timestamp(Microsecond, None)',
} as const

function datafusionLiteral(text: string, type: ColumnType): string {
  if (type === 'binary') return `decode('${text.toLowerCase()}', 'hex')`
  const quoted = `'${text.replaceAll("'", "''")}'`
  if (typeof type === 'string') return `arrow_cast(${quoted}, '${ARROW_TYPES[type]}')`
  if (type.kind === 'decimal')
    return `arrow_cast(${quoted}, 'Decimal128(${type.precision}, ${type.scale})')`
  throw new Error('Only scalars are compared.')
}
