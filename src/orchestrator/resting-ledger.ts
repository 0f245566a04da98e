import { existsSync } from 'node:fs'
import path from 'node:path'
import { filesLedger } from '../flow/files-ledger.ts'
import {
  aggregatesFollower,
  documentsFollower,
  followerLedger,
  type LedgerFollower,
} from '../flow/follower-ledger.ts'
import { labelLedger } from '../flow/label-ledger.ts'
import { pipelineLedger } from '../flow/ledger.ts'
import { openModelLake } from '../flow/open-model-lake.ts'
import { publishLedger } from '../flow/publish-ledger.ts'
import { restingHops } from '../flow/resting-hops.ts'
import type { LedgerLine } from '../model/ledger.ts'
import type { PipelinePlan } from '../pipeline/plan.ts'
import { type AggregateStore, openAggregateStore } from '../serve/aggregates/aggregate-store.ts'
import type { PostgresConfig } from '../serve/postgres/config.ts'
import type { HomeReader } from './home-reader.ts'
import { aggregateFile, documentStore } from './open-followers.ts'
import { publisherOf } from './open-publisher.ts'
import { reachPostgres } from './reach-postgres.ts'

/**
 * The ledger of a home where no platform runs: from the log, the dead letters, and the cursors and counts in the targets
 * themselves. The embedded PostgreSQL has to be started for that, under the home's lock.
 * @throws HomeLockedError, SinkUnavailableError, SinkConfigError
 */
export async function restingLedger(
  reader: HomeReader,
  plans: readonly PipelinePlan[],
): Promise<readonly LedgerLine[]> {
  const [log, state] = await Promise.all([reader.log(), reader.state()])
  if (log === undefined || state === undefined) return []
  const topics = await log.topics()
  return withPostgres(reader, plans, async (postgres) => {
    const followed = await restingFollowers(reader, plans, postgres)
    return (
      await Promise.all(
        plans.map(async (plan) => [
          ...(await pipelineLedger({
            plan,
            state,
            log: {
              topics: async () => topics,
              // A topic that no platform has made yet holds nothing.
              bounds: async (topic) => topics.find(({ name }) => name === topic)?.bounds ?? [],
            },
            hops: restingHops({ plan, lake: reader.lake, postgres }),
          })),
          ...(await filesLedger({ plan, lake: reader.lake, state })),
          ...(await labelLedger({ plan, lake: reader.lake, state })),
          ...(await restingPublishes(reader, plan, postgres)),
          ...followed.filter(({ pipeline }) => pipeline === plan.name),
        ]),
      )
    ).flat()
  })
}

/** Lines of tables that a store shows, where there is a store to ask. */
async function restingPublishes(
  { settings, lake, lakeHome }: HomeReader,
  plan: PipelinePlan,
  postgres: PostgresConfig | undefined,
): Promise<readonly LedgerLine[]> {
  const tables = plan.publishes.length === 0 ? [] : await lake.names()
  if (!plan.publishes.some(({ from }) => tables.includes(from))) return []
  if (settings.mysql === 'postgres' && postgres === undefined) return []
  return publishLedger({
    plan,
    lake: openModelLake(await lakeHome()),
    publisher: () => publisherOf(settings, postgres!),
  })
}

/** Lines of what follows tables, where there is something of it in the home or on a server. */
async function restingFollowers(
  { home, settings, lake, lakeHome }: HomeReader,
  plans: readonly PipelinePlan[],
  postgres: PostgresConfig | undefined,
): Promise<readonly LedgerLine[]> {
  if (plans.every((plan) => plan.documents.length + plan.aggregates.length === 0)) return []
  const tables = await lake.names()
  const isAtRest = () => true
  const aggregates: AggregateStore[] = []
  const isReached = postgres !== undefined || settings.mongodbUrl !== undefined
  const documents = isReached ? documentStore({ plans, settings, postgres }) : undefined
  try {
    const followers: LedgerFollower[] = []
    for (const plan of plans) {
      for (const one of plan.documents)
        if (documents !== undefined && tables.includes(one.from))
          followers.push(documentsFollower(plan.name, one, documents, isAtRest))
      for (const one of plan.aggregates) {
        const file = aggregateFile(home, plan.name, one.name)
        if (!tables.includes(one.from) || !existsSync(file)) continue
        const store = await openAggregateStore(file, one.shape)
        aggregates.push(store)
        followers.push(aggregatesFollower(plan.name, one, store, isAtRest))
      }
    }
    if (followers.length === 0) return []
    return await followerLedger((await lakeHome()).delta, followers)
  } finally {
    await Promise.all(aggregates.map((store) => store.close()))
    await documents?.close()
  }
}

async function withPostgres<T>(
  { home, settings }: HomeReader,
  plans: readonly PipelinePlan[],
  work: (postgres: PostgresConfig | undefined) => Promise<T>,
): Promise<T> {
  const keepsDocuments =
    settings.mongodbUrl === undefined && plans.some((p) => p.documents.length > 0)
  const publishes = settings.mysql === 'postgres' && plans.some((p) => p.publishes.length > 0)
  const isServedFrom = keepsDocuments || publishes || plans.some(({ serves }) => serves.length > 0)
  if (!isServedFrom) return work(undefined)
  const untouched = !existsSync(path.join(home.serve, 'postgres', 'data'))
  if (settings.postgres === 'embedded' && untouched) return work(undefined)
  const postgres = await reachPostgres(home.path, settings)
  try {
    return await work(postgres.config)
  } finally {
    await postgres.release()
  }
}
