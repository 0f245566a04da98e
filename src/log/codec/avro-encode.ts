import type { ByteWriter } from '../../model/avro/byte-writer.ts'
import type { AvroValue } from '../../model/avro/decode.ts'
import { encoderOf } from '../../model/avro/encode.ts'
import type { AvroRecord, AvroSchema } from '../../model/avro/schema.ts'
import { parseExactly } from '../../model/schema-check.ts'
import { DECIMAL_MARK, JSON_MARK } from './avro-schema.ts'
import { topLevelMembers } from './json-members.ts'

/** Writes the Avro of a JSON object's bytes; false, and nothing written that counts, when they do not fit the schema. */
export type JsonToAvro = (json: Uint8Array, to: ByteWriter) => boolean

type Member = (json: Uint8Array | undefined, to: ByteWriter) => void

const NULL = 'null'
const text = new TextDecoder()

/**
 * JSON objects as Avro values of a schema. Members that the schema does not name are left out; those that hold JSON are copied
 * byte for byte, unread: they are most of what there is.
 */
export function jsonToAvro(schema: AvroRecord): JsonToAvro {
  const fields = schema.fields.map(({ name, type }) => ({ name, write: memberOf(type) }))
  return (json, to) => {
    const members = topLevelMembers(json)
    if (members === undefined) return false
    try {
      for (const { name, write } of fields) {
        const slice = members.get(name)
        write(slice === undefined ? undefined : json.subarray(slice.start, slice.end), to)
      }
      return true
    } catch (error) {
      if (error instanceof RangeError || error instanceof SyntaxError) return false
      throw error
    }
  }
}

function memberOf(schema: AvroSchema): Member {
  const whole = schema.type === 'union' ? schema.branches[1]! : schema
  const optional = schema.type === 'union'
  if (holdsJson(whole)) {
    return (json, to) => {
      const isNull = json === undefined || (json.length === 4 && text.decode(json) === NULL)
      if (isNull && !optional) throw new RangeError('a value is missing')
      if (optional) to.int(isNull ? 0 : 1)
      if (!isNull) to.bytes(json!)
    }
  }
  const encode = encoderOf(schema)
  const convert = converterOf(schema)
  return (json, to) => {
    const source = json === undefined ? NULL : text.decode(json)
    encode(
      convert(JSON.parse(source), () => parseExactly(source)),
      to,
    )
  }
}

const holdsJson = (schema: AvroSchema) => schema.type === 'string' && schema[JSON_MARK] === true

/** A parsed JSON value as what the encoder takes. `exactly` reads the same again where JavaScript has rounded. */
type Converter = (value: unknown, exactly: () => unknown) => AvroValue

function converterOf(schema: AvroSchema): Converter {
  switch (schema.type) {
    case 'boolean':
      return expecting('boolean')
    case 'string':
      if (holdsJson(schema)) return (value) => JSON.stringify(value)
      if (schema[DECIMAL_MARK] === true)
        return (value) => (typeof value === 'number' ? String(value) : textOnly(value, NOTHING))
      return textOnly
    case 'int':
    case 'float':
    case 'double':
      return expecting('number')
    case 'long':
      return (value, exactly) => {
        const exact = Number.isSafeInteger(value) ? value : exactly()
        if (typeof exact !== 'bigint' && !Number.isSafeInteger(exact)) throw misfit(value)
        return BigInt(exact as number | bigint)
      }
    case 'union': {
      const convert = converterOf(schema.branches[1]!)
      return (value, exactly) =>
        value === null || value === undefined ? null : convert(value, exactly)
    }
    case 'array': {
      const convert = converterOf(schema.items)
      return (value, exactly) => {
        if (!Array.isArray(value)) throw misfit(value)
        return value.map((item, index) => convert(item, () => (exactly() as unknown[])[index]))
      }
    }
    case 'record':
      return recordConverter(schema)
    default:
      throw new RangeError(`topics have no values of type ${schema.type}`)
  }
}

function recordConverter(schema: AvroRecord): Converter {
  const fields = schema.fields.map(({ name, type }) => ({ name, convert: converterOf(type) }))
  return (value, exactly) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw misfit(value)
    const record = value as Readonly<Record<string, unknown>>
    return Object.fromEntries(
      fields.map(({ name, convert }) => [
        name,
        convert(record[name], () => (exactly() as Record<string, unknown>)[name]),
      ]),
    )
  }
}

const NOTHING = () => undefined

function expecting(type: 'boolean' | 'string' | 'number'): Converter {
  return (value) => {
    if (typeof value !== type) throw misfit(value)
    return value as AvroValue
  }
}

const textOnly = expecting('string')

const misfit = (value: unknown) => new RangeError(`${typeof value} does not fit`)
