import type { HttpRoute } from '../gateway/router.ts'
import type { Platform } from '../orchestrator/platform.ts'
import { apiRoute } from './exchange.ts'
import { queryCount, queryValue } from './read-request.ts'
import {
  commitView,
  hopView,
  instant,
  isOwnTopic,
  ledgerView,
  tableDetailView,
  tableView,
  topicView,
} from './views.ts'

const HISTORY_SIZE = { otherwise: 20, max: 10_000 }

/** What the platform is doing and what it holds: status, ledger, topics, tables. */
export function platformRoutes(platform: Platform): readonly HttpRoute[] {
  const { log, lake } = platform
  const topics = async (all: boolean) =>
    (await log.topics()).filter(({ name }) => all || !isOwnTopic(name)).map(topicView)
  return [
    apiRoute({
      method: 'GET',
      path: '/v1/status',
      summary: 'What runs here: hops with state and lag, topics with totals',
      answer: async () => ({
        url: platform.url ?? null,
        postgres_url: platform.postgresUrl ?? null,
        started_at: instant(platform.startedMs),
        pipelines: platform.plans.map(({ name }) => name),
        hops: (await platform.hops()).map(hopView),
        topics: await topics(false),
      }),
    }),
    apiRoute({
      method: 'GET',
      path: '/v1/ledger',
      summary: 'What became of every record at every hop',
      description:
        'For each line `in = out + filtered + duplicates + dead + in_flight`; what that leaves over is `missing`.',
      query: { pipeline: 'Of this pipeline only.' },
      async answer(exchange) {
        const pipeline = queryValue(exchange, 'pipeline')
        const lines = await platform.ledger()
        return ledgerView(
          lines.filter((line) => pipeline === undefined || line.pipeline === pipeline),
        )
      },
    }),
    apiRoute({
      method: 'GET',
      path: '/v1/topics',
      summary: 'Topics with their partitions and totals',
      query: { all: '`true` shows the topics of replayed dead letters too.' },
      answer: async (exchange) => ({
        topics: await topics(queryValue(exchange, 'all') === 'true'),
      }),
    }),
    apiRoute({
      method: 'GET',
      path: '/v1/tables',
      summary: 'Tables of the lake',
      answer: async () => ({ tables: (await lake.list()).map(tableView) }),
    }),
    apiRoute({
      method: 'GET',
      path: '/v1/tables/:name',
      summary: 'One table of the lake: columns, partitioning, properties, newest commits',
      query: { history: 'How many commits to show, newest first; default 20.' },
      async answer(exchange) {
        const name = exchange.params.name!
        const state = await lake.state(name)
        const limit = queryCount(exchange, 'history', HISTORY_SIZE)
        const history = (await lake.history(name, limit)).map(commitView)
        return { ...(await tableDetailView(name, state)), history }
      },
    }),
  ]
}
