import type { ColumnType } from '../../model/column.ts'
import type { ColumnPath, Scalar } from '../../model/predicate.ts'
import { scalarFromText } from '../../model/scalar.ts'
import type { ColumnBounds } from '../file-skipping.ts'

/**
 * What the JSON statistics of a file say about one column (PROTOCOL.md, "Per-file Statistics"). Read from the text on
 * demand and one column at a time: a full parse of a hundred thousand of them would cost more than the scan.
 */
export interface StatsColumn {
  /** Physical names from the top. */
  readonly path: ColumnPath
  readonly type: ColumnType
  /**
   * Whether the column's name occurs once among all names of the schema, so that finding `"name":` in compact JSON finds
   * the column and nothing else.
   */
  readonly isNameUnique: boolean
}

/**
 * `undefined` when the statistics say nothing. Also right for a file with deleted rows: bounds then enclose more than
 * there is, and a null count of none or all still holds (PROTOCOL.md, "Per-file Statistics", wide bounds).
 */
export function boundsFromStats(
  stats: string | null,
  column: StatsColumn,
): ColumnBounds | undefined {
  if (stats === null) return undefined
  const found =
    column.isNameUnique && column.path.length === 1
      ? findCompact(stats, column.path[0]!)
      : findParsed(stats, column.path)
  return found === undefined ? undefined : boundsFromTokens(found, column.type)
}

/** The same, from the single statistics as text. */
export function boundsFromTokens(found: StatsTokens, type: ColumnType): ColumnBounds {
  const numRecords = numberOf(found.numRecords)
  const nullCount = numberOf(found.nullCount)
  const isAllNull = nullCount !== undefined && numRecords !== undefined && nullCount >= numRecords
  return {
    ...valueBounds(found, type),
    mayBeNull: nullCount === undefined || nullCount > 0,
    mayBeValue: !isAllNull,
  }
}

/** The same, from values of the column's type that were parsed already. */
export function boundsFromValues(
  found: {
    readonly numRecords: number | undefined
    readonly min: bigint | undefined
    readonly max: bigint | undefined
    readonly nullCount: number | undefined
  },
  type: ColumnType,
): ColumnBounds {
  const { numRecords, min, max, nullCount } = found
  return {
    min,
    max: max === undefined ? undefined : endOfMillisecond(max, type),
    mayBeNull: nullCount === undefined || nullCount > 0,
    mayBeValue: nullCount === undefined || numRecords === undefined || nullCount < numRecords,
  }
}

/** Timestamps are cut down to milliseconds, so that the true maximum is anywhere within the next one. */
const endOfMillisecond = (max: bigint, type: ColumnType): bigint =>
  (type === 'timestamp' || type === 'timestamp_ntz') && max % 1000n === 0n ? max + 999n : max

/** `numRecords` of a file; `undefined` when unknown. */
export function rowCountFromStats(stats: string | null): number | undefined {
  const match = stats === null ? null : /"numRecords"\s*:\s*(\d+)/.exec(stats)
  return match === null ? undefined : Number(match[1])
}

/** JSON tokens as they stand in the text, strings already unescaped. */
export interface StatsTokens {
  readonly numRecords: string | undefined
  readonly min: string | undefined
  readonly max: string | undefined
  readonly nullCount: string | undefined
}

function valueBounds(
  { min, max }: StatsTokens,
  type: ColumnType,
): { min?: Scalar | undefined; max?: Scalar | undefined } {
  let low = min === undefined ? undefined : scalarFromText(min, type)
  let high = max === undefined ? undefined : scalarFromText(max, type)
  if (typeof high === 'bigint') high = endOfMillisecond(high, type)
  if (type === 'float32' || type === 'float64') {
    // NaN is above every number, yet some writers leave it out of the maximum.
    high = undefined
    // Text like 0.234 may stand for a 32-bit float a little below, also after the column was widened.
    if (typeof low === 'number') low = Math.min(low, Math.fround(low))
  }
  return { min: low, max: high }
}

/** By searching compact JSON. Inside a JSON string every quote follows a backslash, so `,"name":` is never text. */
function findCompact(stats: string, name: string): StatsTokens | undefined {
  const key = `${JSON.stringify(name)}:`
  const minAt = stats.indexOf('"minValues":{')
  const maxAt = stats.indexOf('"maxValues":{')
  const nullsAt = stats.indexOf('"nullCount":{')
  if (minAt < 0 || maxAt < minAt || nullsAt < maxAt) return findParsed(stats, [name])
  return {
    numRecords: rowCountText(stats),
    min: tokenAfter(stats, key, minAt + 12, maxAt),
    max: tokenAfter(stats, key, maxAt + 12, nullsAt),
    nullCount: tokenAfter(stats, key, nullsAt + 12, stats.length),
  }
}

const rowCountText = (stats: string) => /"numRecords"\s*:\s*(\d+)/.exec(stats)?.[1]

function tokenAfter(stats: string, key: string, start: number, end: number): string | undefined {
  for (let at = stats.indexOf(key, start); at >= 0 && at < end; at = stats.indexOf(key, at + 1)) {
    const before = stats[at - 1]
    if (before !== '{' && before !== ',') continue
    const from = at + key.length
    if (stats[from] !== '"') {
      const token = /[^,}\s]*/y
      token.lastIndex = from
      const text = token.exec(stats)?.[0]
      return text === 'null' ? undefined : text
    }
    const quoted = /"(?:[^"\\]|\\.)*"/y
    quoted.lastIndex = from
    const text = quoted.exec(stats)?.[0]
    return text === undefined ? undefined : (JSON.parse(text) as string)
  }
  return undefined
}

function findParsed(stats: string, path: ColumnPath): StatsTokens | undefined {
  let parsed: Record<string, unknown>
  try {
    parsed = parseKeepingNumbers(stats)
  } catch {
    // Statistics are a help, never needed for a right answer.
    return undefined
  }
  const at = (group: string) => {
    const found = [group, ...path].reduce<unknown>(
      (value, name) =>
        typeof value === 'object' && value !== null
          ? (value as Record<string, unknown>)[name]
          : undefined,
      parsed,
    )
    return typeof found === 'string' || typeof found === 'boolean' ? String(found) : undefined
  }
  const { numRecords } = parsed
  return {
    numRecords: typeof numRecords === 'string' ? numRecords : undefined,
    min: at('minValues'),
    max: at('maxValues'),
    nullCount: at('nullCount'),
  }
}

/** JSON with every number as the text it was written as, because a double would round 64-bit integers and decimals. */
function parseKeepingNumbers(json: string): Record<string, unknown> {
  const reviver = (_key: string, value: unknown, context?: { source?: string }) =>
    typeof value === 'number' ? (context?.source ?? String(value)) : value
  return JSON.parse(json, reviver) as Record<string, unknown>
}

const numberOf = (text: string | undefined) => (text === undefined ? undefined : Number(text))
