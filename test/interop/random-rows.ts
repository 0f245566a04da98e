import type { Columns, ColumnType } from '../../src/model/column.ts'
import { quoteIdentifier, quoteText } from '../../src/sql/duckdb/quote-identifier.ts'
import { duckdbType } from '../../src/sql/duckdb/type-mapping.ts'
import { KEY } from './random-columns.ts'

export interface RowChoice {
  /** Key of the first row; the others follow. */
  readonly from: number
  readonly count: number
  readonly seed: number
  /** Columns with few different values, and without an empty text. */
  readonly partitionBy?: readonly string[]
}

/** A query for random rows in DuckDB's dialect, the same for the same choice; bounds and oddities of each type are frequent. */
export function rowsSql(
  columns: Columns,
  { from, count, seed, partitionBy = [] }: RowChoice,
): string {
  const cells = columns.map(({ name, type, nullable }, index) => {
    if (name === KEY.name) return `(${from} + i)::BIGINT AS ${quoteIdentifier(name)}`
    const draw = { salt: `${seed}, ${index}`, isPartition: partitionBy.includes(name) }
    const value = valueSql(type, draw)
    const cell = nullable
      ? `CASE WHEN ${roll(draw, 'null')} % 6 = 0 THEN NULL ELSE ${value} END`
      : value
    return `(${cell})::${duckdbType(type)} AS ${quoteIdentifier(name)}`
  })
  return `SELECT ${cells.join(', ')} FROM (SELECT range AS i FROM range(${count}))`
}

interface Draw {
  readonly salt: string
  readonly isPartition: boolean
}

/** A random whole number for row `i`. */
const roll = ({ salt }: Draw, word: string) => `(hash(i, ${salt}, '${word}') >> 3)::HUGEINT`
const deeper = (draw: Draw, step: string): Draw => ({ ...draw, salt: `${draw.salt}, '${step}'` })

function valueSql(type: ColumnType, draw: Draw): string {
  if (typeof type !== 'string' && type.kind !== 'decimal') return nestedSql(type, draw)
  const odd = oddValues(type).filter((text) => !draw.isPartition || text !== "''")
  const few = draw.isPartition ? odd.slice(0, 4) : odd
  const target = duckdbType(type)
  const list = `[${few.map((text) => `${text}::${target}`).join(', ')}]`
  const oddCell = `${list}[1 + (${roll(draw, 'odd')} % ${few.length})::INTEGER]`
  if (draw.isPartition) return oddCell
  return `CASE WHEN ${roll(draw, 'kind')} % 3 = 0 THEN ${oddCell} ELSE (${usualSql(type, draw)})::${target} END`
}

function nestedSql(type: Exclude<ColumnType, string>, draw: Draw): string {
  const orNull = (inner: string, at: Draw) =>
    `CASE WHEN ${roll(at, 'null')} % 5 = 0 THEN NULL ELSE ${inner} END`
  switch (type.kind) {
    case 'list': {
      const items = ['0', '1'].map((step) => {
        const at = deeper(draw, step)
        return orNull(valueSql(type.element, at), at)
      })
      const target = duckdbType(type)
      return `CASE ${roll(draw, 'length')} % 3 WHEN 0 THEN []::${target} ELSE [${items.join(', ')}]::${target} END`
    }
    case 'map': {
      const target = duckdbType(type)
      // Two keys that cannot be the same.
      const keys = {
        string: [`'k1'`, `'ключ'`],
        int32: ['-1', '7'],
        date: [`DATE '2024-02-29'`, `DATE '1969-12-31'`],
      }[type.key as 'string' | 'int32' | 'date']
      const values = ['0', '1'].map((step) => {
        const at = deeper(draw, step)
        return orNull(valueSql(type.value, at), at)
      })
      return `CASE ${roll(draw, 'length')} % 3 WHEN 0 THEN MAP {}::${target} ELSE MAP {${keys.map((key, i) => `${key}: ${values[i]}`).join(', ')}}::${target} END`
    }
    case 'struct': {
      const members = type.columns.map(({ name, type: inner }, index) => {
        const at = deeper(draw, String(index))
        return `${quoteText(name)}: ${orNull(valueSql(inner, at), at)}`
      })
      return `{${members.join(', ')}}`
    }
    case 'decimal':
      throw new Error('A decimal is not nested.')
  }
}

/** The first four are good as partition values. */
function oddValues(type: ColumnType): string[] {
  if (typeof type !== 'string' && type.kind === 'decimal') {
    const nines = '9'.repeat(type.precision)
    const biggest = `${nines.slice(0, type.precision - type.scale) || '0'}.${nines.slice(type.precision - type.scale)}`
    const smallest = type.scale === 0 ? '1' : `0.${'0'.repeat(type.scale - 1)}1`
    return [`'${biggest}'`, `'-${biggest}'`, `'${smallest}'`, `'0'`]
  }
  switch (type) {
    case 'boolean':
      return ['true', 'false']
    case 'int8':
      return ['127', '(-128)', '0']
    case 'int16':
      return ['32767', '(-32768)', '0']
    case 'int32':
      return ['2147483647', '(-2147483648)', '0']
    case 'int64':
      return ['9223372036854775807', '(-9223372036854775808)', '9007199254740993', '0']
    case 'float32':
    case 'float64':
      return [`'nan'`, `'-inf'`, `'1e-30'`, `'-0.0'`, `'inf'`, `'16777217'`, `'0.1'`]
    case 'string':
      return [
        `'a/b c=%20'`,
        `'Größe 日本 😀'`,
        `'__HIVE_DEFAULT_PARTITION__x'`,
        `'" \\ '' : ?#'`,
        `''`,
        // Past where statistics are cut, and cut in the middle of a character.
        `repeat('é', 40)`,
        `'${'z'.repeat(31)}' || chr(1114111) || 'tail'`,
        `'NULL'`,
      ]
    case 'binary':
      return [`'\\x00\\xFF'`, `''`, `'abc'`]
    case 'date':
      return [`'1969-12-31'`, `'2024-02-29'`, `'9999-12-31'`, `'1582-10-04'`, `'0001-01-01'`]
    case 'timestamp':
    case 'timestamp_ntz':
      return [
        `'1969-12-31 23:59:59.999999'`,
        `'2024-02-29 12:00:00'`,
        `'9999-12-31 23:59:59.999999'`,
        `'2024-10-27 01:30:00.000001'`,
        `'1582-10-04 00:00:00'`,
      ]
    default:
      throw new Error('Only scalars have bounds.')
  }
}

function usualSql(type: ColumnType, draw: Draw): string {
  const number = roll(draw, 'value')
  if (typeof type !== 'string' && type.kind === 'decimal')
    return `((${number} % ${10 ** Math.min(type.precision, 15)}) / ${10 ** type.scale}::DOUBLE) % ${10 ** (type.precision - type.scale) / 2}`
  switch (type) {
    case 'boolean':
      return `${number} % 2 = 0`
    case 'int8':
    case 'int16':
    case 'int32':
    case 'int64':
      return `(${number} % 200 - 100)`
    case 'float32':
    case 'float64':
      return `(${number} % 1000000)::DOUBLE / 1000 - 500`
    case 'string':
      return `'text ' || (${number} % 1000)`
    case 'binary':
      return `('bytes ' || (${number} % 1000))`
    case 'date':
      return `DATE '2020-01-01' + (${number} % 2000)::INTEGER`
    case 'timestamp':
      return `make_timestamptz((1700000000000000 + ${number} % 100000000000)::BIGINT)`
    case 'timestamp_ntz':
      return `make_timestamp((1700000000000000 + ${number} % 100000000000)::BIGINT)`
    default:
      throw new Error('Nested values are made of scalars.')
  }
}
