import {
  DuckDBBlobValue,
  DuckDBDateValue,
  DuckDBDecimalValue,
  DuckDBListValue,
  DuckDBMapValue,
  DuckDBStructValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  type DuckDBValue,
} from '@duckdb/node-api'
import type { Column, ColumnType, DecimalType } from '../../model/column.ts'

// Values of the engine as a TypeScript step sees them (`Row` of `model/schema.ts`), and back: bigint for int64 and for
// instants (UTC microseconds), text for decimals and days, arrays, plain objects. Both directions are closures made once
// for each column, because they run once for each cell.

/** Turns one cell of the engine into the value a step sees; never called with null. */
export type ReadCell = (cell: DuckDBValue) => unknown
/** Turns a value from a step into a cell; never called with null. @throws TypeError, RangeError with a message for people */
export type WriteCell = (value: unknown) => DuckDBValue

const same = (cell: unknown) => cell as never

/** The reader of a type's cells. */
export function cellReader(type: ColumnType): ReadCell {
  if (typeof type === 'string') {
    switch (type) {
      case 'timestamp':
      case 'timestamp_ntz':
        return (cell) => (cell as DuckDBTimestampValue).micros
      case 'date':
        return String
      case 'binary':
        return (cell) => (cell as DuckDBBlobValue).bytes
      default:
        return same
    }
  }
  switch (type.kind) {
    case 'decimal':
      return String
    case 'list': {
      const read = nullable(cellReader(type.element))
      return (cell) => (cell as DuckDBListValue).items.map(read)
    }
    case 'map': {
      const readKey = cellReader(type.key)
      const readValue = nullable(cellReader(type.value))
      return (cell) =>
        new Map((cell as DuckDBMapValue).entries.map((e) => [readKey(e.key), readValue(e.value)]))
    }
    case 'struct': {
      const members = type.columns.map((c) => ({
        name: c.name,
        read: nullable(cellReader(c.type)),
      }))
      return (cell) => {
        const { entries } = cell as DuckDBStructValue
        const row: Record<string, unknown> = {}
        for (const { name, read } of members) row[name] = read(entries[name] ?? null)
        return row
      }
    }
  }
}

/** A reader that lets null through. */
export function nullable<In, Out>(read: (cell: In) => Out): (cell: In | null) => Out | null {
  return (cell) => (cell === null ? null : read(cell))
}

/** The writer of a column's cells, null included. @throws TypeError when null meets a column that has none */
export function columnWriter({ name, type, nullable: mayBeNull }: Column): WriteCell {
  const write = cellWriter(type, name)
  return (value) => {
    if (value !== null && value !== undefined) return write(value)
    if (mayBeNull) return null
    throw new TypeError(`${name} must have a value, found ${value}.`)
  }
}

const INTEGER_BITS = { int8: 8, int16: 16, int32: 32, int64: 64 } as const

function cellWriter(type: ColumnType, name: string): WriteCell {
  const wrong = (wanted: string, value: unknown) =>
    new TypeError(`${name} must be ${wanted}, found ${describe(value)}.`)
  if (typeof type !== 'string') return nestedWriter(type, name, wrong)
  switch (type) {
    case 'boolean':
      return expecting('true or false', (value) => typeof value === 'boolean')
    case 'string':
      return expecting('well-formed text', (v) => typeof v === 'string' && v.isWellFormed())
    case 'float32':
    case 'float64':
      return expecting('a number', (value) => typeof value === 'number')
    case 'int8':
    case 'int16':
    case 'int32':
    case 'int64':
      return integerWriter(INTEGER_BITS[type], wrong)
    case 'timestamp':
      return (value) => {
        if (typeof value !== 'bigint') throw wrong('UTC microseconds as a bigint', value)
        return new DuckDBTimestampTZValue(value)
      }
    case 'timestamp_ntz':
      return (value) => {
        if (typeof value !== 'bigint') throw wrong('microseconds as a bigint', value)
        return new DuckDBTimestampValue(value)
      }
    case 'date':
      return (value) => {
        const ms =
          typeof value === 'string' && /^\d{4}-\d\d-\d\d$/.test(value) ? Date.parse(value) : NaN
        if (Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 10) !== value)
          throw wrong('a day as YYYY-MM-DD', value)
        return new DuckDBDateValue(ms / 86_400_000)
      }
    case 'binary':
      return (value) => {
        if (!(value instanceof Uint8Array)) throw wrong('bytes', value)
        return new DuckDBBlobValue(value)
      }
  }

  function expecting(wanted: string, fits: (value: unknown) => boolean): WriteCell {
    return (value) => {
      if (!fits(value)) throw wrong(wanted, value)
      return value as DuckDBValue
    }
  }
}

type Wrong = (wanted: string, value: unknown) => TypeError

function integerWriter(bits: 8 | 16 | 32 | 64, wrong: Wrong): WriteCell {
  const min = -(2n ** BigInt(bits - 1))
  const max = -min - 1n
  const wanted = `a whole number from ${min} to ${max}`
  return (value) => {
    const whole =
      typeof value === 'bigint' || (typeof value === 'number' && Number.isSafeInteger(value))
    if (!whole || value < min || value > max) throw wrong(wanted, value)
    return bits === 64 ? BigInt(value) : Number(value)
  }
}

function nestedWriter(type: Exclude<ColumnType, string>, name: string, wrong: Wrong): WriteCell {
  switch (type.kind) {
    case 'decimal':
      return (value) => decimalOf(value, type, wrong)
    case 'list': {
      const { element, elementNullable } = type
      const write = columnWriter({ name: `${name}[]`, type: element, nullable: elementNullable })
      return (value) => {
        if (!Array.isArray(value)) throw wrong('a list', value)
        return new DuckDBListValue(value.map(write))
      }
    }
    case 'map': {
      const writeKey = cellWriter(type.key, `${name} key`)
      const writeValue = columnWriter({ name, type: type.value, nullable: type.valueNullable })
      return (value) => {
        if (!(value instanceof Map)) throw wrong('a Map', value)
        const entries = [...value].map(([k, v]) => ({ key: writeKey(k), value: writeValue(v) }))
        return new DuckDBMapValue(entries)
      }
    }
    case 'struct': {
      const members = type.columns.map((c) => ({
        name: c.name,
        write: columnWriter({ ...c, name: `${name}.${c.name}` }),
      }))
      return (value) => {
        if (typeof value !== 'object') throw wrong('an object', value)
        const row = value as Record<string, unknown>
        return new DuckDBStructValue(
          Object.fromEntries(members.map((m) => [m.name, m.write(row[m.name])])),
        )
      }
    }
  }
}

function decimalOf(value: unknown, { precision, scale }: DecimalType, wrong: Wrong): DuckDBValue {
  const wanted = `a decimal text of ${precision - scale} digits and ${scale} after the point`
  const parts = typeof value === 'string' ? /^(-?)(\d+)(?:\.(\d+))?$/.exec(value) : null
  if (parts === null) throw wrong(wanted, value)
  const [, sign, integer = '', fraction = ''] = parts
  const kept = fraction.replace(/0+$/, '')
  const digits = integer.replace(/^0+/, '')
  if (kept.length > scale || digits.length > precision - scale) throw wrong(wanted, value)
  const scaled = BigInt(digits + kept.padEnd(scale, '0') || '0')
  return new DuckDBDecimalValue(sign === '-' ? -scaled : scaled, precision, scale)
}

function describe(value: unknown): string {
  if (value === null) return 'null'
  if (typeof value === 'string') return `the text ${JSON.stringify(value.slice(0, 40))}`
  if (typeof value === 'object') return Array.isArray(value) ? 'a list' : 'an object'
  return `${typeof value} ${String(value).slice(0, 40)}`
}
