import type { ColumnType } from '../../model/column.ts'
import type { Scalar } from '../../model/predicate.ts'

/** Years that ISO 8601 writes with four digits. */
const YEAR_0000_MS = -62_167_219_200_000
const YEAR_9999_END_MS = 253_402_300_800_000

/**
 * A value as `scalarFromText` reads it, and as Delta writes it (PROTOCOL.md, "Partition Value Serialization"); `undefined` for days and
 * instants that cannot be written so.
 */
export function scalarText(value: Scalar, type: ColumnType): string | undefined {
  if (typeof type !== 'string')
    return type.kind === 'decimal' ? decimalText(value as bigint, type.scale) : String(value)
  switch (type) {
    case 'date':
      return instantText(BigInt(value as bigint) * 86_400_000_000n)?.slice(0, 10)
    case 'timestamp': {
      const text = instantText(value as bigint)
      return text === undefined ? undefined : `${text.replace(' ', 'T')}Z`
    }
    case 'timestamp_ntz':
      return instantText(value as bigint)
    default:
      return String(value)
  }
}

function instantText(micros: bigint): string | undefined {
  const fraction = ((micros % 1_000_000n) + 1_000_000n) % 1_000_000n
  const ms = Number((micros - fraction) / 1000n)
  if (ms < YEAR_0000_MS || ms >= YEAR_9999_END_MS) return undefined
  const iso = new Date(ms).toISOString()
  return `${iso.replace(/\.\d{3}Z$/, '').replace('T', ' ')}.${String(fraction).padStart(6, '0')}`
}

function decimalText(unscaled: bigint, scale: number): string {
  const sign = unscaled < 0n ? '-' : ''
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0')
  return scale === 0 ? sign + digits : `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}
