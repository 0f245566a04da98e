import type { Column, ColumnType } from '../../model/column.ts'
import { SinkConfigError } from '../errors.ts'

// Our column types and MySQL's. Lossy: timestamp keeps the instant in UTC, without a zone of its own; list, struct and map arrive as JSON text; NaN and
// infinities have no place in MySQL and become null.

/** utf8mb4 takes four bytes a character, and InnoDB's index 3,072. */
const KEY_CHARACTERS_MAX = 700
const VARCHAR_STEPS = [16, 64, 255, 1_000]

const SCALARS: Readonly<Record<string, string>> = {
  boolean: 'TINYINT(1)',
  int8: 'TINYINT',
  int16: 'SMALLINT',
  int32: 'INT',
  int64: 'BIGINT',
  float32: 'FLOAT',
  float64: 'DOUBLE',
  binary: 'LONGBLOB',
  date: 'DATE',
  timestamp: 'DATETIME(6)',
  timestamp_ntz: 'DATETIME(6)',
}

export interface ColumnFacts {
  /** Whether it is part of a key or an index. */
  readonly isIndexed: boolean
  /** The longest text, in characters. */
  readonly textLength: number
  /** A collation that tells every text from every other, as the key of a lake table does. */
  readonly exactCollation: string
}

/** @throws SinkConfigError where an indexed text is too long for an index */
export function mysqlType({ name, type }: Column, facts: ColumnFacts): string {
  if (type === 'string') return textType(name, facts)
  if (typeof type === 'string') return SCALARS[type]!
  return type.kind === 'decimal' ? `DECIMAL(${type.precision},${type.scale})` : 'LONGTEXT'
}

function textType(name: string, { isIndexed, textLength, exactCollation }: ColumnFacts): string {
  if (isIndexed && textLength > KEY_CHARACTERS_MAX)
    throw new SinkConfigError(
      `Column "${name}" is in a key or index and holds a text of ${textLength} characters; MySQL's indexes take ${KEY_CHARACTERS_MAX}. Nothing was published. Leave it out of the key, or shorten it in the model.`,
    )
  const size = isIndexed
    ? Math.max(
        64,
        ...VARCHAR_STEPS.filter((step) => step <= KEY_CHARACTERS_MAX && step <= textLength * 2),
        textLength,
      )
    : VARCHAR_STEPS.find((step) => step >= textLength)
  const plain = size === undefined ? 'LONGTEXT' : `VARCHAR(${size})`
  return isIndexed ? `${plain} CHARACTER SET utf8mb4 COLLATE ${exactCollation}` : plain
}

/** A value as the driver writes it into a statement: whole numbers and times as text, so that nothing is rounded. */
export function mysqlValue(value: unknown, type: ColumnType): unknown {
  if (value === null || value === undefined) return null
  if (type === 'timestamp' || type === 'timestamp_ntz') return dateTimeText(value as bigint)
  if (typeof value === 'bigint') return String(value)
  if (typeof value === 'number') return Number.isFinite(value) ? value : null
  if (value instanceof Uint8Array) return Buffer.from(value)
  return typeof value === 'object' ? JSON.stringify(value, bigintText) : value
}

const bigintText = (_key: string, value: unknown) =>
  typeof value === 'bigint' ? String(value) : value

/** `2022-06-01 10:00:00.000000` for UTC microseconds. */
function dateTimeText(micros: bigint): string {
  const below = ((micros % 1_000_000n) + 1_000_000n) % 1_000_000n
  const seconds = (micros - below) / 1_000_000n
  const text = new Date(Number(seconds) * 1_000).toISOString()
  return `${text.slice(0, 10)} ${text.slice(11, 19)}.${String(below).padStart(6, '0')}`
}

/** Types of the wire protocol (https://dev.mysql.com/doc/dev/mysql-server/latest/field__types_8h.html) as ours, for reading back. */
export function columnTypeOf(wireType: number): ColumnType {
  switch (wireType) {
    case 1:
    case 2:
    case 3:
    case 8:
      return 'int64'
    case 4:
    case 5:
      return 'float64'
    case 10:
      return 'date'
    case 7:
    case 12:
      return 'timestamp_ntz'
    default:
      return 'string'
  }
}
