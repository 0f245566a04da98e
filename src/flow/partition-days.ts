import { and, compare, or, type Predicate } from '../model/predicate.ts'
import type { TableState } from './table-door.ts'

const DAY_MS = 86_400_000
const DAY_MICROS = 86_400_000_000n

/** The last so many UTC days up to a moment, as days since 1970, newest first. */
export const lastDays = (nowMs: number, count: number): readonly number[] =>
  Array.from({ length: Math.ceil(count) + 1 }, (_, back) => Math.floor(nowMs / DAY_MS) - back)

/**
 * That a row is of one of some days, in words that a table's partitions settle: by a partition column that is a date, or by `day(…)` of an
 * instant. `undefined` when the table is not laid by day.
 */
export function dayPredicate(
  { partitionBy, columns }: Pick<TableState, 'partitionBy' | 'columns'>,
  days: readonly number[],
): Predicate | undefined {
  const typeOf = (name: string) => columns.find((column) => column.name === name)?.type
  for (const partition of partitionBy) {
    if (typeOf(partition) === 'date') {
      const value = (day: number) => ({ type: 'date', value: BigInt(day) }) as const
      return or(...days.map((day) => compare([partition], '=', value(day))))
    }
    const [, source] = /^day\((.+)\)$/.exec(partition) ?? []
    if (source === undefined) continue
    const type = typeOf(source)
    if (type !== 'timestamp' && type !== 'timestamp_ntz' && type !== 'date') continue
    const isDate = type === 'date'
    const value = (day: number) =>
      ({ type, value: isDate ? BigInt(day) : BigInt(day) * DAY_MICROS }) as const
    return or(
      ...days.map((day) =>
        and(compare([source], '>=', value(day)), compare([source], '<', value(day + 1))),
      ),
    )
  }
  return undefined
}
