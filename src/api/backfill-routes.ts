import type { HttpExchange, HttpRoute } from '../gateway/router.ts'
import type { BackfillRequest } from '../model/backfill.ts'
import type { Platform } from '../orchestrator/platform.ts'
import { DEFAULT_LIMITS } from '../orchestrator/runs/run-wish.ts'
import { apiRoute } from './exchange.ts'
import { queryCount, readJsonObject, refusal } from './read-request.ts'
import { backfillView } from './run-views.ts'

const LIST_SIZE = { otherwise: 20, max: 1_000 }

/** Backfills over HTTP: begin, look, pause, go on, stop. */
export function backfillRoutes({ backfills }: Platform): readonly HttpRoute[] {
  const { store } = backfills
  const verb = (
    name: 'pause' | 'resume' | 'cancel',
    { summary, refused }: { readonly summary: string; readonly refused: string },
  ) =>
    apiRoute({
      method: 'POST',
      path: `/v1/backfills/:id/${name}`,
      summary,
      async answer({ params }: HttpExchange) {
        const { id, status } = await store.find(params.id!)
        if (!(await backfills[name](id)))
          throw refusal(409, 'backfill_state', `Backfill ${id} ${refused}: it is ${status}.`)
        return backfillView(await store.find(id))
      },
    })
  return [
    apiRoute({
      method: 'GET',
      path: '/v1/backfills',
      summary: 'Backfills, newest first',
      query: { limit: 'At most so many; default 20.' },
      answer: async (exchange) => ({
        backfills: (await store.list({ limit: queryCount(exchange, 'limit', LIST_SIZE) })).map(
          backfillView,
        ),
      }),
    }),
    apiRoute({
      method: 'POST',
      path: '/v1/backfills',
      summary: 'Begin a backfill: tasks made again for a stretch of days or versions',
      body: BACKFILL_BODY,
      async answer(exchange) {
        const request = requestOf(await readJsonObject(exchange))
        exchange.about(`${request.selectors.join(' ')}, ${request.from} to ${request.to}`)
        return backfillView(await backfills.begin(request))
      },
    }),
    apiRoute({
      method: 'GET',
      path: '/v1/backfills/:id',
      summary: 'One backfill with its parts',
      answer: async ({ params }) => backfillView(await store.find(params.id!)),
    }),
    verb('pause', {
      summary: 'Let the part in hand end, and begin no other',
      refused: 'cannot be paused',
    }),
    verb('resume', {
      summary: 'Go on with a backfill that was paused or has failed',
      refused: 'cannot go on',
    }),
    verb('cancel', { summary: 'Stop a backfill for good', refused: 'cannot be stopped' }),
  ]
}

const BACKFILL_BODY = {
  type: 'object',
  required: ['selectors', 'from', 'to'],
  properties: {
    selectors: { type: 'array', items: { type: 'string' } },
    unit: { type: 'string', enum: ['days', 'versions'], description: 'Default days.' },
    from: { type: 'string', description: 'First day (`YYYY-MM-DD`) or version, inclusive.' },
    to: { type: 'string', description: 'Last one, inclusive.' },
    part_size: { type: 'integer', description: 'Days or versions in one run; default 1.' },
  },
}

function requestOf(body: Readonly<Record<string, unknown>>): BackfillRequest {
  const { selectors, unit = 'days', from, to } = body
  const isList = Array.isArray(selectors) && selectors.every((one) => typeof one === 'string')
  if (!isList || selectors.length === 0)
    throw refusal(400, 'bad_backfill', '"selectors" is a list of texts. Nothing was begun.')
  if (unit !== 'days' && unit !== 'versions')
    throw refusal(400, 'bad_backfill', '"unit" is days or versions. Nothing was begun.')
  // Versions may come as numbers, whose digits the body keeps.
  const text = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value ?? ''))
  const partSize = body.part_size === undefined ? 1 : Number(JSON.stringify(body.part_size))
  return {
    ...{ selectors: selectors as string[], unit, from: text(from), to: text(to), partSize },
    limits: DEFAULT_LIMITS,
  }
}
