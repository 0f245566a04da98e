import { existsSync } from 'node:fs'
import path from 'node:path'
import { filesLedger } from '../flow/files-ledger.ts'
import { pipelineLedger } from '../flow/ledger.ts'
import { restingHops } from '../flow/resting-hops.ts'
import type { LedgerLine } from '../model/ledger.ts'
import type { PipelinePlan } from '../pipeline/plan.ts'
import type { PostgresConfig } from '../serve/postgres/config.ts'
import type { HomeReader } from './home-reader.ts'
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
  return withPostgres(reader, plans, async (postgres) =>
    (
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
        ]),
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
  const untouched = !existsSync(path.join(home.serve, 'postgres', 'data'))
  if (settings.postgres === 'embedded' && untouched) return work(undefined)
  const postgres = await reachPostgres(home.path, settings)
  try {
    return await work(postgres.config)
  } finally {
    await postgres.release()
  }
}
