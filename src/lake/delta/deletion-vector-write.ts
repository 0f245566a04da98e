import { crc32 } from 'node:zlib'
import type { ObjectStore } from '../../model/object-store.ts'
import type { DeletionVectorDescriptor } from './actions.ts'
import { DELETION_VECTOR_MAGIC } from './deletion-vector.ts'
import { writeRoaring64 } from './roaring-write.ts'
import { encodeZ85 } from './z85.ts'

/**
 * Put the deletion vectors of one commit into one file of the table (PROTOCOL.md, "Deletion Vector File Storage Format"; the
 * layout is in `deletion-vector.ts`).
 * @param vectors row indexes, ascending, each once; none empty
 * @returns a descriptor for each, in order
 */
export async function writeDeletionVectors(
  { store, tableKey, newId }: { store: ObjectStore; tableKey: string; newId: () => string },
  vectors: readonly Float64Array[],
  signal?: AbortSignal,
): Promise<readonly DeletionVectorDescriptor[]> {
  if (vectors.length === 0) return []
  const id = newId()
  const name = encodeZ85(Buffer.from(id.replaceAll('-', ''), 'hex'))
  const parts: Uint8Array[] = [Uint8Array.of(1)]
  const descriptors: DeletionVectorDescriptor[] = []
  let offset = 1
  for (const positions of vectors) {
    const bytes = serializeDeletionVector(positions)
    const frame = new Uint8Array(bytes.length + 8)
    const view = new DataView(frame.buffer)
    view.setUint32(0, bytes.length)
    frame.set(bytes, 4)
    view.setUint32(4 + bytes.length, crc32(bytes))
    parts.push(frame)
    descriptors.push({
      storageType: 'u',
      pathOrInlineDv: name,
      offset,
      sizeInBytes: bytes.length,
      cardinality: positions.length,
    })
    offset += frame.length
  }
  await store.put(`${tableKey}/deletion_vector_${id}.bin`, Buffer.concat(parts), signal)
  return descriptors
}

/** One vector as `parseDeletionVector` reads it. */
export function serializeDeletionVector(positions: Float64Array): Uint8Array {
  const bitmap = writeRoaring64(positions)
  const bytes = new Uint8Array(bitmap.length + 4)
  new DataView(bytes.buffer).setUint32(0, DELETION_VECTOR_MAGIC, true)
  bytes.set(bitmap, 4)
  return bytes
}
