import { isUtf8 } from 'node:buffer'
import type {
  DecimalField,
  Field,
  ListField,
  RecordField,
  RecordSchema,
} from '../../model/schema.ts'
import { compileSchemaCheck, parseExactly } from '../../model/schema-check.ts'

/** What became of one record's bytes: a JSON text that the engine reads without doubt, or the reason to turn it away. */
export type DecodedRecord =
  | { readonly status: 'decoded'; readonly document: string }
  | { readonly status: 'dead'; readonly reason: DeadReason; readonly message: string }

/** Words for dead letters: those of the schema check, and three for bytes that never got that far. */
export type DeadReason = string

/** One dead letter names at most so many problems. */
const MESSAGE_PROBLEM_COUNT_MAX = 5

/** Part of JavaScript since 2025 and of Node 24; TypeScript's library does not know it yet. */
const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown }

// A byte order mark is not part of JSON (RFC 8259, 8.1), so it is kept and makes the text malformed.
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true })

/**
 * The careful decoder: judges one record in TypeScript by the very check that the gateway uses, and writes it down
 * again in the plainest form (`model/schema.ts` fields only, whole numbers as digits, decimals and instants in full).
 * Some microseconds per record; for the few that SQL does not accept at once. Pure.
 */
export function recordDecoder(schema: RecordSchema): (value: Uint8Array) => DecodedRecord {
  const check = compileSchemaCheck(schema)
  return (value) => {
    if (!isUtf8(value))
      return dead('invalid_utf8', `The value (${value.length} bytes) is not UTF-8.`)
    const text = utf8.decode(value)
    let parsed: unknown
    try {
      parsed = parseExactly(text)
    } catch (error) {
      return dead('malformed_json', `The value is not JSON: ${(error as Error).message}.`)
    }
    const problems = check.problems(parsed)
    const first = problems[0]
    if (first !== undefined) {
      const told = problems.slice(0, MESSAGE_PROBLEM_COUNT_MAX)
      const more = problems.length - told.length
      const lines = told.map(
        ({ path, message }) => `${path === '' ? 'The record' : path}: ${message}`,
      )
      return dead(first.code, `${lines.join(' ')}${more > 0 ? ` And ${more} more.` : ''}`)
    }
    const document = JSON.stringify(plainRecord(schema.fields, parsed as object))
    // `JSON.stringify` escapes surrogates exactly when they have no partner.
    const lone = /(?<!\\)(?:\\\\)*\\ud[89a-f]/i.exec(document)
    if (lone !== null)
      return dead('bad_format', 'A text holds half of a surrogate pair, which no UTF-8 text can.')
    return { status: 'decoded', document }
  }
}

function dead(reason: DeadReason, message: string): DecodedRecord {
  return { status: 'dead', reason, message }
}

function plainRecord(fields: RecordSchema['fields'], value: object): Record<string, unknown> {
  const plain: Record<string, unknown> = Object.create(null)
  for (const [name, field] of Object.entries(fields)) {
    const cell: unknown = Object.hasOwn(value, name) ? value[name as never] : null
    plain[name] = cell === null || cell === undefined ? null : plainValue(field, cell)
  }
  return plain
}

function plainValue(field: Field, value: unknown): unknown {
  switch (field.kind) {
    case 'int32':
    case 'int64':
    case 'epoch':
      return rawJSON(BigInt(value as number | bigint).toString())
    case 'float64':
      return Number(value)
    case 'decimal':
      return plainDecimal(String(value), field as DecimalField)
    case 'json':
      return plainJson(value)
    case 'list':
      return (value as unknown[]).map((item) =>
        item === null ? null : plainValue((field as ListField).item, item),
      )
    case 'record':
      return plainRecord((field as RecordField).fields, value as object)
    default:
      return value
  }
}

/** JSON again, with whole numbers beyond 2^53 as they were written, and those beyond any double still beyond it. */
function plainJson(value: unknown): unknown {
  if (value === Infinity || value === -Infinity) return rawJSON(value > 0 ? '1e999' : '-1e999')
  if (typeof value === 'bigint') return rawJSON(value.toString())
  if (Array.isArray(value)) return value.map(plainJson)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, cell]) => [name, plainJson(cell)]))
}

/** `1.50e1` as `15`: digits without exponent and without zeros at the ends. The check has said that it fits. */
function plainDecimal(text: string, { scale }: DecimalField): string {
  const parts = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text)!
  const [, sign = '', integer = '', fraction = '', exponent = '0'] = parts
  const digits = integer + fraction
  if (/^0*$/.test(digits)) return '0'
  const pointAt = integer.length + Number(exponent)
  const padded = pointAt <= 0 ? '0'.repeat(1 - pointAt) + digits : digits.padEnd(pointAt, '0')
  const split = Math.max(pointAt, 1)
  const whole = padded.slice(0, split).replace(/^0+(?=\d)/, '')
  const rest = padded.slice(split).replace(/0+$/, '').slice(0, scale)
  return `${sign}${whole}${rest === '' ? '' : `.${rest}`}`
}
