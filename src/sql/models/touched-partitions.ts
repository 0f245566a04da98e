import type { Columns, ColumnType } from '../../model/column.ts'
import {
  and,
  compare,
  isIn,
  isNull,
  or,
  type Predicate,
  type Value,
} from '../../model/predicate.ts'
import { scalarFromText } from '../../model/scalar.ts'
import type { PartitionReach, PartitionsMaterialization } from '../../model/sql-model.ts'
import { quoteIdentifier } from '../duckdb/quote-identifier.ts'
import { ModelInvalidError } from './errors.ts'
import { INCOMING, TOUCHED } from './read-model.ts'

/** Which partitions a run makes anew: values of `by` as the engine's texts, one row for each partition. */
export interface TouchedPartitions {
  readonly by: readonly string[]
  readonly rows: readonly (readonly (string | null)[])[]
}

/** SQL for the relation `touched`. `within` keeps partitions whose first value is in a range, for a backfill. */
export function touchedSql(
  { by }: PartitionsMaterialization,
  own: string | undefined,
  within?: { readonly from: string; readonly to: string },
): string {
  const names = by.map(quoteIdentifier).join(', ')
  const source = own === undefined ? INCOMING : `(${own}\n)`
  const range =
    within === undefined
      ? ''
      : ` WHERE ${quoteIdentifier(by[0]!)} BETWEEN DATE '${within.from}' AND DATE '${within.to}'`
  return `SELECT DISTINCT ${names} FROM ${source}${range}`
}

/** SQL that yields what is in `touched`, for `TouchedPartitions`. */
export const touchedTextSql = (by: readonly string[]): string =>
  `SELECT ${by.map((name) => `${quoteIdentifier(name)}::VARCHAR`).join(', ')} FROM ${TOUCHED}`

/** A model's statement with the rows of touched partitions alone. */
export const withinTouched = (sql: string, by: readonly string[]): string =>
  `SELECT made.* FROM (${sql}\n) AS made WHERE EXISTS (${matching('made', by)})`

/** Rows of a table that no touched partition holds. */
export const outsideTouched = (sql: string, by: readonly string[]): string =>
  `SELECT kept.* FROM (${sql}\n) AS kept WHERE NOT EXISTS (${matching('kept', by)})`

const matching = (rows: string, by: readonly string[]) =>
  `SELECT 1 FROM ${TOUCHED} WHERE ${by
    .map(
      (name) =>
        `${TOUCHED}.${quoteIdentifier(name)} IS NOT DISTINCT FROM ${rows}.${quoteIdentifier(name)}`,
    )
    .join(' AND ')}`

const DAY_MICROS = 86_400_000_000n

/** The condition that is true for the rows of some days of UTC, both ends included. */
export function withinDays(
  { column, type }: { readonly column: string; readonly type: 'date' | 'timestamp' },
  range: { readonly from: string; readonly to: string },
): Predicate {
  const days = (text: string) => BigInt(Date.parse(`${text}T00:00:00Z`)) / 86_400_000n
  const scale = type === 'date' ? 1n : DAY_MICROS
  return and(
    compare([column], '>=', { type, value: days(range.from) * scale }),
    compare([column], '<', { type, value: (days(range.to) + 1n) * scale }),
  )
}

/** The condition that is true for the rows of touched partitions. `columns` are the table's own. */
export function partitionsPredicate({ by, rows }: TouchedPartitions, columns: Columns): Predicate {
  const types = by.map((name) => columns.find((column) => column.name === name)!.type)
  const [only, ...others] = by
  if (others.length === 0) {
    const values = rows.flatMap(([text]) => (text === null ? [] : [valueIn(text!, types[0]!)]))
    const known = isIn([only!], values)
    return values.length === rows.length ? known : or(known, isNull(only!))
  }
  return or(
    ...rows.map((row) =>
      and(
        ...row.map((text, index) =>
          text === null
            ? isNull(by[index]!)
            : compare([by[index]!], '=', valueIn(text, types[index]!)),
        ),
      ),
    ),
  )
}

/** Above so many values, a range says which rows of a table are needed: each value is compared with each file. */
const VALUE_COUNT_MAX = 400

/**
 * The rows of a table that touched partitions need, as far as the model says; `undefined` for all.
 * @throws ModelInvalidError when it names a column that is not there
 */
export function reachPredicate(
  { by, rows }: TouchedPartitions,
  reaches: Readonly<Record<string, PartitionReach>> | undefined,
  table: { readonly name: string; readonly columns: Columns },
): Predicate | undefined {
  const parts: Predicate[] = []
  for (const [column, { of, daysBefore, daysAfter }] of Object.entries(reaches ?? {})) {
    const type = table.columns.find(({ name }) => name === column)?.type
    const isDay = type === 'date'
    if (type === undefined || (!isDay && daysBefore + daysAfter > 0))
      throw new ModelInvalidError(
        `A model reads ${table.name} by ${column}, ${type === undefined ? 'which is no column of it' : 'which is no day, so that there are none before or after it'}. Its columns are ${table.columns.map(({ name }) => name).join(', ')}.`,
      )
    const texts = rows.map((row) => row[by.indexOf(of)]!)
    // A partition without a value may need anything.
    if (texts.some((text) => text === null)) continue
    const values = new Map<string, Value>()
    for (const text of texts)
      for (const value of around(valueIn(text!, type), daysBefore, daysAfter))
        values.set(String(value.value), value)
    const all = [...values.values()]
    parts.push(all.length > VALUE_COUNT_MAX ? rangeOf(column, all) : isIn([column], all))
  }
  return parts.length === 0 ? undefined : and(...parts)
}

function around(value: Value, daysBefore: number, daysAfter: number): readonly Value[] {
  if (daysBefore + daysAfter === 0) return [value]
  const day = value.value as bigint
  return Array.from({ length: daysBefore + daysAfter + 1 }, (_, index) => ({
    type: value.type,
    value: day + BigInt(index - daysBefore),
  }))
}

function rangeOf(column: string, values: readonly Value[]): Predicate {
  const isBelow = (a: Value, b: Value) => a.value < b.value
  let [min, max] = [values[0]!, values[0]!]
  for (const value of values) {
    if (isBelow(value, min)) min = value
    if (isBelow(max, value)) max = value
  }
  return and(compare([column], '>=', min), compare([column], '<=', max))
}

function valueIn(text: string, type: ColumnType): Value {
  const value = scalarFromText(text, type)
  if (value === undefined)
    throw new ModelInvalidError(
      `A partition's value ${JSON.stringify(text)} cannot be compared as what the table has in this column. Give both the same type.`,
    )
  return { type, value }
}
