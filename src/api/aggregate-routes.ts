import { setTimeout as sleep } from 'node:timers/promises'
import type { HttpExchange, HttpRoute } from '../gateway/router.ts'
import { GRAINS, type Grain, MINUTES_OF_GRAIN, PERIODS, type Period } from '../model/aggregates.ts'
import type { OpenAggregates } from '../orchestrator/open-followers.ts'
import type { Platform } from '../orchestrator/platform.ts'
import type { SeriesFacts } from '../serve/aggregates/aggregate-store.ts'
import { apiRoute } from './exchange.ts'
import { queryCount, queryValue, refusal } from './read-request.ts'
import { accessOf } from './route-access.ts'
import { openEventStream } from './server-events.ts'
import { instant } from './views.ts'

// Kept aggregates over HTTP: what a dashboard shows, asked once or pushed whenever it changes. Every answer says which version of the lake
// table it stands for; it equals what SQL computes on that version.

/** More steps than a screen has room for. */
const STEP_COUNT_MAX = 2_000
const TOP = { otherwise: 10, max: 100 }
/** Several commits in a hurry are one push. */
const PUSH_INTERVAL_MS = 250
/** Asking takes milliseconds; commits come a few times a second at most. */
const ATTEMPT_COUNT_MAX = 10
/** "Now" moves on also while nothing comes in. */
const PUSH_AGAIN_MS = 30_000

const QUERY = {
  period: `One of ${PERIODS.join(', ')}, by the calendar of UTC; default day.`,
  at: 'The instant that "now" means, or `latest` for that of the newest row; default now.',
}
const SERIES_QUERY = {
  grain: `One of ${GRAINS.join(', ')}; default hour.`,
  from: 'From this instant on; default one day before `to`.',
  steps: 'Instead of `from`: so many steps up to `to`, which move on with it.',
  to: 'Up to this instant; default as `at`.',
  at: QUERY.at,
  top: 'Labels shown; the others are summed up as `other`. Default 10.',
  label: 'Only this label.',
}

export function aggregateRoutes(platform: Platform): readonly HttpRoute[] {
  const found = ({ params }: HttpExchange): OpenAggregates => {
    const all = platform.followers.aggregates
    const one = all.find(({ name }) => name === params.name)
    if (one !== undefined) return one
    const known = all.map(({ name }) => name).join(', ') || 'none'
    throw refusal(
      404,
      'aggregates_missing',
      `There are no aggregates "${params.name}". There are: ${known}.`,
    )
  }
  return [
    apiRoute({
      method: 'GET',
      path: '/v1/aggregates/:name',
      summary: 'Measures of a period beside the one before, and of all time',
      description:
        'A measure is compared with the same stretch of the period before: this morning with yesterday morning. `previous_whole` is all of that period.',
      query: QUERY,
      answer: async (exchange) => {
        const aggregates = found(exchange)
        return ofOneVersion(aggregates, () => measuresView(exchange, aggregates))
      },
    }),
    apiRoute({
      method: 'GET',
      path: '/v1/aggregates/:name/series/:series',
      summary: 'Values over time by label',
      query: SERIES_QUERY,
      answer: async (exchange) => seriesView(exchange, found(exchange), exchange.params.series!),
    }),
    {
      method: 'GET',
      path: '/v1/aggregates/:name/live',
      ...accessOf('GET', '/v1/aggregates/:name/live'),
      operation: {
        summary: 'Measures and series, pushed whenever they change (server-sent events)',
        description:
          'Events are named `page`; parameters as for the two questions, and `series`, several separated by commas.',
        tags: ['platform'],
        responses: {
          200: { description: 'A stream of events.', content: { 'text/event-stream': {} } },
        },
      },
      handle: (exchange) => pushPages(exchange, found(exchange)),
    },
  ]
}

async function pushPages(exchange: HttpExchange, aggregates: OpenAggregates): Promise<void> {
  const names = (queryValue(exchange, 'series') ?? '').split(',').filter((name) => name !== '')
  const page = () =>
    ofOneVersion(aggregates, async () => ({
      ...(await measuresView(exchange, aggregates)),
      series: Object.fromEntries(
        await Promise.all(
          names.map(async (name) => [name, await seriesView(exchange, aggregates, name)]),
        ),
      ),
    }))
  // What is wrong with the question is said before the stream begins.
  const first = await page()
  const stream = openEventStream(exchange)
  let dirty = new AbortController()
  const unsubscribe = aggregates.onChange(() => dirty.abort())
  try {
    stream.send('page', first)
    while (!stream.ended.aborted) {
      const wake = AbortSignal.any([
        ...[stream.ended, dirty.signal],
        AbortSignal.timeout(PUSH_AGAIN_MS),
      ])
      if (!wake.aborted)
        await new Promise<void>((resolve) =>
          wake.addEventListener('abort', () => resolve(), { once: true }),
        )
      if (stream.ended.aborted) return
      dirty = new AbortController()
      stream.send('page', await page())
      await sleep(PUSH_INTERVAL_MS, undefined, { signal: stream.ended }).catch(() => {})
    }
  } finally {
    unsubscribe()
  }
}

/** An answer is several questions; one between which a commit was counted would be of no version of the table, so it is asked again. */
async function ofOneVersion<T>({ store }: OpenAggregates, ask: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    const version = await store.version()
    const answer = await ask()
    if (attempt === ATTEMPT_COUNT_MAX || (await store.version()) === version) return answer
  }
}

async function measuresView(exchange: HttpExchange, { name, store }: OpenAggregates) {
  const period = choiceOf<Period>(exchange, 'period', PERIODS, 'day')
  const version = await store.version()
  const atMs = await momentOf(exchange, store)
  const facts = await store.measures(period, atMs)
  const measures = Object.entries(facts.measures).map(([measure, m]) => [
    measure,
    {
      ...{ value: m.value, previous: m.previous },
      previous_whole: m.previousWhole,
      change: m.change,
    },
  ])
  return {
    ...{ name, version, period, at: instant(atMs) },
    ...{ start: instant(facts.startMs), end: instant(facts.endMs) },
    measures: Object.fromEntries(measures),
    totals: await store.totals(),
  }
}

async function seriesView(exchange: HttpExchange, { store }: OpenAggregates, series: string) {
  const known = store.shape.series[series]
  if (known === undefined) {
    const names = Object.keys(store.shape.series).join(', ')
    throw refusal(404, 'series_missing', `There is no series "${series}". There are: ${names}.`)
  }
  const otherwise = known.grains.includes('hour') ? 'hour' : known.grains[0]!
  const grain = choiceOf<Grain>(exchange, 'grain', known.grains, otherwise)
  const stepMs = MINUTES_OF_GRAIN[grain] * 60_000
  const atMs = await momentOf(exchange, store)
  const toMs = instantOf(exchange, 'to') ?? (Math.floor(atMs / stepMs) + 1) * stepMs
  const fromMs = fromMsOf(exchange, toMs, stepMs)
  if (!(fromMs < toMs && (toMs - fromMs) / stepMs <= STEP_COUNT_MAX))
    throw refusal(
      ...([400, 'bad_parameter'] as const),
      `from must be before to, and at most ${STEP_COUNT_MAX} steps of one ${grain} before it.`,
    )
  const label = queryValue(exchange, 'label')
  const facts = await store.series({
    ...{ series, grain, fromMs, toMs, top: queryCount(exchange, 'top', TOP) },
    ...(label === undefined ? {} : { label }),
  })
  return { grain, from: instant(fromMs), to: instant(toMs), ...seriesFactsView(facts) }
}

function fromMsOf(exchange: HttpExchange, toMs: number, stepMs: number): number {
  if (queryValue(exchange, 'steps') === undefined)
    return instantOf(exchange, 'from') ?? toMs - Math.max(86_400_000, 30 * stepMs)
  return toMs - stepMs * queryCount(exchange, 'steps', { otherwise: 1, max: STEP_COUNT_MAX })
}

const seriesFactsView = ({ stepsMs, lines }: SeriesFacts) => ({
  steps: stepsMs.map(instant),
  lines,
})

async function momentOf(exchange: HttpExchange, store: OpenAggregates['store']): Promise<number> {
  if (queryValue(exchange, 'at') === 'latest') return (await store.newestMs()) ?? Date.now()
  return instantOf(exchange, 'at') ?? Date.now()
}

function instantOf(exchange: HttpExchange, name: string): number | undefined {
  const text = queryValue(exchange, name)
  if (text === undefined || text === 'latest') return undefined
  const ms = Date.parse(text)
  if (Number.isFinite(ms)) return ms
  throw refusal(400, 'bad_parameter', `${name} must be an instant such as 2024-05-02T07:53:14Z.`)
}

function choiceOf<T extends string>(
  exchange: HttpExchange,
  name: string,
  choices: readonly T[],
  otherwise: T,
): T {
  const text = queryValue(exchange, name)
  if (text === undefined) return otherwise
  const choice = choices.find((known) => known === text)
  if (choice !== undefined) return choice
  throw refusal(400, 'bad_parameter', `${name} is one of ${choices.join(', ')}.`)
}
