import { promisify } from 'node:util'
import { crc32, deflateRaw, inflateRaw, zstdDecompress } from 'node:zlib'
import { ByteReader } from '../../../model/avro/byte-reader.ts'
import { ByteWriter } from '../../../model/avro/byte-writer.ts'
import { type AvroRow, decoderOf, type FieldNaming } from '../../../model/avro/decode.ts'
import { encoderOf } from '../../../model/avro/encode.ts'
import { type AvroSchema, avroSchemaJson, parseAvroSchema } from '../../../model/avro/schema.ts'
import { unsnappy } from './snappy.ts'

/**
 * Avro object container files (Avro specification, "Object Container Files").
 *
 *   'O' 'b' 'j' 1, map from string to bytes (`avro.schema`, `avro.codec`, the writer's own), 16 bytes sync
 *   blocks: long row count, long byte count, rows (compressed by the codec), the same 16 bytes sync
 */
const MAGIC = Uint8Array.of(0x4f, 0x62, 0x6a, 0x01)
const SYNC_BYTES = 16
/** What a block holds before compression, at least, when there is more: Avro's own writers use about as much. */
const BLOCK_BYTES = 64 * 1024

export interface AvroFile {
  readonly schema: AvroSchema
  /** The writer's own entries, as text. */
  readonly metadata: ReadonlyMap<string, string>
  readonly codec: string
  /** Rows block by block, the event loop getting its turn between. @throws RangeError when the file is damaged */
  blocks(naming?: FieldNaming): AsyncGenerator<readonly AvroRow[]>
}

const inflate = promisify(inflateRaw)
const deflate = promisify(deflateRaw)
const unzstd = promisify(zstdDecompress)
const text = new TextDecoder()

/** Read the head of a file. @throws RangeError when it is no Avro file, or compressed in a way we do not know */
export function openAvroFile(bytes: Uint8Array): AvroFile {
  const from = new ByteReader(bytes)
  if (!sameBytes(from.take(4), MAGIC)) throw new RangeError('it is not an Avro file')
  const head = decoderOf({ type: 'map', values: { type: 'bytes' } })(from)
  const metadata = new Map<string, string>()
  for (const [key, value] of head as ReadonlyMap<string, Uint8Array>)
    metadata.set(key, text.decode(value))
  const schema = parseAvroSchema(metadata.get('avro.schema') ?? '')
  const codec = metadata.get('avro.codec') ?? 'null'
  const expand = expanderOf(codec)
  const sync = from.take(SYNC_BYTES)
  const start = from.at
  return {
    schema,
    metadata,
    codec,
    async *blocks(naming) {
      const decode = decoderOf(schema, naming)
      const blocks = new ByteReader(bytes)
      blocks.take(start)
      while (blocks.remaining > 0) {
        const count = blocks.int()
        const packed = blocks.bytes()
        if (!sameBytes(blocks.take(SYNC_BYTES), sync)) throw new RangeError('a sync mark is wrong')
        const rows = new ByteReader(await expand(packed))
        const decoded: AvroRow[] = []
        for (let index = 0; index < count; index += 1) decoded.push(decode(rows) as AvroRow)
        if (rows.remaining > 0) throw new RangeError('a block is longer than its rows')
        yield decoded
      }
    },
  }
}

export interface WriteAvroOptions {
  readonly schema: AvroSchema
  readonly metadata: Readonly<Record<string, string>>
  readonly rows: Iterable<AvroRow>
  /** 16 bytes of chance, to tell blocks apart. */
  readonly sync: Uint8Array
  /** Default: `deflate`, which every reader has. */
  readonly codec?: 'null' | 'deflate'
}

/** The bytes of a file. @throws RangeError when a row does not fit the schema */
export async function writeAvroFile(options: WriteAvroOptions): Promise<Uint8Array> {
  const { schema, rows, sync, codec = 'deflate' } = options
  const file = new ByteWriter()
  file.raw(MAGIC)
  const head = { ...options.metadata, 'avro.schema': avroSchemaJson(schema), 'avro.codec': codec }
  const entries = Object.entries(head).map(
    ([key, value]) => [key, new TextEncoder().encode(value)] as const,
  )
  encoderOf({ type: 'map', values: { type: 'bytes' } })(new Map(entries), file)
  file.raw(sync)
  const encode = encoderOf(schema)
  let block = new ByteWriter()
  let count = 0
  const finishBlock = async () => {
    if (count === 0) return
    file.long(BigInt(count))
    file.bytes(codec === 'deflate' ? await deflate(block.written()) : block.written())
    file.raw(sync)
    block = new ByteWriter()
    count = 0
  }
  for (const row of rows) {
    encode(row, block)
    count += 1
    if (block.length >= BLOCK_BYTES) await finishBlock()
  }
  await finishBlock()
  return file.written()
}

function expanderOf(codec: string): (bytes: Uint8Array) => Promise<Uint8Array> {
  switch (codec) {
    case 'null':
      return async (bytes) => bytes
    case 'deflate':
      return (bytes) => orDamaged(inflate(bytes))
    case 'zstandard':
      return (bytes) => orDamaged(unzstd(bytes))
    case 'snappy':
      return async (bytes) => {
        const end = bytes.length - 4
        if (end < 0) throw new RangeError('a snappy block is too short')
        const expanded = unsnappy(bytes.subarray(0, end))
        const checksum = new DataView(bytes.buffer, bytes.byteOffset + end, 4).getUint32(0)
        if (crc32(expanded) !== checksum) throw new RangeError('a snappy block fails its checksum')
        return expanded
      }
    default:
      throw new RangeError(`it is compressed with ${codec}, which we cannot read`)
  }
}

async function orDamaged(expanding: Promise<Uint8Array>): Promise<Uint8Array> {
  try {
    return await expanding
  } catch (cause) {
    throw new RangeError('a compressed block is damaged', { cause })
  }
}

const sameBytes = (a: Uint8Array, b: Uint8Array) =>
  a.length === b.length && a.every((byte, index) => byte === b[index])
