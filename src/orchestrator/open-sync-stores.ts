import path from 'node:path'
import type { EmbeddingCache } from '../enrich/embedding/embedding-cache.ts'
import type { OpenableTarget, SyncTargets } from '../flow/sync-tasks.ts'
import type { Clock } from '../model/clock.ts'
import type { RowsCollection, VectorsCollection } from '../model/sync.ts'
import type { PipelinePlan } from '../pipeline/plan.ts'
import type { SyncPlan, SyncStore } from '../pipeline/sync.ts'
import { type ClickHouseConnection, clickhouseServer } from '../serve/clickhouse/client.ts'
import { CHDB_DEFAULTS, CLICKHOUSE_DEFAULTS } from '../serve/clickhouse/config.ts'
import { loadChdb, openChdb } from '../serve/clickhouse/embedded.ts'
import { clickhouseSyncTarget } from '../serve/clickhouse/sync-target.ts'
import type { GraphConnection } from '../serve/graph/connection.ts'
import type { GraphCollection } from '../serve/graph/encode.ts'
import { graphSyncTarget } from '../serve/graph/sync-target.ts'
import { openLadybug } from '../serve/ladybug/client.ts'
import { LADYBUG_DEFAULTS } from '../serve/ladybug/config.ts'
import { type LanceStore, openLance } from '../serve/lancedb/client.ts'
import { lanceSyncTarget } from '../serve/lancedb/sync-target.ts'
import { openNeo4j } from '../serve/neo4j/client.ts'
import { NEO4J_DEFAULTS } from '../serve/neo4j/config.ts'
import { pineconeIndex } from '../serve/pinecone/client.ts'
import { PINECONE_DEFAULTS } from '../serve/pinecone/config.ts'
import { openPineconeMemory } from '../serve/pinecone/memory.ts'
import { pineconeSearch, pineconeSyncTarget } from '../serve/pinecone/sync-target.ts'
import { secret } from '../serve/postgres/config.ts'
import type { VectorSearch } from '../serve/vector-store.ts'
import { QueryRefusedError } from '../sql/duckdb/errors.ts'
import type { Home } from './home.ts'
import { openEmbedder } from './open-embedder.ts'
import type { Settings } from './settings.ts'

/** The stores that syncs write to and searches read from: each opened when it is first needed, and once for the process. */
export interface SyncStores extends SyncTargets {
  clickhouse(): Promise<ClickHouseConnection>
  graph(): Promise<GraphConnection>
  vectors(): Promise<VectorSearch>
  embedder(): Promise<EmbeddingCache>
  /** Why a store cannot be had here; `undefined` when it can. */
  unavailable(store: SyncStore): Promise<string | undefined>
  close(): Promise<void>
}

export interface SyncStoresOptions {
  readonly home: Home
  readonly settings: Settings
  readonly plans: readonly PipelinePlan[]
  readonly clock: Clock
}

/** Nothing is opened yet. */
export function openSyncStores({ home, settings, plans, clock }: SyncStoresOptions): SyncStores {
  const closers: (() => Promise<void> | void)[] = []
  const closing = <T extends { close(): Promise<void> | void }>(opened: T): T => {
    closers.push(() => opened.close())
    return opened
  }
  const embedder = once(async () => closing(await openEmbedder(home, settings)))
  const clickhouse = once(async () =>
    closing(
      settings.olap === 'embedded'
        ? await openChdb({ folder: path.join(home.serve, 'clickhouse'), ...CHDB_DEFAULTS })
        : clickhouseServer({
            ...CLICKHOUSE_DEFAULTS,
            url: settings.clickhouseUrl!,
            user: settings.clickhouseUser,
            password: secretOf(settings.clickhousePassword),
          }),
    ),
  )
  const graph = once(async () =>
    closing(
      settings.graph === 'embedded'
        ? await openLadybug({
            file: path.join(home.serve, 'graph', 'graph.lbug'),
            ...LADYBUG_DEFAULTS,
          })
        : openNeo4j({
            ...NEO4J_DEFAULTS,
            uri: settings.neo4jUri!,
            user: settings.neo4jUser,
            password: secretOf(settings.neo4jPassword),
          }),
    ),
  )
  const lance = once(async () =>
    closing(
      await openLance({ folder: path.join(home.serve, 'vectors') }, vectorCollections(plans)),
    ),
  )

  const pinecone = once(async () => {
    const memoryFile = path.join(home.serve, 'pinecone.sqlite')
    const memory = closing(openPineconeMemory(memoryFile))
    const apiKey = secret(settings.pineconeApiKey!)
    const host = settings.pineconeHost!.replace(/\/$/, '')
    return { memory, index: pineconeIndex({ ...PINECONE_DEFAULTS, host, apiKey, memoryFile }) }
  })

  const unavailable = async (store: SyncStore) =>
    store === 'clickhouse' && settings.olap === 'embedded' && (await loadChdb()) === undefined
      ? 'the optional package chdb is not installed, and CLICKHOUSE_URL is not set'
      : undefined

  return {
    ...{ clickhouse, graph, embedder, unavailable },
    vectors: async () =>
      settings.vectors === 'pinecone'
        ? pineconeSearch((await pinecone()).index, vectorCollections(plans))
        : lance(),
    async target(pipeline, sync): Promise<OpenableTarget> {
      const reason = await unavailable(sync.target.store)
      if (reason !== undefined) return { status: 'off', reason }
      const consumer = `${pipeline}/${sync.name}`
      const { collections } = sync.target
      switch (sync.target.store) {
        case 'clickhouse':
          return ready(
            clickhouseSyncTarget({
              ...{ connect: clickhouse, database: sync.target.name, consumer },
              collections: collections as readonly RowsCollection[],
              nowMs: () => clock.nowMs(),
            }),
          )
        case 'graph':
          return ready(
            graphSyncTarget({
              ...{ connect: graph, consumer },
              collections: collections as readonly GraphCollection[],
            }),
          )
        case 'vectors': {
          const opened = await embedder()
          if (settings.vectors === 'pinecone') {
            const { index, memory } = await pinecone()
            const of = collections as readonly VectorsCollection[]
            const target = pineconeSyncTarget({
              ...{ index, memory, consumer, collections: of, embedder: opened },
            })
            return ready(target, opened.id)
          }
          return ready(vectorTarget(sync, { lance, consumer, embedder: opened }), opened.id)
        }
      }
    },
    async close() {
      for (const close of closers.splice(0).reverse()) await close()
    },
  }
}

/** The OLAP store for questions. @throws QueryRefusedError where this machine has none */
export const olapOf =
  (stores: Pick<SyncStores, 'clickhouse' | 'unavailable'>) =>
  async (): Promise<ClickHouseConnection> => {
    const reason = await stores.unavailable('clickhouse')
    if (reason === undefined) return stores.clickhouse()
    throw new QueryRefusedError(`There is no OLAP store here: ${reason}. Nothing was run.`)
  }

function vectorTarget(
  { target }: SyncPlan,
  options: {
    readonly lance: () => Promise<LanceStore>
    readonly consumer: string
    readonly embedder: EmbeddingCache
  },
) {
  const collections = target.collections as readonly VectorsCollection[]
  const { lance, consumer, embedder } = options
  return lanceSyncTarget({ connect: lance, consumer, collections, embedder })
}

const ready = (target: Extract<OpenableTarget, { status: 'ready' }>['target'], variant = '') =>
  ({ status: 'ready', target, variant }) as const

const secretOf = (text: string | undefined) => (text === undefined ? null : secret(text))

const vectorCollections = (plans: readonly PipelinePlan[]) =>
  plans.flatMap(({ syncs }) =>
    syncs.flatMap(({ target }) =>
      target.collections.filter((c): c is VectorsCollection => c.kind === 'vectors'),
    ),
  )

/** Open once; after a failure the next one who asks tries again. */
function once<T>(open: () => Promise<T>): () => Promise<T> {
  let opened: Promise<T> | undefined
  return () => {
    opened ??= open().catch((error) => {
      opened = undefined
      throw error
    })
    return opened
  }
}
