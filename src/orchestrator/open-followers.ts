import path from 'node:path'
import { type FollowedTable, followTable } from '../flow/follow-table.ts'
import {
  aggregatesFollower,
  documentsFollower,
  followerLedger,
  type LedgerFollower,
} from '../flow/follower-ledger.ts'
import type { LakeHome } from '../flow/lake-home.ts'
import { openPlannedTable } from '../flow/lake-table.ts'
import { type MeasureDocuments, measureDocuments } from '../flow/measure-documents.ts'
import { aggregateConsumer, documentConsumer } from '../flow/table-consumers.ts'
import type { LedgerLine } from '../model/ledger.ts'
import type { PipelinePlan } from '../pipeline/plan.ts'
import { type AggregateStore, openAggregateStore } from '../serve/aggregates/aggregate-store.ts'
import type { DocumentStore } from '../serve/document-store.ts'
import { mongoConfig } from '../serve/mongodb/config.ts'
import { mongoDocuments } from '../serve/mongodb/documents.ts'
import type { PostgresConfig } from '../serve/postgres/config.ts'
import { postgresDocuments } from '../serve/postgres/documents.ts'
import type { ComputeEngine } from '../sql/duckdb/engine.ts'
import type { Home } from './home.ts'
import type { Settings } from './settings.ts'

/** What is kept from lake tables as they change. */
export interface Followers {
  /** Where documents are; `undefined` when no pipeline has any. */
  readonly documents: DocumentStore | undefined
  readonly aggregates: readonly OpenAggregates[]
  /** A table was committed to. */
  wake(table: string): void
  /** Returns when everything has followed what the tables hold at the call. */
  settled(signal: AbortSignal): Promise<void>
  /** What became of the tables' rows in everything that follows them. */
  ledger(): Promise<readonly LedgerLine[]>
  stop(): Promise<void>
}

export interface OpenAggregates {
  readonly pipeline: string
  readonly name: string
  readonly store: AggregateStore
  /** Be told whenever the numbers have changed. Returns how to stop it. */
  onChange(listener: () => void): () => void
}

export interface OpenFollowersOptions {
  readonly plans: readonly PipelinePlan[]
  readonly home: Home
  readonly settings: Settings
  readonly postgres: PostgresConfig | undefined
  readonly lake: LakeHome
  /** The engine that answers questions. */
  readonly engine: ComputeEngine
  readonly chance: () => number
  readonly onNotice: (line: string) => void
}

/** Names of a pipeline's collections of documents. */
export const collectionsOf = ({ documents, collections, aggregates }: PipelinePlan): string[] => [
  ...documents.map(({ collection }) => collection.name),
  ...collections.map(({ facts }) => facts.name),
  ...aggregates.flatMap(({ collection }) => (collection === undefined ? [] : [collection])),
]

export async function openFollowers(options: OpenFollowersOptions): Promise<Followers> {
  const { plans, home, lake, engine, chance, onNotice } = options
  const documents = documentStore(options)
  const aggregates: OpenAggregates[] = []
  const keepers: MeasureDocuments[] = []
  const followed: { readonly table: string; readonly follower: FollowedTable }[] = []
  const lines: LedgerFollower[] = []
  const follow = (
    table: string,
    rest: Pick<Parameters<typeof followTable>[0], 'consumer' | 'onVersion'>,
  ) => {
    const follower = followTable({ table, lake: lake.delta, engine, chance, onNotice, ...rest })
    followed.push({ table, follower })
    return follower.isAtRest
  }
  for (const plan of plans) {
    const tables = new Set([...plan.documents, ...plan.aggregates].map(({ from }) => from))
    for (const table of plan.tables) if (tables.has(table.name)) await openPlannedTable(lake, table)
    for (const one of plan.documents) {
      const isAtRest = follow(one.from, { consumer: documentConsumer(plan.name, one, documents!) })
      lines.push(documentsFollower(plan.name, one, documents!, isAtRest))
    }
    for (const one of plan.aggregates) {
      const store = await openAggregateStore(aggregateFile(home, plan.name, one.name), one.shape)
      const listeners = new Set<() => void>()
      if (one.collection !== undefined) {
        const keeper = measureDocuments({
          store,
          documents: documents!,
          collection: one.collection,
          onNotice,
        })
        listeners.add(keeper.wake)
        keepers.push(keeper)
      }
      aggregates.push({
        ...{ pipeline: plan.name, name: one.name, store },
        onChange(listener) {
          listeners.add(listener)
          return () => void listeners.delete(listener)
        },
      })
      const isAtRest = follow(one.from, {
        consumer: aggregateConsumer(plan.name, one, store),
        onVersion: () => {
          for (const listener of listeners) listener()
        },
      })
      lines.push(aggregatesFollower(plan.name, one, store, isAtRest))
    }
  }
  return {
    documents,
    aggregates,
    wake(name) {
      for (const { table, follower } of followed) if (table === name) follower.wake()
    },
    settled: async (signal) =>
      void (await Promise.all(followed.map(({ follower }) => follower.settled(signal)))),
    ledger: () => followerLedger(lake.delta, lines),
    async stop() {
      await Promise.all(followed.map(({ follower }) => follower.stop()))
      await Promise.all(keepers.map((keeper) => keeper.stop()))
      await Promise.all(aggregates.map(({ store }) => store.close()))
      await documents?.close()
    },
  }
}

export const aggregateFile = (home: Pick<Home, 'serve'>, pipeline: string, name: string) =>
  path.join(home.serve, 'aggregates', `${pipeline}-${name}.sqlite`)

/** Where the settings keep documents; nothing is opened yet. */
export function documentStore({
  plans,
  settings,
  postgres,
}: Pick<OpenFollowersOptions, 'plans' | 'settings' | 'postgres'>): DocumentStore | undefined {
  if (plans.every((plan) => collectionsOf(plan).length === 0)) return undefined
  const { mongodbUrl: url, mongodbDatabase: database } = settings
  if (url !== undefined) return mongoDocuments(mongoConfig({ url, database }))
  return postgresDocuments(postgres!)
}
