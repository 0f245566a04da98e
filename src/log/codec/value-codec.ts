import { ByteReader } from '../../model/avro/byte-reader.ts'
import { ByteWriter } from '../../model/avro/byte-writer.ts'
import { type AvroRecord, avroSchemaJson, parseAvroSchema } from '../../model/avro/schema.ts'
import { type BytesColumn, bytesAt } from '../../model/record-batch.ts'
import { type AvroToJson, avroToJson } from './avro-decode.ts'
import { type JsonToAvro, jsonToAvro } from './avro-encode.ts'
import { avroFingerprint } from './avro-fingerprint.ts'

/**
 * Values of a topic between the JSON that the platform works with and the Avro that lies on the topic, a column at a time.
 *
 *   C3 01 | fingerprint of the schema, 8 bytes little-endian | the value   (Avro specification, "Single object encoding")
 *
 * No JSON begins with C3 01, so values that are none of the schema, and those from before the topic was coded, lie there as they came.
 */
export class ValueCodec {
  readonly #encoders = new Map<string, JsonToAvro>()
  readonly #decoders = new Map<string, AvroToJson>()

  /** Learn a schema. Returns its fingerprint in hex. @throws RangeError when it is none that topics have */
  learn(schemaJson: string): string {
    const schema = parseAvroSchema(schemaJson)
    const fingerprint = fingerprintOf(schema as AvroRecord)
    this.#decoders.set(fingerprint, avroToJson(schema))
    this.#encoders.set(fingerprint, jsonToAvro(schema as AvroRecord))
    return fingerprint
  }

  /** Fingerprints that occur in the values and have not been learnt. */
  unknown(values: BytesColumn): readonly string[] {
    const found = new Set<string>()
    for (let index = 0; index < values.ends.length; index += 1) {
      const fingerprint = fingerprintAt(bytesAt(values, index))
      if (fingerprint !== undefined && !this.#decoders.has(fingerprint)) found.add(fingerprint)
    }
    return [...found]
  }

  encode(values: BytesColumn, fingerprint: string): BytesColumn {
    const encode = this.#encoders.get(fingerprint)!
    const head = Uint8Array.of(...MARKER, ...Buffer.from(fingerprint, 'hex'))
    const one = new ByteWriter()
    return mapped(values, (value, to) => {
      one.clear()
      one.raw(head)
      to.raw(encode(value, one) ? one.written() : value)
    })
  }

  /** Values that are not coded, of a schema that is not known, or damaged, stay as they are. */
  decode(values: BytesColumn): BytesColumn {
    const one = new ByteWriter()
    return mapped(values, (value, to) => {
      const decode = this.#decoders.get(fingerprintAt(value) ?? '')
      one.clear()
      to.raw(decode !== undefined && decodes(decode, value, one) ? one.written() : value)
    })
  }
}

const MARKER = [0xc3, 0x01] as const
const HEAD_BYTES = 10

/** How many values are coded. */
export function countCoded(values: BytesColumn): number {
  let count = 0
  let start = 0
  for (const end of values.ends) {
    if (end - start >= HEAD_BYTES && isMarked(values.data, start)) count += 1
    start = end
  }
  return count
}

/** The fingerprint of a schema in hex, in the order in which it lies before a value. */
export function fingerprintOf(schema: AvroRecord): string {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(avroFingerprint(schema))
  return bytes.toString('hex')
}

/** A schema as it is registered. */
export const schemaText = (schema: AvroRecord): string => avroSchemaJson(schema)

const isMarked = (bytes: Uint8Array, at: number) =>
  bytes[at] === MARKER[0] && bytes[at + 1] === MARKER[1]

function fingerprintAt(value: Uint8Array): string | undefined {
  if (value.length < HEAD_BYTES || !isMarked(value, 0)) return undefined
  return Buffer.from(value.buffer, value.byteOffset + 2, 8).toString('hex')
}

function decodes(decode: AvroToJson, value: Uint8Array, to: ByteWriter): boolean {
  try {
    decode(new ByteReader(value.subarray(HEAD_BYTES)), to)
    return true
  } catch (error) {
    if (error instanceof RangeError) return false
    throw error
  }
}

function mapped(
  values: BytesColumn,
  write: (value: Uint8Array, to: ByteWriter) => void,
): BytesColumn {
  const to = new ByteWriter()
  const ends = new Uint32Array(values.ends.length)
  for (let index = 0; index < ends.length; index += 1) {
    write(bytesAt(values, index), to)
    ends[index] = to.length
  }
  return { data: to.written(), ends }
}
