import type { Columns } from '../../model/column.ts'
import { and, compare, isIn, type Predicate, type Value } from '../../model/predicate.ts'
import type { WindowMaterialization } from '../../model/sql-model.ts'
import { quoteIdentifier } from '../duckdb/quote-identifier.ts'
import { ModelInvalidError } from './errors.ts'
import { INCOMING } from './read-model.ts'

// Sums over a window of days, as SQL. In: the author's rows (key, day, numbers). Out: a statement for the sums of a whole window, and one that moves the
// sums of an earlier window on to a later one. Both give the same sums: addition does not care for order, and a day that changed is taken away
// entire, as it was. Days on which a key has rows cannot be added up row by row, so each is a bit.

const DAY_MS = 86_400_000

/** Days since 1970, both inclusive. */
export interface DayWindow {
  readonly first: number
  readonly last: number
}

/** The day that a window was said to end with, if one was. */
export const saidLastDay = ({ lastDay }: WindowMaterialization): number | undefined =>
  lastDay === undefined ? undefined : Date.parse(`${lastDay}T00:00:00Z`) / DAY_MS

export const windowUpTo = (last: number, days: number): DayWindow => ({
  first: last - days + 1,
  last,
})

/** Which days have to be read to get from one window's sums to another's. */
export interface WindowStep {
  /** As they are now. */
  readonly come: readonly number[]
  /** As they were. */
  readonly go: readonly number[]
}

/** Days that changed, and days that are in one window only. Pure. */
export function windowStep(
  before: DayWindow,
  after: DayWindow,
  touched: ReadonlySet<number>,
): WindowStep {
  return {
    come: daysOf(after).filter((day) => touched.has(day) || !contains(before, day)),
    go: daysOf(before).filter((day) => touched.has(day) || !contains(after, day)),
  }
}

const daysOf = ({ first, last }: DayWindow) =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index)
const contains = ({ first, last }: DayWindow, day: number) => first <= day && day <= last

const dayValue = (day: number): Value => ({ type: 'date', value: BigInt(day) })

export const daysPredicate = (column: string, days: readonly number[]): Predicate =>
  isIn([column], days.map(dayValue))

export const windowPredicate = (column: string, { first, last }: DayWindow): Predicate =>
  and(compare([column], '>=', dayValue(first)), compare([column], '<=', dayValue(last)))

/** Columns of the author's rows, by what they are for. */
export interface WindowColumns {
  readonly key: readonly string[]
  readonly sums: readonly string[]
  /** Of the sums, those of numbers of 32 bits or fewer. */
  readonly small: ReadonlySet<string>
}

const WHOLE_NUMBERS = new Set<unknown>(['int8', 'int16', 'int32', 'int64'])

/** @throws ModelInvalidError when the rows cannot be summed */
export function windowColumns(
  model: string,
  { key, day, daysCount }: WindowMaterialization,
  columns: Columns,
): WindowColumns {
  const problems: string[] = []
  const known = columns.map(({ name }) => name).join(', ')
  for (const name of [...key, day])
    if (!columns.some((column) => column.name === name))
      problems.push(`they have no ${name} (they have ${known})`)
  const dayType = columns.find(({ name }) => name === day)?.type
  if (dayType !== undefined && dayType !== 'date') problems.push(`${day} is no date`)
  const numbers = columns.filter(({ name }) => name !== day && !key.includes(name))
  for (const { name, type } of numbers) {
    if (!WHOLE_NUMBERS.has(type)) problems.push(`${name} is no whole number of 64 bits or fewer`)
    if (name === daysCount) problems.push(`${name} is the name for the count of days`)
  }
  if (problems.length > 0)
    throw new ModelInvalidError(`The rows of ${model} cannot be summed: ${problems.join('; ')}.`)
  return {
    key,
    sums: numbers.map(({ name }) => name),
    small: new Set(numbers.filter(({ type }) => type !== 'int64').map(({ name }) => name)),
  }
}

/** The author's rows over some rows of the incoming table. */
export interface WindowRows {
  readonly rowsSql: string
  /** A statement that yields these. */
  readonly scan: string
  /** No row is of a day outside. */
  readonly window: DayWindow
}

/** From the first to the last of some days. */
export const spanOf = (days: readonly number[]): DayWindow => ({
  first: Math.min(...days),
  last: Math.max(...days),
})

export interface TotalsSql extends WindowColumns {
  readonly how: WindowMaterialization
  /** Days may be bits of one number; else rows are put together by day first, which any engine can. */
  readonly hasDayBits: boolean
  /** More rows are not summed; `undefined` when that is not known. */
  readonly rowCountMax?: number | undefined
}

/**
 * So many numbers of 32 bits add up to 2^53 at most, in whatever order: a float of 64 bits holds every sum on the way exactly, and sums half
 * as much again as fast as integers of 128 bits do.
 */
const EXACT_COUNT_MAX = 2 ** 22

/** Rows of days that come, as they are, and of days that go, as they were; one of them at least. */
export interface WindowParts {
  readonly come?: WindowRows | undefined
  readonly go?: WindowRows | undefined
}

/** SQL for the sums of a window from all its rows. */
export const wholeTotalsSql = (of: TotalsSql, rows: WindowRows): string =>
  summedSql(of, { come: rows })

/**
 * SQL for the sums of a later window from those of an earlier one. `kept` yields these; a key that comes out with a count of zero or less, and any
 * sum, is a sign that `kept` is not what the days say.
 */
export function movedTotalsSql(of: TotalsSql, kept: string, parts: WindowParts): string {
  const { key, sums, how } = of
  const keys = key.map(quoteIdentifier)
  const added = (name: string, type: string) => {
    const column = quoteIdentifier(name)
    return `(coalesce(kept.${column}, 0) + coalesce(moved.${column}, 0))::${type} AS ${column}`
  }
  const numbers = [...sums.map((name) => added(name, 'BIGINT')), added(how.daysCount, 'INTEGER')]
  const any = [...sums, how.daysCount].map((name) => `${quoteIdentifier(name)} <> 0`).join(' OR ')
  return (
    `SELECT * FROM (SELECT ${keys.join(', ')}, ${numbers.join(', ')} FROM (${kept}) AS kept ` +
    `FULL JOIN (${summedSql(of, parts)}) AS moved USING (${keys.join(', ')})) WHERE ${any}`
  )
}

interface Side {
  readonly rows: WindowRows
  readonly sign: 1 | -1
  /** Bits of the days of sides before this one. */
  readonly bitsBefore: number
}

const bitsOf = ({ window: { first, last } }: WindowRows) => last - first + 1

/** Numbers by how many bits can be set in them without a sign. A group holds one of them: the narrower, the more groups fit into a cache. */
const BIT_TYPES = [
  { type: 'TINYINT', bits: 7 },
  { type: 'SMALLINT', bits: 15 },
  { type: 'INTEGER', bits: 31 },
  { type: 'BIGINT', bits: 63 },
  { type: 'HUGEINT', bits: 127 },
] as const

/** Sums of days that come, less those of days that go. */
function summedSql(of: TotalsSql, { come, go }: WindowParts): string {
  const { key, sums, how, hasDayBits } = of
  const comeBits = come === undefined ? 0 : bitsOf(come)
  const sides: readonly Side[] = [
    ...(come === undefined ? [] : [{ rows: come, sign: 1 as const, bitsBefore: 0 }]),
    ...(go === undefined ? [] : [{ rows: go, sign: -1 as const, bitsBefore: comeBits }]),
  ]
  const allBits = sides.reduce((sum, { rows }) => sum + bitsOf(rows), 0)
  const bitType = hasDayBits ? BIT_TYPES.find(({ bits }) => allBits <= bits)?.type : undefined
  const keys = key.map(quoteIdentifier).join(', ')
  const total = sums
    .map(quoteIdentifier)
    .map((name) => `coalesce(sum(${name}), 0)::BIGINT AS ${name}`)
  const columns = [keys, ...total].join(', ')
  const count = quoteIdentifier(how.daysCount)
  const rows = sides.map((side) => sideSql(of, side, bitType)).join(' UNION ALL ')
  if (bitType === undefined) {
    const byDay = `SELECT ${columns}, "mekong side", "mekong day" FROM (${rows}) GROUP BY ${keys}, "mekong side", "mekong day"`
    const days = sides.map(
      ({ sign }) => `${sign > 0 ? '+' : '-'} count("mekong day") FILTER ("mekong side" = ${sign})`,
    )
    return `SELECT ${columns}, (${days.join(' ')})::INTEGER AS ${count} FROM (${byDay}) GROUP BY ${keys}`
  }
  const days = sides.map((side) => `${side.sign > 0 ? '+' : '-'} ${daysSql(side, bitType)}`)
  return `SELECT ${columns}, (${days.join(' ')})::INTEGER AS ${count} FROM (${rows}) GROUP BY ${keys}`
}

/** How many of a side's days have a bit. */
function daysSql({ rows, bitsBefore }: Side, bitType: string): string {
  const mask = (1n << BigInt(bitsOf(rows))) - 1n
  return `bit_count((bit_or("mekong day") >> ${bitsBefore}) & ${mask}::${bitType})`
}

/** The author's rows, their numbers with the sign that they count with, and the day: as a bit where there is a type for all bits. */
function sideSql(
  { key, sums, small, how, rowCountMax = Number.POSITIVE_INFINITY }: TotalsSql,
  { rows: { rowsSql, scan, window }, sign, bitsBefore }: Side,
  bitType: string | undefined,
): string {
  const minus = sign > 0 ? '' : '-'
  const numbers = sums.map((name) => {
    const type = small.has(name) && rowCountMax <= EXACT_COUNT_MAX ? 'DOUBLE' : 'BIGINT'
    return `${minus}(${quoteIdentifier(name)}::${type}) AS ${quoteIdentifier(name)}`
  })
  const day = quoteIdentifier(how.day)
  const mark =
    bitType === undefined
      ? `${day} AS "mekong day", ${sign} AS "mekong side"`
      : `1::${bitType} << (${day} - ${dateSql(window.first)} + ${bitsBefore})::${bitType} AS "mekong day"`
  return (
    `SELECT ${[...key.map(quoteIdentifier), ...numbers, mark].join(', ')} ` +
    `FROM (WITH ${INCOMING} AS NOT MATERIALIZED (${scan}) SELECT * FROM (${rowsSql}\n))`
  )
}

/** A date as days since 1970. */
export const daySql = (date: string): string => `(${date} - DATE '1970-01-01')`

const dateSql = (day: number) => `DATE '${new Date(day * DAY_MS).toISOString().slice(0, 10)}'`
