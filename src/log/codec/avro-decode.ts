import type { ByteReader } from '../../model/avro/byte-reader.ts'
import type { ByteWriter } from '../../model/avro/byte-writer.ts'
import type { AvroSchema } from '../../model/avro/schema.ts'
import { JSON_MARK } from './avro-schema.ts'

/** Writes one Avro value as JSON. @throws RangeError when the bytes are none of the schema */
export type AvroToJson = (from: ByteReader, to: ByteWriter) => void

const utf8 = new TextEncoder()
const text = new TextDecoder()
const bytesOf = (json: string) => utf8.encode(json)
const NULL = bytesOf('null')
const TRUE = bytesOf('true')
const FALSE = bytesOf('false')
const QUOTE = 0x22

/** Avro values of a schema as JSON. Texts that hold JSON are put in as they are. */
export function avroToJson(schema: AvroSchema): AvroToJson {
  switch (schema.type) {
    case 'null':
      return (_, to) => to.raw(NULL)
    case 'boolean':
      return (from, to) => to.raw(from.byte() === 0 ? FALSE : TRUE)
    case 'int':
      return (from, to) => to.raw(bytesOf(String(from.int())))
    case 'long':
      return (from, to) => to.raw(bytesOf(String(from.long())))
    case 'float':
      return (from, to) => to.raw(bytesOf(JSON.stringify(from.float())))
    case 'double':
      return (from, to) => to.raw(bytesOf(JSON.stringify(from.double())))
    case 'string':
      return schema[JSON_MARK] === true
        ? (from, to) => to.raw(from.bytes())
        : (from, to) => writeText(from.bytes(), to)
    case 'union': {
      const branches = schema.branches.map(avroToJson)
      return (from, to) => {
        const branch = branches[from.int()]
        if (branch === undefined) throw new RangeError('a union has no such branch')
        branch(from, to)
      }
    }
    case 'array': {
      const item = avroToJson(schema.items)
      return (from, to) => writeList(from, to, item)
    }
    case 'record': {
      const fields = schema.fields.map(({ name, type }, index) => ({
        head: bytesOf(`${index === 0 ? '{' : ','}${JSON.stringify(name)}:`),
        write: avroToJson(type),
      }))
      return (from, to) => {
        for (const { head, write } of fields) {
          to.raw(head)
          write(from, to)
        }
        to.byte(0x7d)
      }
    }
    default:
      throw new RangeError(`topics have no values of type ${schema.type}`)
  }
}

/** Blocks of items: a count (negative: and the block's size in bytes), the items; a count of 0 ends. */
function writeList(from: ByteReader, to: ByteWriter, item: AvroToJson): void {
  let isFirst = true
  to.byte(0x5b)
  for (let count = from.int(); count !== 0; count = from.int()) {
    if (count < 0) from.int()
    for (let index = Math.abs(count); index > 0; index -= 1) {
      if (!isFirst) to.byte(0x2c)
      isFirst = false
      item(from, to)
    }
  }
  to.byte(0x5d)
}

function writeText(bytes: Uint8Array, to: ByteWriter): void {
  for (const byte of bytes) {
    if (byte >= 0x20 && byte !== QUOTE && byte !== 0x5c) continue
    to.raw(bytesOf(JSON.stringify(text.decode(bytes))))
    return
  }
  to.byte(QUOTE)
  to.raw(bytes)
  to.byte(QUOTE)
}
