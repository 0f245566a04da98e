import type { ColumnType } from '../../model/column.ts'
import type { Scalar } from '../../model/predicate.ts'
import { quoteText } from './quote-identifier.ts'
import { duckdbType } from './type-mapping.ts'

/** A scalar as a literal of exactly its type; independent of the session's settings. */
export function literalSql(value: Scalar | null, type: ColumnType): string {
  const target = duckdbType(type)
  if (value === null) return `NULL::${target}`
  if (value instanceof Uint8Array) return `unhex('${Buffer.from(value).toString('hex')}')`
  if (typeof value === 'string') return `${quoteText(value)}::${target}`
  if (typeof value === 'boolean') return String(value)
  if (typeof value === 'number') return `'${floatText(value)}'::${target}`
  if (typeof type !== 'string')
    return `${quoteText(unscaledText(value, type.kind === 'decimal' ? type.scale : 0))}::${target}`
  switch (type) {
    case 'date':
      return `(DATE '1970-01-01' + ${value}::INTEGER)`
    case 'timestamp':
      return `make_timestamptz(${value}::BIGINT)`
    case 'timestamp_ntz':
      return `make_timestamp(${value}::BIGINT)`
    default:
      return `${quoteText(String(value))}::${target}`
  }
}

function floatText(value: number): string {
  if (Number.isNaN(value)) return 'nan'
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf'
  return Object.is(value, -0) ? '-0.0' : String(value)
}

function unscaledText(unscaled: bigint, scale: number): string {
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0')
  const sign = unscaled < 0n ? '-' : ''
  const whole = digits.slice(0, digits.length - scale)
  return scale === 0 ? sign + whole : `${sign}${whole}.${digits.slice(-scale)}`
}
