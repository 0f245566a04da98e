import type { AvroValue } from '../../model/avro/decode.ts'
import type { Scalar } from '../../model/predicate.ts'
import { scalarFromText } from '../../model/scalar.ts'
import { columnTypeOf, fixedLength } from './schema.ts'

/**
 * Single values in the three forms that Iceberg's metadata has them: binary, in bounds ("Appendix D", "Binary
 * single-value serialization"); Avro, in partition tuples ("Appendix A"); JSON, in defaults ("Appendix D", "JSON
 * single-value serialization"). Types are Iceberg's own names of primitives.
 */

const DAY_MICROS = 86_400_000_000n

/**
 * A value from its binary form, or from that of a type it was promoted from. `undefined` when the bytes are no such
 * value: bounds are a help, and a broken one tells nothing.
 */
export function scalarFromBytes(bytes: Uint8Array, type: string): Scalar | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const integer = (): bigint | undefined => {
    if (bytes.length === 8) return view.getBigInt64(0, true)
    return bytes.length === 4 ? BigInt(view.getInt32(0, true)) : undefined
  }
  switch (type) {
    case 'boolean':
      return bytes.length === 1 ? bytes[0] !== 0 : undefined
    case 'int':
    case 'long':
    case 'date':
      return integer()
    case 'timestamp':
    case 'timestamptz': {
      const value = integer()
      // Four bytes were a date before it was promoted.
      return value !== undefined && bytes.length === 4 ? value * DAY_MICROS : value
    }
    case 'time': {
      const value = integer()
      return value === undefined ? undefined : timeText(value)
    }
    case 'float':
    case 'double':
      if (bytes.length === 8) return view.getFloat64(0, true)
      return bytes.length === 4 ? view.getFloat32(0, true) : undefined
    case 'string':
      return new TextDecoder().decode(bytes)
    case 'uuid':
      return bytes.length === 16 ? uuidText(bytes) : undefined
    case 'binary':
      return bytes
    default:
      if (type.startsWith('decimal')) return bytes.length === 0 ? undefined : bigEndian(bytes)
      return fixedLength(type) === undefined ? undefined : bytes
  }
}

/** A value's binary form; `undefined` for types that have none here. */
export function bytesFromScalar(value: Scalar, type: string): Uint8Array | undefined {
  switch (type) {
    case 'boolean':
      return Uint8Array.of(value === true ? 1 : 0)
    case 'int':
    case 'date':
      return new Uint8Array(Int32Array.of(Number(value)).buffer)
    case 'long':
    case 'timestamp':
    case 'timestamptz':
      return new Uint8Array(BigInt64Array.of(value as bigint).buffer)
    case 'float':
      return new Uint8Array(Float32Array.of(value as number).buffer)
    case 'double':
      return new Uint8Array(Float64Array.of(value as number).buffer)
    case 'string':
      return new TextEncoder().encode(value as string)
    case 'uuid':
      return Uint8Array.from(Buffer.from((value as string).replaceAll('-', ''), 'hex'))
    case 'binary':
      return value as Uint8Array
    default:
      if (type.startsWith('decimal')) return minBigEndian(value as bigint)
      return fixedLength(type) === undefined ? undefined : (value as Uint8Array)
  }
}

/** A value of a partition tuple. @throws RangeError when the file holds another type than the spec says */
export function scalarFromAvro(value: AvroValue, type: string): Scalar | null {
  if (value === null) return null
  switch (type) {
    case 'boolean':
    case 'string':
    case 'float':
    case 'double':
      if (typeof value === (type === 'boolean' || type === 'string' ? type : 'number'))
        return value as Scalar
      break
    case 'int':
    case 'long':
    case 'date':
    case 'timestamp':
    case 'timestamptz':
    case 'time':
      if (typeof value === 'number' || typeof value === 'bigint')
        return type === 'time' ? timeText(BigInt(value)) : BigInt(value)
      break
    default: {
      // Some writers make a uuid a string.
      if (type === 'uuid' && typeof value === 'string') return value.toLowerCase()
      if (!(value instanceof Uint8Array)) break
      const scalar = scalarFromBytes(value, type)
      if (scalar !== undefined) return scalar
    }
  }
  throw new RangeError(`a partition value is no ${type}`)
}

/** The Avro form of a partition value. */
export function avroFromScalar(value: Scalar | null, type: string): AvroValue {
  if (value === null) return null
  switch (type) {
    case 'int':
    case 'date':
      return Number(value)
    case 'time':
      return microsOfTime(value as string)
    case 'uuid':
      return bytesFromScalar(value, type)!
    default:
      if (type.startsWith('decimal')) {
        const size = decimalBytes(type)
        const bytes = new Uint8Array(size).fill((value as bigint) < 0n ? 0xff : 0)
        const digits = minBigEndian(value as bigint)
        bytes.set(digits, size - digits.length)
        return bytes
      }
      return value
  }
}

/** A value from its JSON form, as `parseKeepingLongs` gives it; `undefined` when it is none of the type. */
export function scalarFromJson(json: unknown, type: string): Scalar | undefined {
  switch (type) {
    case 'boolean':
      return typeof json === 'boolean' ? json : undefined
    case 'int':
    case 'long':
      return typeof json === 'number' || typeof json === 'bigint' ? BigInt(json) : undefined
    case 'float':
    case 'double':
      return typeof json === 'number' || typeof json === 'bigint' ? Number(json) : undefined
    case 'binary':
      return typeof json === 'string' ? Uint8Array.from(Buffer.from(json, 'hex')) : undefined
    default:
      if (typeof json !== 'string') return undefined
      if (type === 'uuid') return json.toLowerCase()
      if (type === 'time') return timeText(microsOfTime(json))
      if (fixedLength(type) !== undefined) return Uint8Array.from(Buffer.from(json, 'hex'))
      return scalarFromText(json, columnTypeOf(type, 'A default value'))
  }
}

/** Bytes that a decimal takes in a fixed-length array: the fewest that hold its precision. */
export function decimalBytes(type: string): number {
  const precision = Number(/\((\d+)/.exec(type)?.[1])
  let limit = 10n ** BigInt(precision) - 1n
  let bits = 1
  for (; limit > 0n; limit >>= 1n) bits += 1
  return Math.ceil(bits / 8)
}

/** Two's complement, big-endian, without padding. */
export function minBigEndian(value: bigint): Uint8Array {
  let size = 1
  while (BigInt.asIntN(size * 8, value) !== value) size += 1
  const bytes = new Uint8Array(size)
  for (let index = size - 1, rest = value; index >= 0; index -= 1, rest >>= 8n)
    bytes[index] = Number(rest & 0xffn)
  return bytes
}

function bigEndian(bytes: Uint8Array): bigint {
  let value = 0n
  for (const byte of bytes) value = (value << 8n) | BigInt(byte)
  return BigInt.asIntN(bytes.length * 8, value)
}

function uuidText(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes).toString('hex')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

/** A time of day as DuckDB prints it: `17:10:34`, `17:10:34.5`. */
function timeText(micros: bigint): string {
  const seconds = micros / 1_000_000n
  const two = (value: bigint) => String(value).padStart(2, '0')
  const fraction = String(micros % 1_000_000n)
    .padStart(6, '0')
    .replace(/0+$/, '')
  const whole = `${two(seconds / 3600n)}:${two((seconds / 60n) % 60n)}:${two(seconds % 60n)}`
  return fraction === '' ? whole : `${whole}.${fraction}`
}

/** Microseconds since midnight of a time of day as `timeText` writes it. */
export function microsOfTime(text: string): bigint {
  const [hours = '0', minutes = '0', rest = '0'] = text.split(':')
  const [seconds = '0', fraction = ''] = rest.split('.')
  const whole = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)
  return BigInt(whole) * 1_000_000n + BigInt(fraction.padEnd(6, '0'))
}
