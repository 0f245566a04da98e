import { existsSync } from 'node:fs'
import path from 'node:path'
import { pipelineLedger } from '../flow/ledger.ts'
import { restingHops } from '../flow/resting-hops.ts'
import type { LedgerLine } from '../model/ledger.ts'
import type { PipelinePlan } from '../pipeline/plan.ts'
import type { PostgresConfig } from '../serve/postgres/config.ts'
import { startEmbeddedPostgres } from '../serve/postgres/embedded.ts'
import { lockHome } from './home.ts'
import type { HomeReader } from './home-reader.ts'
import { serverConfig } from './open-postgres.ts'

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
  return withPostgres(reader, plans, async (postgres) =>
    (
      await Promise.all(
        plans.map((plan) =>
          pipelineLedger({
            plan,
            state,
            log: {
              topics: async () => topics,
              // A topic that no platform has made yet holds nothing.
              bounds: async (topic) => topics.find(({ name }) => name === topic)?.bounds ?? [],
            },
            hops: restingHops({ plan, lake: reader.lake, postgres }),
          }),
        ),
      )
    ).flat(),
  )
}

async function withPostgres<T>(
  { home, settings }: HomeReader,
  plans: readonly PipelinePlan[],
  work: (postgres: PostgresConfig | undefined) => Promise<T>,
): Promise<T> {
  if (!plans.some(({ serves }) => serves.length > 0)) return work(undefined)
  if (settings.postgres === 'server') return work(serverConfig(settings))
  const folder = path.join(home.serve, 'postgres')
  if (!existsSync(path.join(folder, 'data'))) return work(undefined)
  const lock = lockHome(home.path)
  try {
    const embedded = await startEmbeddedPostgres({ folder, port: 0 })
    try {
      return await work(embedded.config)
    } finally {
      await embedded.close()
    }
  } finally {
    lock.release()
  }
}
