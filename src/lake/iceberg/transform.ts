import type { Scalar } from '../../model/predicate.ts'
import { murmur3 } from './murmur3.ts'
import { bytesFromScalar, microsOfTime, minBigEndian } from './single-value.ts'

/** Partition transforms (table spec, "Partition Transforms"). What we do not know is kept and never used. */
export type Transform =
  | { readonly kind: 'identity' | 'year' | 'month' | 'day' | 'hour' | 'void' }
  | { readonly kind: 'bucket' | 'truncate'; readonly width: number }
  | { readonly kind: 'unknown'; readonly text: string }

const WITH_WIDTH = /^(bucket|truncate)\[(\d+)\]$/
const PLAIN: ReadonlySet<string> = new Set(['identity', 'year', 'month', 'day', 'hour', 'void'])

export function parseTransform(text: string): Transform {
  if (PLAIN.has(text)) return { kind: text as 'identity' }
  const match = WITH_WIDTH.exec(text)
  if (match !== null && Number(match[2]) > 0)
    return { kind: match[1] as 'bucket', width: Number(match[2]) }
  return { kind: 'unknown', text }
}

/** How a transform is written; null order and the like are the sort order's business. */
export function transformText(transform: Transform): string {
  if ('width' in transform) return `${transform.kind}[${transform.width}]`
  return transform.kind === 'unknown' ? transform.text : transform.kind
}

/** The Iceberg type of what a transform makes of a source type. */
export function resultType(transform: Transform, source: string): string {
  switch (transform.kind) {
    case 'identity':
    case 'truncate':
    case 'void':
    case 'unknown':
      return source
    case 'day':
      // The specification says int; its reference implementation writes a date. Both are days, in four bytes.
      return 'date'
    default:
      return 'int'
  }
}

const TIME_SOURCES: ReadonlySet<string> = new Set(['date', 'timestamp', 'timestamptz'])
const BUCKET_SOURCES =
  /^(int|long|date|time|timestamp|timestamptz|string|uuid|binary|decimal\(.*\)|fixed\[.*\])$/
const TRUNCATE_SOURCES = /^(int|long|string|binary|decimal\(.*\))$/

/** Whether a transform is defined for a source type. */
export function appliesTo(transform: Transform, source: string): boolean {
  switch (transform.kind) {
    case 'identity':
    case 'void':
      return true
    case 'bucket':
      return BUCKET_SOURCES.test(source)
    case 'truncate':
      return TRUNCATE_SOURCES.test(source)
    case 'hour':
      return TIME_SOURCES.has(source) && source !== 'date'
    case 'unknown':
      return false
    default:
      return TIME_SOURCES.has(source)
  }
}

/** What a transform makes of a value of type `source`. Only for transforms that `appliesTo` allows. */
export function applyTransform(
  transform: Transform,
  value: Scalar | null,
  source: string,
): Scalar | null {
  if (value === null || transform.kind === 'void' || transform.kind === 'unknown') return null
  switch (transform.kind) {
    case 'identity':
      return value
    case 'bucket':
      return BigInt((murmur3(hashedBytes(value, source)) & 0x7fff_ffff) % transform.width)
    case 'truncate':
      return truncated(value, transform.width)
    case 'hour':
      return floorDivide(value as bigint, HOUR_MICROS)
    case 'day':
      return daysOf(value as bigint, source)
    case 'month':
    case 'year': {
      const day = new Date(Number(daysOf(value as bigint, source)) * DAY_MS)
      const years = day.getUTCFullYear() - 1970
      return BigInt(transform.kind === 'year' ? years : years * 12 + day.getUTCMonth())
    }
  }
}

/** Values that a transform maps to one result. `min` and `max` are inclusive; absent where there is no such end. */
export interface Preimage {
  readonly min?: Scalar
  readonly max?: Scalar
}

/** The source values that may lie behind a result; `undefined` when that cannot be said as a range. */
export function preimage(
  transform: Transform,
  result: Scalar,
  source: string,
): Preimage | undefined {
  switch (transform.kind) {
    case 'identity':
      return { min: result, max: result }
    case 'truncate':
      return truncatePreimage(result, transform.width)
    case 'year':
    case 'month':
    case 'day':
    case 'hour': {
      const ordinal = Number(result as bigint)
      // Early writers rounded times before 1970 up instead of down, so that the unit before may be in there too.
      const first = ordinal <= 0 ? ordinal - 1 : ordinal
      return {
        min: unitStart(transform.kind, first, source),
        max: unitStart(transform.kind, ordinal + 1, source) - 1n,
      }
    }
    default:
      return undefined
  }
}

const DAY_MS = 86_400_000
const DAY_MICROS = 86_400_000_000n
const HOUR_MICROS = 3_600_000_000n

const daysOf = (value: bigint, source: string) =>
  source === 'date' ? value : floorDivide(value, DAY_MICROS)

function floorDivide(value: bigint, by: bigint): bigint {
  const quotient = value / by
  return value % by < 0n ? quotient - 1n : quotient
}

/** When a unit begins, counted from 1970, as a value of the source type. */
function unitStart(
  unit: 'year' | 'month' | 'day' | 'hour',
  ordinal: number,
  source: string,
): bigint {
  if (unit === 'hour') return BigInt(ordinal) * HOUR_MICROS
  const date = new Date(0)
  if (unit === 'year') date.setUTCFullYear(1970 + ordinal)
  else if (unit === 'month') date.setUTCMonth(ordinal)
  else date.setUTCDate(1 + ordinal)
  const days = BigInt(date.getTime() / DAY_MS)
  return source === 'date' ? days : days * DAY_MICROS
}

/** "Appendix B": integers of any width hash as 64 bits, decimals as their fewest bytes. */
function hashedBytes(value: Scalar, source: string): Uint8Array {
  if (typeof value === 'bigint' && !source.startsWith('decimal'))
    return new Uint8Array(BigInt64Array.of(value).buffer)
  if (typeof value === 'bigint') return minBigEndian(value)
  if (source === 'time')
    return new Uint8Array(BigInt64Array.of(microsOfTime(value as string)).buffer)
  return bytesFromScalar(value, source)!
}

function truncated(value: Scalar, width: number): Scalar {
  if (typeof value === 'bigint') return floorDivide(value, BigInt(width)) * BigInt(width)
  if (typeof value === 'string') return firstCodePoints(value, width)
  return (value as Uint8Array).subarray(0, width)
}

/** No more than `count` code points from the front. */
export function firstCodePoints(text: string, count: number): string {
  // As many code points take at least as many units.
  if (text.length <= count) return text
  let end = 0
  for (let index = 0; index < count && end < text.length; index += 1)
    end += text.codePointAt(end)! > 0xffff ? 2 : 1
  return text.slice(0, end)
}

function truncatePreimage(result: Scalar, width: number): Preimage {
  if (typeof result === 'bigint') return { min: result, max: result + BigInt(width) - 1n }
  if (typeof result === 'string') {
    if ([...result].length < width) return { min: result, max: result }
    const max = stringAfterPrefix(result)
    return max === undefined ? { min: result } : { min: result, max }
  }
  const bytes = result as Uint8Array
  if (bytes.length < width) return { min: bytes, max: bytes }
  const max = bytesAfterPrefix(bytes)
  return max === undefined ? { min: bytes } : { min: bytes, max }
}

/**
 * A string above every string that starts with `prefix`, no longer than it: its last code point that can be raised is,
 * and the rest is cut. `undefined` when none can be.
 */
export function stringAfterPrefix(prefix: string): string | undefined {
  const points = [...prefix]
  for (let index = points.length - 1; index >= 0; index -= 1) {
    const point = points[index]!.codePointAt(0)!
    if (point === 0x10ffff) continue
    // Surrogates are no characters; step over them.
    const next = point + 1 >= 0xd800 && point + 1 <= 0xdfff ? 0xe000 : point + 1
    return points.slice(0, index).join('') + String.fromCodePoint(next)
  }
  return undefined
}

/** The same for bytes. */
export function bytesAfterPrefix(prefix: Uint8Array): Uint8Array | undefined {
  for (let index = prefix.length - 1; index >= 0; index -= 1) {
    if (prefix[index] === 0xff) continue
    const next = prefix.slice(0, index + 1)
    next[index]! += 1
    return next
  }
  return undefined
}
