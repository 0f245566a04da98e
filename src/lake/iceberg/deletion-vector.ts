import { crc32 } from 'node:zlib'
import { TableBrokenError } from '../errors.ts'
import { readRoaring64 } from '../roaring.ts'
import type { ContentFile } from './manifest.ts'
import { keyOfLocation, type TableLocation } from './table-location.ts'

/**
 * Rows that a file no longer has, as a blob in a Puffin file (Puffin spec, "`deletion-vector-v1` blob type"). Manifests tell
 * where the blob is, so that the Puffin file's own footer is not needed.
 *
 *   u32 big-endian length of magic and vector, D1 D3 39 64, a 64-bit Roaring bitmap, u32 big-endian CRC-32 of both
 */
const MAGIC = 0xd1d33964
const FRAME_BYTES = 12

/** @throws TableBrokenError when the vector is damaged, or is not where and what its manifest says */
export async function readDeletionVector(
  place: TableLocation,
  file: ContentFile,
  signal?: AbortSignal,
): Promise<Float64Array> {
  try {
    const { contentOffset: start, contentBytes: bytes } = file
    if (start === undefined || bytes === undefined) throw new RangeError('its place is not given')
    const key = keyOfLocation(place, file.path)
    if (key === undefined) throw new RangeError(`it is outside of ${place.store.rootUrl}`)
    const blob = await place.store.getRange(key, { start, end: start + bytes }, signal)
    if (blob.length !== bytes) throw new RangeError('its file ends too early')
    const positions = parseDeletionVector(blob)
    if (positions.length !== file.recordCount)
      throw new RangeError(`it holds ${positions.length} rows instead of ${file.recordCount}`)
    return positions
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
    throw new TableBrokenError(
      `A deletion vector of ${place.tableKey} in ${file.path} is damaged: ${cause.message}. ` +
        'The rows that are still there cannot be told; nothing was read.',
      { cause },
    )
  }
}

/** The row indexes in a blob, ascending. @throws RangeError */
export function parseDeletionVector(blob: Uint8Array): Float64Array {
  if (blob.length < FRAME_BYTES) throw new RangeError('it is too short')
  const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength)
  const length = view.getUint32(0)
  if (length !== blob.length - 8) throw new RangeError(`it says ${length} bytes`)
  if (view.getUint32(4) !== MAGIC) throw new RangeError('its format is unknown')
  if (view.getUint32(4 + length) !== crc32(blob.subarray(4, 4 + length)))
    throw new RangeError('it fails its checksum')
  return readRoaring64(blob.subarray(8, 4 + length))
}
