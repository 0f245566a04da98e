import { crc32 } from 'node:zlib'
import type { ObjectStore } from '../../model/object-store.ts'
import type { DeletedRows } from '../../model/scan-plan.ts'
import { TableBrokenError } from '../errors.ts'
import { readRoaring64 } from '../roaring.ts'
import type { DeletionVectorDescriptor } from './actions.ts'
import { canonicalPath, keyOfFile, tableUrlOf } from './table-path.ts'
import { decodeZ85 } from './z85.ts'

/**
 * Rows that a file no longer has (PROTOCOL.md, "Deletion Vectors", "Deletion Vector Format").
 *
 * In a file: u8 version = 1, then for each vector, big-endian: u32 size, the vector, u32 CRC-32 of the vector.
 * A vector:  u32 little-endian 1681511377, then a 64-bit Roaring bitmap.
 */
export const DELETION_VECTOR_MAGIC = 1_681_511_377
const UUID_CHARACTERS = 20

/** @throws TableBrokenError when the vector is damaged or does not hold what its descriptor says */
export async function readDeletionVector(
  store: ObjectStore,
  tableKey: string,
  descriptor: DeletionVectorDescriptor,
  signal?: AbortSignal,
): Promise<DeletedRows> {
  const { storageType, cardinality } = descriptor
  try {
    const bytes =
      storageType === 'i'
        ? inlineBytes(descriptor)
        : await storedBytes(store, tableKey, descriptor, signal)
    const positions = parseDeletionVector(bytes)
    if (positions.length !== cardinality)
      throw new RangeError(`it holds ${positions.length} rows instead of ${cardinality}`)
    return { positions }
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
    throw new TableBrokenError(
      `A deletion vector of ${tableKey} (${storageType}${descriptor.pathOrInlineDv}) is damaged: ` +
        `${cause.message}. The rows that are still there cannot be told; nothing was read.`,
      { cause },
    )
  }
}

/** The row indexes in a serialized vector. @throws RangeError */
export function parseDeletionVector(bytes: Uint8Array): Float64Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const magic = view.getUint32(0, true)
  if (magic !== DELETION_VECTOR_MAGIC) throw new RangeError(`unknown format ${magic}`)
  return readRoaring64(bytes.subarray(4))
}

/** The canonical path of the file that holds a stored vector (PROTOCOL.md, "Derived Fields"). */
export function deletionVectorPath(descriptor: DeletionVectorDescriptor, tableUrl: string): string {
  const { storageType, pathOrInlineDv } = descriptor
  if (storageType === 'p') return canonicalPath(pathOrInlineDv, tableUrl)
  const prefix = pathOrInlineDv.slice(0, -UUID_CHARACTERS)
  const uuid = decodeZ85(pathOrInlineDv.slice(-UUID_CHARACTERS))
  if (uuid === undefined || uuid.length !== 16)
    throw new RangeError('its name is not a base85 UUID')
  const hex = Buffer.from(uuid).toString('hex')
  const name = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
  return `${prefix === '' ? '' : `${prefix}/`}deletion_vector_${name}.bin`
}

function inlineBytes({ pathOrInlineDv, sizeInBytes }: DeletionVectorDescriptor): Uint8Array {
  const bytes = decodeZ85(pathOrInlineDv)
  if (bytes === undefined || bytes.length < sizeInBytes)
    throw new RangeError('its inline text is not base85 of the stated size')
  return bytes.subarray(0, sizeInBytes)
}

async function storedBytes(
  store: ObjectStore,
  tableKey: string,
  descriptor: DeletionVectorDescriptor,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const path = deletionVectorPath(descriptor, tableUrlOf(store, tableKey))
  const key = keyOfFile(path, tableKey, store)
  if (key === undefined)
    throw new RangeError(`it is stored at ${path}, outside of the store ${store.rootUrl}`)
  const { offset = 0, sizeInBytes } = descriptor
  const framed = await store.getRange(
    key,
    { start: offset, end: offset + 4 + sizeInBytes + 4 },
    signal,
  )
  if (framed.length < sizeInBytes + 8) throw new RangeError(`${path} ends too early`)
  const view = new DataView(framed.buffer, framed.byteOffset, framed.byteLength)
  const size = view.getUint32(0)
  if (size !== sizeInBytes) throw new RangeError(`${path} says ${size} bytes, not ${sizeInBytes}`)
  const bytes = framed.subarray(4, 4 + size)
  if (view.getUint32(4 + size) !== crc32(bytes)) throw new RangeError(`${path} fails its checksum`)
  return bytes
}
