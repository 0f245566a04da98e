import type { ColumnType } from './column.ts'
import type { Scalar } from './predicate.ts'
import { compareUtf8 } from './utf8-order.ts'

/**
 * Compare two scalars of one column type: negative, zero or positive. Floats are totally ordered with NaN above
 * everything and -0 equal to 0, as Spark and DuckDB have it.
 */
export function compareScalars(a: Scalar, b: Scalar): number {
  if (typeof a === 'string') return compareUtf8(a, b as string)
  if (a instanceof Uint8Array) return compareBytes(a, b as Uint8Array)
  if (typeof a === 'number') {
    const isNanA = Number.isNaN(a)
    const isNanB = Number.isNaN(b)
    if (isNanA || isNanB) return Number(isNanA) - Number(isNanB)
  }
  return a < b ? -1 : a > b ? 1 : 0
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const end = Math.min(a.length, b.length)
  for (let index = 0; index < end; index += 1)
    if (a[index] !== b[index]) return a[index]! - b[index]!
  return a.length - b.length
}

/**
 * A scalar from the text that Delta, Hive-style paths and DuckDB write; `undefined` when the text is no such value or
 * the type has no scalars. Times without a zone are read as UTC.
 */
export function scalarFromText(text: string, type: ColumnType): Scalar | undefined {
  if (typeof type !== 'string') {
    return type.kind === 'decimal' ? unscaledFromText(text, type.scale) : undefined
  }
  switch (type) {
    case 'boolean':
      return text === 'true' ? true : text === 'false' ? false : undefined
    case 'int8':
    case 'int16':
    case 'int32':
    case 'int64':
      return /^[+-]?\d+$/.test(text) ? BigInt(text.replace('+', '')) : undefined
    case 'float32': {
      const value = floatFromText(text)
      return value === undefined ? undefined : Math.fround(value)
    }
    case 'float64':
      return floatFromText(text)
    case 'string':
      return text
    case 'date':
      return daysFromText(text)
    case 'timestamp':
    case 'timestamp_ntz':
      return microsFromText(text)
    case 'binary':
      return undefined
  }
}

const SPECIAL_FLOATS: Readonly<Record<string, number>> = {
  nan: Number.NaN,
  inf: Number.POSITIVE_INFINITY,
  '+inf': Number.POSITIVE_INFINITY,
  '-inf': Number.NEGATIVE_INFINITY,
  infinity: Number.POSITIVE_INFINITY,
  '+infinity': Number.POSITIVE_INFINITY,
  '-infinity': Number.NEGATIVE_INFINITY,
}

function floatFromText(text: string): number | undefined {
  if (/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text)) return Number(text)
  return SPECIAL_FLOATS[text.toLowerCase()]
}

/** The exact number times ten to `scale`; also from `1.2E+3`. Digits past the scale must be zeros. */
function unscaledFromText(text: string, scale: number): bigint | undefined {
  const match = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3}))?$/.exec(text)
  if (match === null) return undefined
  const [, sign, whole = '', fraction = '', exponent = '0'] = match
  const digits = whole + fraction
  if (digits === '') return undefined
  const shift = scale - fraction.length + Number(exponent)
  const kept = shift >= 0 ? digits + '0'.repeat(shift) : digits.slice(0, shift)
  if (shift < 0 && /[1-9]/.test(digits.slice(shift))) return undefined
  const unscaled = BigInt(kept === '' ? '0' : kept)
  return sign === '-' ? -unscaled : unscaled
}

const DAY_MS = 86_400_000

function daysFromText(text: string): bigint | undefined {
  const match = /^([+-]?\d{4,})-(\d{1,2})-(\d{1,2})$/.exec(text)
  if (match === null) return undefined
  const ms = utcMs(Number(match[1]), Number(match[2]), Number(match[3]))
  return ms === undefined ? undefined : BigInt(ms / DAY_MS)
}

const TIMESTAMP =
  /^([+-]?\d{4,})-(\d{1,2})-(\d{1,2})(?:[T ](\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?)?\s*(Z|UTC|[+-]\d{2}(?::?\d{2}(?::?\d{2})?)?)?$/

/** Microseconds since 1970 in UTC; what is finer than a microsecond is cut off. */
function microsFromText(text: string): bigint | undefined {
  const match = TIMESTAMP.exec(text)
  if (match === null) return undefined
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '', zone] = match
  const ms = utcMs(Number(year), Number(month), Number(day))
  if (ms === undefined) return undefined
  const seconds = Number(hour) * 3600 + Number(minute) * 60 + Number(second) - offsetSeconds(zone)
  const micros = BigInt(fraction.padEnd(6, '0').slice(0, 6))
  return BigInt(ms) * 1000n + BigInt(seconds) * 1_000_000n + micros
}

function offsetSeconds(zone: string | undefined): number {
  if (zone === undefined || zone === 'Z' || zone === 'UTC') return 0
  const digits = zone.slice(1).replaceAll(':', '').padEnd(6, '0')
  const seconds =
    Number(digits.slice(0, 2)) * 3600 + Number(digits.slice(2, 4)) * 60 + Number(digits.slice(4))
  return zone.startsWith('-') ? -seconds : seconds
}

/** Midnight UTC of a day of the proleptic Gregorian calendar; `undefined` for a day that does not exist. */
function utcMs(year: number, month: number, day: number): number | undefined {
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  const isReal = date.getUTCMonth() === month - 1 && date.getUTCDate() === day
  return isReal ? date.getTime() : undefined
}
