import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import catalog from '../../pipelines/catalog/pipeline.ts'
import { hashedNgrams } from '../../src/enrich/embedding/hashed-ngrams.ts'
import { type LakeHome, openLakeHome, tableKey } from '../../src/flow/lake-home.ts'
import { storedColumns } from '../../src/flow/lake-table.ts'
import { runSync, type SyncReport } from '../../src/flow/lake-to-serve.ts'
import { openModelLake } from '../../src/flow/open-model-lake.ts'
import { modelTasks } from '../../src/flow/run-model.ts'
import { type CollectionCheck, checkSource, repairSource } from '../../src/flow/sync-check.ts'
import { syncWorld } from '../../src/flow/sync-tasks.ts'
import { createDeltaTable } from '../../src/lake/delta/create.ts'
import { openDeltaTable } from '../../src/lake/delta/table.ts'
import { systemClock, systemRandomness } from '../../src/model/clock.ts'
import type { RowsCollection, VectorsCollection } from '../../src/model/sync.ts'
import type { SyncPlan } from '../../src/pipeline/sync.ts'
import { openChdb } from '../../src/serve/clickhouse/embedded.ts'
import { clickhouseSyncTarget } from '../../src/serve/clickhouse/sync-target.ts'
import type { GraphCollection } from '../../src/serve/graph/encode.ts'
import { graphSyncTarget } from '../../src/serve/graph/sync-target.ts'
import { openLadybug } from '../../src/serve/ladybug/client.ts'
import { openLance } from '../../src/serve/lancedb/client.ts'
import { lanceSyncTarget } from '../../src/serve/lancedb/sync-target.ts'
import { pineconeIndex } from '../../src/serve/pinecone/client.ts'
import { PINECONE_DEFAULTS } from '../../src/serve/pinecone/config.ts'
import { openPineconeMemory } from '../../src/serve/pinecone/memory.ts'
import { pineconeSyncTarget } from '../../src/serve/pinecone/sync-target.ts'
import { secret } from '../../src/serve/postgres/config.ts'
import type { SyncTarget } from '../../src/serve/sync-target.ts'
import { type ComputeEngine, openComputeEngine } from '../../src/sql/duckdb/engine.ts'

// The catalog's tables and stores without the platform around them: bronze rows in, silver by the pipeline's own models, and its syncs.

/** Embedded, each followed by the sync of that name. */
export const STORES = ['clickhouse', 'graph', 'vectors'] as const
/** `pinecone` follows as `vectors` does, on the server that `PINECONE_STAND_IN` names. */
export type Store = (typeof STORES)[number] | 'pinecone'
export const PINECONE_KEY = 'a key'

export interface CatalogRow {
  readonly type: 'movie' | 'person'
  readonly id: number
  readonly label: 'old' | 'change' | 'delete'
  readonly value: object
}

export class CatalogLake {
  readonly home: string
  readonly engine: ComputeEngine
  readonly lake: LakeHome
  #offset = 0

  static async open(home: string): Promise<CatalogLake> {
    const engine = await openComputeEngine({
      spillDirectory: path.join(home, 'spill'),
      memoryLimitBytes: 512 * 1024 ** 2,
      threads: 1,
    })
    const lake = await openLakeHome({
      ...{ folder: path.join(home, 'lake'), engine },
      ...{ clock: systemClock, randomness: systemRandomness },
    })
    return new CatalogLake(home, engine, lake)
  }

  constructor(home: string, engine: ComputeEngine, lake: LakeHome) {
    this.home = home
    this.engine = engine
    this.lake = lake
  }

  /** Append records to bronze, and bring silver up to them. */
  async record(rows: readonly CatalogRow[], minute: number): Promise<void> {
    const at = new Date(Date.UTC(2026, 0, 1, 0, minute)).toISOString()
    const lines = rows.map(({ type, id, label, value }) => {
      this.#offset += 1
      const timestamp = at
      return JSON.stringify({
        ...{ data_type: type, data_label: label, timestamp, id_of_data_type: id },
        ...{ process_timestamp: at, _topic: 'tmdb', _partition: 0, _offset: this.#offset },
        ...{ _id: `r${this.#offset}`, _key: String(id), _arrived_at: at, _headers: null },
        _raw: JSON.stringify(value),
      })
    })
    const file = path.join(this.home, 'records.ndjson')
    writeFileSync(file, lines.join('\n'))
    const planned = catalog.tables[0]!
    const columns = storedColumns(planned)
    await createDeltaTable(this.lake.delta, tableKey(planned.name), { columns })
    const table = await openDeltaTable(this.lake.delta, tableKey(planned.name))
    const types = { string: 'VARCHAR', int64: 'BIGINT', int32: 'INTEGER', timestamp: 'TIMESTAMPTZ' }
    const typed = columns.map((c) => `"${c.name}": '${types[c.type as 'string']}'`).join(', ')
    const name = this.engine.relationName('records')
    const connection = await this.engine.connection()
    await connection.run(
      `CREATE TABLE ${name} AS SELECT * FROM read_json('${file}', format = 'newline_delimited', columns = {${typed}})`,
    )
    const prepared = await table.prepareAppend({ name, columns, rowCount: rows.length })
    await table.commitAppend(prepared)
    connection.close()
    for (const task of await modelTasks(
      { engine: this.engine, lake: openModelLake(this.lake) } as never,
      catalog,
    ))
      await task.run({
        ...{ runId: 'test', logicalMs: Date.now(), attempt: 1, fullRefresh: false },
        ...{ signal: new AbortController().signal, log: () => {}, progress: () => {} },
      })
  }

  sync(store: Store, target: SyncTarget): Promise<SyncReport> {
    const world = syncWorld({ engine: this.engine, delta: this.lake.delta })
    return runSync(world, { plan: planOf(store), target, shape: 'test' })
  }

  /** What differs between silver as it is now and the target. */
  async differences(store: Store, target: SyncTarget): Promise<readonly CollectionCheck[]> {
    const wrong: CollectionCheck[] = []
    await target.open()
    for (const source of planOf(store).from) {
      const table = await openDeltaTable(this.lake.delta, tableKey(source.table))
      const { version } = await table.snapshot()
      const context = { engine: this.engine, table, target, source }
      const checks = await checkSource(context, { version })
      wrong.push(...checks.filter((c) => c.missing + c.surplus + c.different > 0))
    }
    return wrong
  }

  async repair(store: Store, target: SyncTarget): Promise<void> {
    for (const source of planOf(store).from) {
      const table = await openDeltaTable(this.lake.delta, tableKey(source.table))
      const { version } = await table.snapshot()
      await repairSource({ engine: this.engine, table, target, source }, { version })
    }
  }

  close(): void {
    this.lake.close()
    this.engine.close()
  }
}

export const planOf = (store: Store): SyncPlan =>
  catalog.syncs.find(({ name }) => name === (store === 'pinecone' ? 'vectors' : store))!

/** The store of a home, as a target. */
export async function openTarget(
  home: string,
  store: Store,
): Promise<{ target: SyncTarget; close(): Promise<void> }> {
  const { collections } = planOf(store).target
  const consumer = `catalog/${store}`
  const at = (name: string) => path.join(home, 'serve', name)
  switch (store) {
    case 'clickhouse': {
      const options = { folder: at('clickhouse'), memoryBytesMax: 512 * 1024 ** 2, threads: 1 }
      const connection = await openChdb(options)
      const connect = async () => connection
      const target = clickhouseSyncTarget({
        ...{ connect, database: 'silver_layer', consumer, nowMs: () => Date.now() },
        collections: collections as readonly RowsCollection[],
      })
      return { target, close: () => connection.close() }
    }
    case 'graph': {
      const options = { file: at('graph.lbug'), memoryBytesMax: 256 * 1024 ** 2, threads: 1 }
      const connection = await openLadybug(options)
      const connect = async () => connection
      const of = collections as readonly GraphCollection[]
      const target = graphSyncTarget({ connect, consumer, collections: of })
      return { target, close: () => connection.close() }
    }
    case 'vectors': {
      const of = collections as readonly VectorsCollection[]
      const opened = await openLance({ folder: at('lance') }, of)
      const connect = async () => opened
      const target = lanceSyncTarget({ connect, consumer, collections: of, embedder })
      return { target, close: async () => opened.close() }
    }
    case 'pinecone': {
      const memoryFile = at('pinecone.sqlite')
      mkdirSync(path.dirname(memoryFile), { recursive: true })
      const memory = openPineconeMemory(memoryFile)
      const host = process.env.PINECONE_STAND_IN!
      const apiKey = secret(PINECONE_KEY)
      const index = pineconeIndex({ ...PINECONE_DEFAULTS, host, apiKey, memoryFile })
      const of = collections as readonly VectorsCollection[]
      const target = pineconeSyncTarget({ index, memory, consumer, collections: of, embedder })
      return { target, close: async () => memory.close() }
    }
  }
}

const embedder = {
  ...hashedNgrams,
  embed: async (texts: readonly string[], kind: 'passage' | 'query') => ({
    vectors: await hashedNgrams.embed(texts, kind),
    computed: texts.length,
  }),
}

/** A film with some of a few people, differing by `word`. */
export function film(id: number, word: string, people: readonly number[]): CatalogRow {
  return {
    ...{ type: 'movie', id, label: 'change' },
    value: {
      movie_detail: { id, title: `Film ${id}`, overview: word, popularity: id / 7 },
      casts_info: people.map((person_id) => ({ person_id, character: `${word} ${person_id}` })),
      crews_info: people.slice(0, 1).map((person_id) => ({ person_id, job: 'Director' })),
    },
  }
}

export const personRow = (id: number, name = `Person ${id}`): CatalogRow => ({
  ...{ type: 'person', id, label: 'old' },
  value: { person_detail: { id, name } },
})

export const gone = (type: 'movie' | 'person', id: number): CatalogRow => ({
  ...{ type, id, label: 'delete', value: {} },
})
