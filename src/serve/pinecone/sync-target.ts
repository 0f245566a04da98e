import type { VectorsCollection, VersionedItem } from '../../model/sync.ts'
import { SinkConfigError } from '../errors.ts'
import type { SyncTarget } from '../sync-target.ts'
import type { EmbedPort, VectorSearch } from '../vector-store.ts'
import type { PineconeIndex } from './client.ts'
import { PINECONE_LIMITS } from './config.ts'
import { filterOf, itemOf, upserts, valuesAsStored, vectorOf } from './encode.ts'
import type { PineconeMemory } from './memory.ts'

export interface PineconeTargetOptions {
  readonly index: PineconeIndex
  readonly memory: PineconeMemory
  readonly consumer: string
  readonly collections: readonly VectorsCollection[]
  readonly embedder: EmbedPort
}

/** Namespaces of a Pinecone index that follow lake tables. Versions are remembered here, because Pinecone cannot guard a write by one. */
export function pineconeSyncTarget(options: PineconeTargetOptions): SyncTarget {
  const { index, memory, consumer, collections, embedder } = options
  const collection = (name: string) => collections.find((each) => each.name === name)!

  const put = async (name: string, items: readonly VersionedItem[], signal?: AbortSignal) => {
    const due = items.filter(({ item, version }) => memory.version(name, item.id) <= version)
    const texts = due.map(({ item }) => item.text ?? '')
    const { vectors, computed } = await embedder.embed(texts, 'passage', signal)
    const versions = new Map(due.map(({ item, version }) => [item.id, version]))
    const rows = due.map(({ item }, at) => vectorOf(collection(name), item, vectors[at]!))
    for (const batch of upserts(rows)) {
      await index.upsert(name, batch, signal)
      memory.remember(
        name,
        batch.map(({ id }) => [id, versions.get(id)!] as const),
      )
    }
    return computed
  }

  return {
    async open() {
      const dimension = await index.dimension()
      if (dimension !== embedder.dimensions)
        throw new SinkConfigError(
          `The Pinecone index takes vectors of ${dimension} numbers, and ${embedder.id} makes ${embedder.dimensions}. Make an index of that length, or choose another model.`,
        )
    },
    cursor: async (table) => memory.cursor(`${consumer}/${table}`),
    saveCursor: async (table, cursor) => memory.saveCursor(`${consumer}/${table}`, cursor),

    async write({ puts, removes }, signal) {
      for (const [name, items] of Map.groupBy(removes, ({ item }) => item.collection)) {
        const due = items.filter(({ item, version }) => memory.version(name, item.id) <= version)
        const ids = due.map(({ item }) => item.id)
        for (let at = 0; at < ids.length; at += PINECONE_LIMITS.deleteCountMax) {
          const some = ids.slice(at, at + PINECONE_LIMITS.deleteCountMax)
          await index.delete(name, some, signal)
          memory.forget(name, some)
        }
      }
      let embedded = 0
      for (const [name, items] of Map.groupBy(puts, ({ item }) => item.collection))
        embedded += await put(name, items, signal)
      return { embedded, embeddings_saved: puts.length - embedded }
    },

    async *items(name, { from, to }) {
      for await (const ids of index.list(name)) {
        for (let at = 0; at < ids.length; at += PINECONE_LIMITS.fetchCountMax) {
          const some = ids.slice(at, at + PINECONE_LIMITS.fetchCountMax)
          for (const vector of await index.fetch(name, some)) {
            const item = itemOf(collection(name), vector)
            if (item.entity >= from && item.entity < to)
              yield { item, version: memory.version(name, item.id) }
          }
        }
      }
    },

    asStored: (item) => valuesAsStored(collection(item.collection), item),

    async clear() {
      for (const { name } of collections) await index.deleteAll(name)
      memory.clear(
        consumer,
        collections.map(({ name }) => name),
      )
    },
    close: async () => {},
  }
}

/** Searching the same index; by meaning alone. */
export function pineconeSearch(
  index: PineconeIndex,
  collections: readonly VectorsCollection[],
): VectorSearch {
  return {
    async nearest({ collection, vector, filter, limit }) {
      const wanted = filterOf(filter)
      const matches = await index.query(collection, {
        ...{ vector: [...vector], topK: limit },
        ...(wanted === undefined ? {} : { filter: wanted }),
      })
      const of = collections.find(({ name }) => name === collection)!
      return matches.map(({ id, score, metadata }) => {
        const { values, text } = itemOf(of, { id, values: [], metadata })
        return { collection, id, score, values, text: text ?? '' }
      })
    },
  }
}
