import type { ColumnType } from '../../model/column.ts'
import { literalSql } from './literal.ts'
import { quotePath } from './quote-identifier.ts'
import { duckdbType } from './type-mapping.ts'

/** Iceberg's partition transforms as SQL (table spec, "Partition Transforms", "Appendix B"). Null gives null. */
export interface DerivedValue {
  readonly name: string
  readonly path: readonly string[]
  readonly type: ColumnType
  readonly transform: 'identity' | 'year' | 'month' | 'day' | 'hour' | 'bucket' | 'truncate'
  readonly width?: number
}

export function derivedSql({ path, type, transform, width = 1 }: DerivedValue): string {
  const cell = quotePath(path)
  switch (transform) {
    case 'identity':
      return cell
    case 'year':
      return `(year(${wallClock(cell, type)}) - 1970)::INTEGER`
    case 'month':
      return `((year(${wallClock(cell, type)}) - 1970) * 12 + month(${wallClock(cell, type)}) - 1)::INTEGER`
    case 'day':
      return `(${wallClock(cell, type)}::DATE - DATE '1970-01-01')::INTEGER`
    case 'hour':
      // Division cuts towards zero; hours before 1970 must go down.
      return `((epoch_us(${cell}) - ${remainderSql(`epoch_us(${cell})`, '3600000000')}) // 3600000000)::INTEGER`
    case 'truncate':
      return truncateSql(cell, type, width)
    case 'bucket':
      return `CASE WHEN ${cell} IS NULL THEN NULL ELSE ((${hashSql(cell, type)} & 2147483647) % ${width})::INTEGER END`
  }
}

/** Instants are told in UTC, whatever the session's zone. */
const wallClock = (cell: string, type: ColumnType) =>
  type === 'timestamp' ? `(${cell} AT TIME ZONE 'UTC')` : cell

function truncateSql(cell: string, type: ColumnType, width: number): string {
  if (type === 'string') return `left(${cell}, ${width})`
  if (type === 'binary') return `unhex(left(hex(${cell}), ${2 * width}))`
  if (typeof type !== 'string' && type.kind === 'decimal') {
    // The least decimals are cut to what has a digit more than their type.
    const widest: ColumnType = { ...type, precision: 38 }
    const wide = `${cell}::${duckdbType(widest)}`
    return `(${wide} - ${remainderSql(wide, literalSql(BigInt(width), widest))})`
  }
  const exact = duckdbType(type)
  const unit = literalSql(BigInt(width), type)
  const least = LEAST[typeof type === 'string' ? type : '']
  if (least === undefined) return `(${cell} - ${remainderSql(cell, unit)})::${exact}`
  // The least integers have nothing below them to be cut down to; they are cut to the least.
  const wide = `${cell}::HUGEINT`
  const cut = `greatest(${wide} - ${remainderSql(wide, unit)}, ${least}::HUGEINT)`
  return `CASE WHEN ${cell} IS NULL THEN NULL ELSE ${cut}::${exact} END`
}

const LEAST: Readonly<Record<string, string>> = {
  int8: '-128',
  int16: '-32768',
  int32: '-2147483648',
  int64: "'-9223372036854775808'",
}

/** Never negative. */
const remainderSql = (cell: string, unit: string) => `(((${cell} % ${unit}) + ${unit}) % ${unit})`

const MASK = '4294967295::UBIGINT'
const rotated = (bits: number) => `(((k << ${bits}) & ${MASK}) | (k >> ${32 - bits}))`

/** Murmur3 (x86, 32 bits, seed 0) of a value's bytes, as a number from 0 to 2^32 - 1. */
function hashSql(cell: string, type: ColumnType): string {
  switch (type) {
    case 'int8':
    case 'int16':
    case 'int32':
    case 'int64':
      return longHashSql(`${cell}::BIGINT`)
    case 'date':
      return longHashSql(`(${cell} - DATE '1970-01-01')::BIGINT`)
    case 'timestamp':
    case 'timestamp_ntz':
      return longHashSql(`epoch_us(${cell})`)
    case 'string':
      return hexHashSql(`hex(encode(${cell}))`)
    case 'binary':
      return hexHashSql(`hex(${cell})`)
    default:
      throw new TypeError(`there is no bucket transform here for ${JSON.stringify(type)}`)
  }
}

/** Integers of any width hash as eight bytes: two blocks, the lower half first. */
function longHashSql(cell: string): string {
  const low = `(${cell} & 4294967295)::UBIGINT`
  const high = `((${cell} >> 32) & 4294967295)::UBIGINT`
  return finishedSql(mixedSql(`[${low}, ${high}]`), '8')
}

function hexHashSql(hex: string): string {
  const block = (start: string) => {
    const pair = (at: number) => `substr(${hex}, ${start} + ${at}, 2)`
    return `('0x0' || ${[6, 4, 2, 0].map(pair).join(' || ')})::UBIGINT`
  }
  const count = `(len(${hex}) // 8)`
  const blocks = `list_transform(range(${count}), lambda i: ${block('i * 8 + 1')})`
  // One to three bytes are left over; past the end there is nothing, which is zero in front.
  const tail = scrambledSql(`[${block(`${count} * 8 + 1`)}]`)
  return finishedSql(`xor(${mixedSql(blocks)}, ${tail}[1])`, `(len(${hex}) // 2)`)
}

const scrambledSql = (blocks: string) =>
  `list_transform(list_transform(${blocks}, lambda k: (k * 3432918353::UBIGINT) & ${MASK}), ` +
  `lambda k: (${rotated(15)} * 461845907::UBIGINT) & ${MASK})`

function mixedSql(blocks: string): string {
  const k = rotated(13).replaceAll('k', 'xor(h, b)')
  return (
    `list_reduce(${scrambledSql(blocks)}, ` +
    `lambda h, b: (${k} * 5::UBIGINT + 3864292196::UBIGINT) & ${MASK}, 0::UBIGINT)`
  )
}

const finishedSql = (hash: string, bytes: string) =>
  `list_transform(list_transform(list_transform([xor(${hash}, ${bytes}::UBIGINT)], ` +
  `lambda k: (xor(k, k >> 16) * 2246822507::UBIGINT) & ${MASK}), ` +
  `lambda k: (xor(k, k >> 13) * 3266489909::UBIGINT) & ${MASK}), lambda k: xor(k, k >> 16))[1]`
