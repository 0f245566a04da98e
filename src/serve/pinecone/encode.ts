import type { Json, SyncItem, VectorsCollection } from '../../model/sync.ts'
import type { VectorFilter } from '../vector-store.ts'
import type { PineconeMetadata, PineconeVector } from './client.ts'
import { PINECONE_LIMITS } from './config.ts'

// Items as vectors with metadata, and back. Pinecone has no nulls, no nested values, and numbers are floats.

/** Beside the collection's own names. */
const TEXT = '_text'
const ENTITY = '_entity'

export function vectorOf(
  of: VectorsCollection,
  item: SyncItem,
  values: Float32Array,
): PineconeVector {
  return { id: item.id, values: [...values], metadata: metadataOf(of, item) }
}

function metadataOf(of: VectorsCollection, item: SyncItem): PineconeMetadata {
  const { values } = valuesAsStored(of, item)
  return { ...values, [TEXT]: item.text ?? '', [ENTITY]: item.entity } as PineconeMetadata
}

/** What is declared and not null; a text that would make the metadata too large is cut. */
export function valuesAsStored({ metadata }: VectorsCollection, item: SyncItem): SyncItem {
  const values: Record<string, Json> = {}
  for (const [name, type] of Object.entries(metadata)) {
    const value = item.values[name] ?? null
    if (value === null) continue
    if (type === 'texts') {
      const texts = Array.isArray(value) ? value.map(String) : [String(value)]
      values[name] = texts
    } else values[name] = type === 'int' ? Math.trunc(Number(value)) : value
  }
  return { ...item, text: item.text ?? '', values }
}

/** A fetched vector as the item that it was made from. */
export function itemOf(
  { name, metadata: declared }: VectorsCollection,
  vector: PineconeVector,
): SyncItem {
  const { [TEXT]: text, [ENTITY]: entity } = vector.metadata
  const values = Object.fromEntries(
    Object.keys(declared).flatMap((key) => {
      const value = vector.metadata[key]
      return value === undefined ? [] : [[key, value as Json]]
    }),
  )
  return { collection: name, id: vector.id, entity: Number(entity), text: String(text), values }
}

/** Upserts within Pinecone's limits of count and bytes. */
export function* upserts(vectors: readonly PineconeVector[]): Generator<readonly PineconeVector[]> {
  const { upsertCountMax, upsertBytesMax } = PINECONE_LIMITS
  let gathered: PineconeVector[] = []
  let bytes = 0
  for (const vector of vectors) {
    const size = Buffer.byteLength(JSON.stringify(vector)) + 1
    if (
      gathered.length === upsertCountMax ||
      (gathered.length > 0 && bytes + size > upsertBytesMax * 0.9)
    ) {
      yield gathered
      gathered = []
      bytes = 0
    }
    gathered.push(vector)
    bytes += size
  }
  if (gathered.length > 0) yield gathered
}

/** In Pinecone's own filter language. */
export function filterOf({ yearMin, yearMax, genres = [] }: VectorFilter): object | undefined {
  const parts = [
    ...(yearMin === undefined ? [] : [{ year: { $gte: yearMin } }]),
    ...(yearMax === undefined ? [] : [{ year: { $lte: yearMax } }]),
    ...(genres.length === 0 ? [] : [{ genres: { $in: genres } }]),
  ]
  return parts.length === 0 ? undefined : { $and: parts }
}
