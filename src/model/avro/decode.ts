import type { ByteReader } from './byte-reader.ts'
import type { AvroField, AvroRecord, AvroSchema } from './schema.ts'

/**
 * | Avro            | here                               |
 * | --------------- | ---------------------------------- |
 * | int             | number                             |
 * | long            | bigint                             |
 * | float, double   | number                             |
 * | bytes, fixed    | Uint8Array, a view of the file     |
 * | string, enum    | string                             |
 * | array           | array                              |
 * | map             | Map from string                    |
 * | record          | plain object                       |
 * | union           | the value of its branch            |
 *
 * Logical types are not looked at.
 */
export type AvroValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly AvroValue[]
  | ReadonlyMap<string, AvroValue>
  | AvroRow

export interface AvroRow {
  readonly [name: string]: AvroValue
}

export type Decoder = (from: ByteReader) => AvroValue

/** What a record's field is called in the decoded object; `undefined` leaves it out. */
export type FieldNaming = (field: AvroField, record: AvroRecord) => string | undefined

const text = new TextDecoder()

/** A reader of values of one schema, made once and used for many. It throws RangeError on bytes that are none. */
export function decoderOf(
  schema: AvroSchema,
  naming: FieldNaming = (field) => field.name,
): Decoder {
  switch (schema.type) {
    case 'null':
      return () => null
    case 'boolean':
      return (from) => from.byte() !== 0
    case 'int':
      return (from) => from.int()
    case 'long':
      return (from) => from.long()
    case 'float':
      return (from) => from.float()
    case 'double':
      return (from) => from.double()
    case 'bytes':
      return (from) => from.bytes()
    case 'string':
      return (from) => text.decode(from.bytes())
    case 'fixed': {
      const { size } = schema
      return (from) => from.take(size)
    }
    case 'enum': {
      const { symbols } = schema
      return (from) => {
        const symbol = symbols[from.int()]
        if (symbol === undefined) throw new RangeError('an enum has no such symbol')
        return symbol
      }
    }
    case 'union': {
      const branches = schema.branches.map((branch) => decoderOf(branch, naming))
      return (from) => {
        const branch = branches[from.int()]
        if (branch === undefined) throw new RangeError('a union has no such branch')
        return branch(from)
      }
    }
    case 'array': {
      const item = decoderOf(schema.items, naming)
      return (from) => {
        const items: AvroValue[] = []
        eachBlock(from, (count) => {
          for (let index = 0; index < count; index += 1) items.push(item(from))
        })
        return items
      }
    }
    case 'map': {
      const value = decoderOf(schema.values, naming)
      return (from) => {
        const entries = new Map<string, AvroValue>()
        eachBlock(from, (count) => {
          for (let index = 0; index < count; index += 1)
            entries.set(text.decode(from.bytes()), value(from))
        })
        return entries
      }
    }
    case 'record':
      return recordDecoder(schema, naming)
  }
}

function recordDecoder(schema: AvroRecord, naming: FieldNaming): Decoder {
  const fields = schema.fields.map((field) => {
    const name = naming(field, schema)
    return name === undefined
      ? { name, decode: skipperOf(field.type) }
      : { name, decode: decoderOf(field.type, naming) }
  })
  return (from) => {
    const row: Record<string, AvroValue> = {}
    for (const { name, decode } of fields) {
      if (name === undefined) decode(from)
      else row[name] = decode(from)
    }
    return row
  }
}

/** A reader that only moves on. */
function skipperOf(schema: AvroSchema): Decoder {
  switch (schema.type) {
    case 'string':
    case 'bytes':
      return (from) => {
        from.bytes()
        return null
      }
    case 'record': {
      const fields = schema.fields.map((field) => skipperOf(field.type))
      return (from) => {
        for (const skip of fields) skip(from)
        return null
      }
    }
    case 'union': {
      const branches = schema.branches.map(skipperOf)
      return (from) => {
        const branch = branches[from.int()]
        if (branch === undefined) throw new RangeError('a union has no such branch')
        return branch(from)
      }
    }
    case 'array':
    case 'map': {
      const item = skipperOf(schema.type === 'array' ? schema.items : schema.values)
      const hasKeys = schema.type === 'map'
      return (from) => {
        eachBlock(from, (count) => {
          for (let index = 0; index < count; index += 1) {
            if (hasKeys) from.bytes()
            item(from)
          }
        })
        return null
      }
    }
    default:
      return decoderOf(schema)
  }
}

/** Arrays and maps come in blocks: a count (negative: and its size in bytes), the items; a count of 0 ends. */
function eachBlock(from: ByteReader, read: (count: number) => void): void {
  for (;;) {
    const count = from.int()
    if (count === 0) return
    if (count < 0) from.int()
    // Whatever is in them, that many items need not be believed of so few bytes.
    if (Math.abs(count) > from.remaining * 8 + 1024) throw new RangeError('a block is too long')
    read(Math.abs(count))
  }
}
