import { setTimeout as sleep } from 'node:timers/promises'
import { riverOf } from '../flow/river.ts'
import type { HttpExchange, HttpRoute } from '../gateway/router.ts'
import type { Platform } from '../orchestrator/platform.ts'
import { apiRoute } from './exchange.ts'
import { lastTasks } from './last-tasks.ts'
import { accessOf } from './route-access.ts'
import { runView } from './run-views.ts'
import { openEventStream } from './server-events.ts'
import { hopView, instant, isOwnTopic } from './views.ts'

// The river: what flows where, as a graph once, and then its numbers as they change. Numbers are totals since the beginning, so that whoever
// looks makes rates of two looks, and a look that was missed costs nothing.

const PUSH_INTERVAL_MS = 1_000

export function riverRoutes(platform: Platform): readonly HttpRoute[] {
  const moment = momentOf(platform)
  return [
    apiRoute({
      method: 'GET',
      path: '/v1/river',
      summary: 'Doors, topics, tables and stores, and what flows between them',
      answer: async () => ({
        ...riverOf(platform.plans, platform.runner.graph.tasks),
        now: await moment(),
      }),
    }),
    {
      method: 'GET',
      path: '/v1/live',
      ...accessOf('GET', '/v1/live'),
      operation: {
        summary: 'What happens, pushed (server-sent events)',
        description:
          '`now` every second: totals of topics and hops, runs under way. `dashboard` with a pipeline whenever an answer of its dashboard is new.',
        tags: ['platform'],
        responses: {
          200: { description: 'A stream of events.', content: { 'text/event-stream': {} } },
        },
      },
      handle: (exchange) => pushMoments(platform, moment, exchange),
    },
  ]
}

/** Gives the numbers of the river at the moment it is called. */
function momentOf(platform: Platform) {
  const { log, runner, clock, state } = platform
  const lastOf = lastTasks(runner)
  return async () => {
    const [hops, topics, runs, tasks] = await Promise.all([
      platform.hops(),
      log.topics(),
      runner.store.list({ status: 'running' }),
      lastOf(),
    ])
    return {
      at: instant(clock.nowMs()),
      topics: await Promise.all(
        topics
          .filter(({ name }) => !isOwnTopic(name))
          .map(async ({ name, bounds, duplicateCount }) => ({
            name,
            total: bounds.reduce((sum, { offsetEnd }) => sum + offsetEnd, 0),
            duplicates: duplicateCount,
            rejected: await state.rejectedCount(name),
          })),
      ),
      hops: hops.map(hopView),
      tasks: tasks.map(({ task: { id, status, facts, error, endedMs }, runId }) => ({
        ...{ id, status, facts, error, run: runId },
        ended_at: endedMs === null ? null : instant(endedMs),
      })),
      runs: runs.map(runView),
    }
  }
}

async function pushMoments(
  platform: Platform,
  moment: () => Promise<unknown>,
  exchange: HttpExchange,
): Promise<void> {
  const stream = openEventStream(exchange)
  const unwatch = platform.dashboards.watch((pipeline) => stream.send('dashboard', { pipeline }))
  try {
    while (!stream.ended.aborted) {
      stream.send('now', await moment())
      await sleep(PUSH_INTERVAL_MS, undefined, { signal: stream.ended }).catch(() => {})
    }
  } finally {
    unwatch()
  }
}
