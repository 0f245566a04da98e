import { hashedNgrams } from '../../../src/enrich/embedding/hashed-ngrams.ts'
import type {
  EdgesCollection,
  NodesCollection,
  RowsCollection,
  SyncItem,
  VectorsCollection,
} from '../../../src/model/sync.ts'
import type { EmbedPort } from '../../../src/serve/vector-store.ts'

// Collections and items for the suite of sync targets.

export const ROWS: RowsCollection = {
  kind: 'rows',
  name: 'credit',
  key: ['movie_id', 'credit_id'],
  columns: {
    movie_id: 'UInt64',
    credit_id: 'String',
    character: 'String',
    born: 'Nullable(Date32)',
    genres: 'Array(Tuple(id UInt64, name String))',
    score: 'Float64',
  },
}

export const rowItem = (entity: number, word: string): SyncItem => ({
  collection: 'credit',
  id: `${entity}/c${entity}`,
  entity,
  values: {
    movie_id: entity,
    credit_id: `c${entity}`,
    character: word,
    born: entity % 2 === 0 ? '1937-12-21' : null,
    genres: [{ id: 18, name: word }],
    score: entity / 3,
  },
})

export const NODES: readonly NodesCollection[] = [
  { kind: 'nodes', name: 'Person', key: 'person_id', properties: { name: 'text' } },
  {
    kind: 'nodes',
    name: 'Movie',
    key: 'movie_id',
    properties: { title: 'text', score: 'float', votes: 'int', names: 'texts' },
  },
]
export const EDGES: EdgesCollection = {
  kind: 'edges',
  name: 'ACTED_IN',
  id: 'credit_id',
  between: [['Person', 'Movie']],
  properties: { character: 'text', cast_id: 'int' },
}

export const nodeItem = (entity: number, word: string): SyncItem => ({
  collection: 'Movie',
  id: String(entity),
  entity,
  values: {
    title: word,
    score: entity % 2 === 0 ? entity / 3 : entity,
    votes: entity % 3 === 0 ? null : entity,
    names: entity % 2 === 0 ? [word, 'b,"c'] : [],
  },
})

export const edgeItem = (entity: number, word: string): SyncItem => ({
  collection: 'ACTED_IN',
  id: `c${entity}`,
  entity,
  from: { label: 'Person', id: '1' },
  to: { label: 'Movie', id: String(entity) },
  values: { character: word, cast_id: entity % 2 === 0 ? entity : null },
})

export const person = (id: number): SyncItem => ({
  collection: 'Person',
  id: String(id),
  entity: id,
  values: { name: `Person ${id}` },
})

/** Every node that `edgeItem` of the suite's entities needs. */
export const edgeEnds: readonly SyncItem[] = [
  person(1),
  ...Array.from({ length: 420 }, (_, index) => nodeItem(index + 1, 'end')),
]

export const VECTORS: VectorsCollection = {
  kind: 'vectors',
  name: 'movie_namespace',
  metadata: { title: 'text', year: 'int', genres: 'texts' },
}

export const vectorItem = (entity: number, word: string): SyncItem => ({
  collection: 'movie_namespace',
  id: String(entity),
  entity,
  text: `Film ${entity} | ${word}`,
  values: { title: word, year: entity % 2 === 0 ? 1900 + entity : null, genres: [word, 'Drama'] },
})

/** The built-in embedder without a memory. */
export const embedder: EmbedPort = {
  id: hashedNgrams.id,
  dimensions: hashedNgrams.dimensions,
  embed: async (texts, kind) => ({
    vectors: await hashedNgrams.embed(texts, kind),
    computed: texts.length,
  }),
}
