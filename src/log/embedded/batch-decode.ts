import { crc32 } from 'node:zlib'
import { type BytesColumn, bytesAt } from '../../model/record-batch.ts'
import { LogCorruptError } from '../errors.ts'
import {
  BATCH_HEADER_BYTES,
  BATCH_RECORD_BYTES,
  BATCH_VERSION,
  FLAG_INDEXED_IDS,
} from './batch-encode.ts'

/** A batch blob looked at through views; nothing is copied. Layout: see `batch-encode.ts`. */
export interface StoredBatch {
  readonly offset: number
  readonly partitionNumber: number
  readonly recordCount: number
  readonly hasIndexedIds: boolean
  readonly arrivedMs: Float64Array
  readonly ids: BytesColumn
  readonly keys: BytesColumn
  readonly headers: BytesColumn
  readonly values: BytesColumn
}

/**
 * Views over a blob. Its checksum and the sum of its lengths are checked, so what comes out is what
 * was written.
 * @throws LogCorruptError
 */
export function decodeBatch(blob: Uint8Array): StoredBatch {
  const bytes = blob.byteOffset % 8 === 0 ? blob : blob.slice()
  if (bytes.length < BATCH_HEADER_BYTES) throw corrupt(`it has only ${bytes.length} bytes`)
  if (bytes[0] !== BATCH_VERSION)
    throw corrupt(`its version is ${bytes[0]}, this program reads ${BATCH_VERSION}`)
  const header = new Uint32Array(bytes.buffer, bytes.byteOffset, BATCH_HEADER_BYTES / 4)
  if (header[1] !== crc32(bytes.subarray(8))) throw corrupt('its checksum does not match')
  return viewBatch(bytes)
}

/**
 * Views over a blob just made by this process, whose checksum may not be set yet. Aligned to 8
 * bytes.
 */
export function viewBatch(bytes: Uint8Array): StoredBatch {
  const header = new Uint32Array(bytes.buffer, bytes.byteOffset, BATCH_HEADER_BYTES / 4)
  const count = header[5]!
  const columns: BytesColumn[] = []
  let endsAt = BATCH_HEADER_BYTES + 8 * count
  let dataAt = BATCH_HEADER_BYTES + BATCH_RECORD_BYTES * count
  for (let column = 0; column < 4; column += 1) {
    const length = header[6 + column]!
    if (dataAt + length > bytes.length) throw corrupt('its columns are longer than it is')
    columns.push({
      ends: new Uint32Array(bytes.buffer, bytes.byteOffset + endsAt, count),
      data: bytes.subarray(dataAt, dataAt + length),
    })
    endsAt += 4 * count
    dataAt += length
  }
  if (dataAt !== bytes.length) throw corrupt('its columns are shorter than it is')
  return {
    offset: header[2]! + header[3]! * 0x1_0000_0000,
    partitionNumber: header[4]!,
    recordCount: count,
    hasIndexedIds: (bytes[1]! & FLAG_INDEXED_IDS) !== 0,
    arrivedMs: new Float64Array(bytes.buffer, bytes.byteOffset + BATCH_HEADER_BYTES, count),
    ids: columns[0]!,
    keys: columns[1]!,
    headers: columns[2]!,
    values: columns[3]!,
  }
}

/** A blob with only the records for which `keep` is not 0; as from `layOut`, not sealed. */
export function keepRecords(batch: StoredBatch, keep: Uint8Array): Uint8Array {
  const kept: number[] = []
  for (let index = 0; index < batch.recordCount; index += 1) if (keep[index] !== 0) kept.push(index)
  const columns = [batch.ids, batch.keys, batch.headers, batch.values]
  const lengths = columns.map((column) =>
    kept.reduce((sum, index) => sum + bytesAt(column, index).length, 0),
  )
  const fixed = BATCH_HEADER_BYTES + BATCH_RECORD_BYTES * kept.length
  const bytes = new Uint8Array(lengths.reduce((sum, length) => sum + length, fixed))
  const header = new Uint32Array(bytes.buffer, 0, BATCH_HEADER_BYTES / 4)
  header[0] = BATCH_VERSION
  header[5] = kept.length
  const arrived = new Float64Array(bytes.buffer, BATCH_HEADER_BYTES, kept.length)
  for (const [at, index] of kept.entries()) arrived[at] = batch.arrivedMs[index]!
  let dataAt = fixed
  for (const [number, column] of columns.entries()) {
    header[6 + number] = lengths[number]!
    const endsAt = BATCH_HEADER_BYTES + (8 + 4 * number) * kept.length
    const ends = new Uint32Array(bytes.buffer, endsAt, kept.length)
    let end = 0
    for (const [at, index] of kept.entries()) {
      const cell = bytesAt(column, index)
      bytes.set(cell, dataAt + end)
      end += cell.length
      ends[at] = end
    }
    dataAt += end
  }
  return bytes
}

function corrupt(what: string): LogCorruptError {
  return new LogCorruptError(
    `A stored batch cannot be read: ${what}. Restore the log's file from a backup, or skip the batch by reading from a later offset.`,
  )
}
