import fc from 'fast-check'
import type { Columns, ColumnType } from '../../src/model/column.ts'
import {
  type ComparisonOperator,
  compare,
  isNull,
  type Predicate,
} from '../../src/model/predicate.ts'
import { scalarFromText } from '../../src/model/scalar.ts'
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
  readonly predicate: Predicate
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
  const { name, type } = scalars[at % scalars.length]!
  const drawn = await sql(
    `SELECT ${textSql(quoteIdentifier(name), type)} AS text FROM ${table} ORDER BY hash(k, ${row}) LIMIT 1`,
  )
  if (drawn.length === 0) return undefined
  const text = drawn[0]!.text as string | null
  const inSpark = `\`${name.replaceAll('`', '``')}\``
  const inDatafusion = quoteIdentifier(name)
  if (text === null) {
    const predicate = isNull(name)
    return {
      predicate,
      duckdb: predicateSql(predicate),
      spark: `${inSpark} IS NULL`,
      datafusion: `${inDatafusion} IS NULL`,
    }
  }
  const value =
    type === 'binary' ? Uint8Array.from(Buffer.from(text, 'hex')) : scalarFromText(text, type)
  if (value === undefined) throw new Error(`No ${JSON.stringify(type)}: ${text}`)
  const predicate = compare([name], op, { type, value })
  return {
    predicate,
    duckdb: predicateSql(predicate),
    spark: `${inSpark} ${op} ${sparkLiteral(text, type)}`,
    datafusion: `${inDatafusion} ${op} ${datafusionLiteral(text, type)}`,
  }
}

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
  date: 'DATE',
  timestamp: 'TIMESTAMP',
  timestamp_ntz: 'TIMESTAMP_NTZ',
} as const

function sparkLiteral(text: string, type: ColumnType): string {
  if (type === 'binary') return `unhex('${text}')`
  if (type === 'string') return `CAST(unhex('${Buffer.from(text).toString('hex')}') AS STRING)`
  if (typeof type === 'string') return `CAST('${text}' AS ${SPARK_TYPES[type]})`
  if (type.kind === 'decimal') return `CAST('${text}' AS DECIMAL(${type.precision}, ${type.scale}))`
  throw new Error('Only scalars are compared.')
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
