import type { HttpExchange, HttpRoute } from '../gateway/router.ts'
import type { Platform } from '../orchestrator/platform.ts'
import { apiRoute } from './exchange.ts'
import { queryCount, refusal } from './read-request.ts'

const PAGE = { otherwise: 50, max: 1_000 }
const SKIP = { otherwise: 0, max: 1_000_000 }
const WORDS = new Set(['limit', 'skip', 'order'])

/** Documents over HTTP: those of a collection, by the values of fields. */
export function documentRoutes(platform: Platform): readonly HttpRoute[] {
  return [
    apiRoute({
      method: 'GET',
      path: '/v1/documents/:collection',
      summary: 'Documents of a collection',
      description:
        'Parameters beside these are fields and what they must equal: `/v1/documents/orders?customer_id=11000&order=-order_timestamp`. Whole numbers and true and false are taken as such; put a text that looks like one into double quotes.',
      query: {
        limit: 'Documents in the answer; default 50.',
        skip: 'Documents to pass over; default 0.',
        order: 'A field to order by, with - before it for the other way round; default by id.',
      },
      answer: (exchange) => documentsView(platform, exchange),
    }),
  ]
}

async function documentsView(platform: Platform, exchange: HttpExchange) {
  const collection = exchange.params.collection!
  const known = platform.collections()
  const { documents } = platform.followers
  if (documents === undefined || !known.includes(collection))
    throw refusal(
      ...([404, 'collection_missing'] as const),
      `There is no collection "${collection}". There are: ${known.join(', ') || 'none'}.`,
    )
  const given = [...new URLSearchParams(exchange.queryText)]
  const where = Object.fromEntries(
    given.filter(([name]) => !WORDS.has(name)).map(([name, text]) => [name, fieldValue(text)]),
  )
  const order = given.find(([name]) => name === 'order')?.[1]
  const orderBy =
    order === undefined
      ? {}
      : { orderBy: { field: order.replace(/^-/, ''), descending: order.startsWith('-') } }
  const limit = queryCount(exchange, 'limit', PAGE)
  const skip = given.some(([name]) => name === 'skip') ? queryCount(exchange, 'skip', SKIP) : 0
  return { documents: await documents.find({ collection, where, ...orderBy, limit, skip }) }
}

function fieldValue(text: string): string | number | boolean {
  if (/^-?(0|[1-9]\d{0,15})$/.test(text)) return Number(text)
  if (text === 'true' || text === 'false') return text === 'true'
  return /^".*"$/s.test(text) ? text.slice(1, -1) : text
}
