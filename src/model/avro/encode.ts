import type { ByteWriter } from './byte-writer.ts'
import type { AvroRow, AvroValue } from './decode.ts'
import type { AvroSchema, AvroUnion } from './schema.ts'

export type Encoder = (value: AvroValue, to: ByteWriter) => void

const utf8 = new TextEncoder()

/**
 * A writer of values of one schema, the other way round from `decoderOf`. Unions may be of null and one other type,
 * as Iceberg's are; a record's missing member counts as null. It throws RangeError on a value that does not fit.
 */
export function encoderOf(schema: AvroSchema): Encoder {
  switch (schema.type) {
    case 'null':
      return () => {}
    case 'boolean':
      return (value, to) => to.byte(value === true ? 1 : 0)
    case 'int':
      return (value, to) => to.int(value as number)
    case 'long':
      return (value, to) => to.long(value as bigint)
    case 'float':
      return (value, to) => to.float(value as number)
    case 'double':
      return (value, to) => to.double(value as number)
    case 'bytes':
      return (value, to) => to.bytes(value as Uint8Array)
    case 'string':
      return (value, to) => to.bytes(utf8.encode(value as string))
    case 'fixed': {
      const { size, name } = schema
      return (value, to) => {
        const bytes = value as Uint8Array
        if (bytes.length !== size) throw new RangeError(`${name} is not ${size} bytes long`)
        to.raw(bytes)
      }
    }
    case 'enum': {
      const { symbols } = schema
      return (value, to) => {
        const index = symbols.indexOf(value as string)
        if (index < 0) throw new RangeError(`the enum has no symbol ${String(value)}`)
        to.int(index)
      }
    }
    case 'union':
      return optionalEncoder(schema)
    case 'array': {
      const item = encoderOf(schema.items)
      return (value, to) => {
        const items = value as readonly AvroValue[]
        if (items.length > 0) to.int(items.length)
        for (const each of items) item(each, to)
        to.int(0)
      }
    }
    case 'map': {
      const item = encoderOf(schema.values)
      return (value, to) => {
        const entries = value as ReadonlyMap<string, AvroValue>
        if (entries.size > 0) to.int(entries.size)
        for (const [key, each] of entries) {
          to.bytes(utf8.encode(key))
          item(each, to)
        }
        to.int(0)
      }
    }
    case 'record': {
      const fields = schema.fields.map(({ name, type }) => ({ name, encode: encoderOf(type) }))
      return (value, to) => {
        for (const { name, encode } of fields) encode((value as AvroRow)[name] ?? null, to)
      }
    }
  }
}

function optionalEncoder({ branches }: AvroUnion): Encoder {
  const nullIndex = branches.findIndex((branch) => branch.type === 'null')
  const valueIndex = branches.findIndex((branch) => branch.type !== 'null')
  if (branches.length !== 2 || nullIndex < 0 || valueIndex < 0)
    throw new RangeError('only unions of null and one other type can be written')
  const encode = encoderOf(branches[valueIndex]!)
  return (value, to) => {
    if (value === null) to.int(nullIndex)
    else {
      to.int(valueIndex)
      encode(value, to)
    }
  }
}
