import type { ObjectInfo, ObjectStore } from '../../model/object-store.ts'
import { StorageIoError } from '../errors.ts'

/**
 * ```
 * … column chunks …  | file metadata (Thrift) | length, 4 bytes little-endian | PAR1 |
 * ```
 * https://parquet.apache.org/docs/file-format/
 */
const TRAILER_BYTES = 8
/** Holds the footers of most files, so that one request does. */
const TAIL_BYTES_GUESS = 64 * 1024

/** The footer of a Parquet object, with what follows it, and where it begins. @throws StorageIoError when it is none */
export async function parquetTail(
  store: ObjectStore,
  { key, bytes: size }: ObjectInfo,
): Promise<{ readonly start: number; readonly bytes: Uint8Array }> {
  const guessed = Math.max(0, size - TAIL_BYTES_GUESS)
  const tail = await store.getRange(key, { start: guessed, end: size })
  const trailer = Buffer.from(tail.buffer, tail.byteOffset, tail.length).subarray(-TRAILER_BYTES)
  const isParquet = /^PAR[1E]$/.test(trailer.subarray(4).toString('latin1'))
  const footerBytes = isParquet ? trailer.readUInt32LE(0) + TRAILER_BYTES : 0
  if (!isParquet || footerBytes > size)
    throw new StorageIoError(
      `${key} in ${store.rootUrl} does not end like a Parquet file. If somebody is writing it, try again.`,
    )
  const start = size - footerBytes
  if (start >= guessed) return { start: guessed, bytes: tail }
  return { start, bytes: await store.getRange(key, { start, end: size }) }
}
