import { isJsonObject, mendFields } from '../flow/mend-value.ts'
import { previewLetter, replayIfSensible } from '../flow/replay-decision.ts'
import type { HttpExchange, HttpRoute } from '../gateway/router.ts'
import type { Platform } from '../orchestrator/platform.ts'
import type { LetterPage, StoredLetter } from '../state/letter-rows.ts'
import { LETTER_STATUSES } from '../state/letter-status.ts'
import { ApiRefusal, apiRoute } from './exchange.ts'
import { letterView, replayView } from './letter-views.ts'
import { queryCount, queryValue, readJsonObject, refusal } from './read-request.ts'

const PAGE_SIZE = { otherwise: 100, max: 10_000 }

/** Dead letters over HTTP: look, try out, mend, send back, put aside. */
export function deadLetterRoutes(platform: Platform): readonly HttpRoute[] {
  const { state } = platform
  const found = ({ params }: HttpExchange) => state.find(params.id!)
  return [
    apiRoute({
      method: 'GET',
      path: '/v1/dead-letters',
      summary: 'Records that were turned away, with how many there are of each kind',
      query: {
        pipeline: 'Of this pipeline only.',
        hop: 'Turned away at this hop: `gateway`, a table or a store.',
        reason: 'With this reason.',
        status: `${LETTER_STATUSES.join(', ')}; several with commas between.`,
        order: '`oldest` (default) or `newest` first.',
        limit: 'At most so many; default 100.',
        after: 'Id of the last letter of the page before.',
      },
      async answer(exchange) {
        const letters = await state.list(pageOf(exchange))
        return { dead_letters: letters.map(letterView), counts: await state.counts() }
      },
    }),
    apiRoute({
      method: 'GET',
      path: '/v1/dead-letters/:id',
      summary: 'One dead letter, and what would become of it now',
      description: 'The first characters of an id are enough where they are unambiguous.',
      async answer(exchange) {
        const letter = await found(exchange)
        return { ...letterView(letter), preview: await previewLetter(platform, letter) }
      },
    }),
    apiRoute({
      method: 'POST',
      path: '/v1/dead-letters/:id/preview',
      summary: 'What would become of a mended value; nothing is kept',
      body: MENDED_BODY,
      async answer(exchange) {
        const letter = await found(exchange)
        const fixed = mendedValue(letter, await readJsonObject(exchange))
        return { id: letter.id, preview: await previewLetter(platform, { ...letter, fixed }) }
      },
    }),
    apiRoute({
      method: 'POST',
      path: '/v1/dead-letters/:id/fix',
      summary: 'Keep a mended value for a dead letter',
      description: 'The original bytes stay beside it. Nothing is sent before it is replayed.',
      body: MENDED_BODY,
      async answer(exchange) {
        const letter = await found(exchange)
        const body = await readJsonObject(exchange)
        const fixed = mendedValue(letter, body)
        const kept = await state.fix(letter.id, fixed ?? letter.value, noteOf(body))
        return { ...letterView(kept), preview: await previewLetter(platform, kept) }
      },
    }),
    apiRoute({
      method: 'POST',
      path: '/v1/dead-letters/:id/replay',
      summary: 'Send a dead letter back to where it was turned away, exactly once',
      description:
        'One that would die again is refused (409) unless `force`. Replaying again sends nothing and says where it went.',
      body: {
        type: 'object',
        properties: { force: { type: 'boolean' }, dry_run: { type: 'boolean' } },
      },
      answer: async (exchange) => replay(platform, await found(exchange), exchange),
    }),
    apiRoute({
      method: 'POST',
      path: '/v1/dead-letters/:id/drop',
      summary: 'Decide that a dead letter will not be replayed; it is kept',
      body: { type: 'object', properties: { note: { type: 'string' } } },
      async answer(exchange) {
        const { id } = await found(exchange)
        return letterView(await state.drop(id, noteOf(await readJsonObject(exchange))))
      },
    }),
  ]
}

async function replay(platform: Platform, letter: StoredLetter, exchange: HttpExchange) {
  const { force, dry_run: dryRun } = await readJsonObject(exchange)
  const wish = { force: force === true, dryRun: dryRun === true }
  if (wish.dryRun) exchange.about('dry run')
  const outcome = await replayIfSensible(platform, letter, wish)
  switch (outcome.status) {
    case 'would_die_again':
      throw new ApiRefusal({
        status: 409,
        code: outcome.status,
        detail: `The dead letter ${letter.id} would die again: ${outcome.preview.message} Nothing was sent. Mend it first, or send "force": true.`,
        members: replayView(letter.id, outcome),
      })
    case 'dropped':
      throw refusal(
        409,
        'dead_letter_dropped',
        `The dead letter ${letter.id} was dropped. Nothing was sent. Mending it brings it back.`,
      )
    case 'impossible':
      throw refusal(409, 'replay_refused', `${outcome.message} Nothing was sent.`)
    default:
      return replayView(letter.id, outcome)
  }
}

const MENDED_BODY = {
  type: 'object',
  description: 'One of `value`, `value_base64` and `set`.',
  properties: {
    value: { type: 'string', description: 'The whole value as text.' },
    value_base64: { type: 'string', description: 'The whole value as Base64.' },
    set: {
      type: 'object',
      description: 'Fields to put into the JSON object that the value is; null as JSON null.',
    },
    note: { type: 'string' },
  },
}

/** The bytes that a request gives for a letter; what the letter has already when it gives none. @throws ApiRefusal, MendError */
function mendedValue(
  letter: StoredLetter,
  { value, value_base64: base64, set }: Readonly<Record<string, unknown>>,
): Uint8Array | null {
  if ([value, base64, set].filter((given) => given !== undefined).length > 1) {
    throw refusal(400, 'bad_mend', 'Give one of "value", "value_base64" and "set", not several.')
  }
  if (typeof value === 'string') return new TextEncoder().encode(value)
  if (typeof base64 === 'string') return Buffer.from(base64, 'base64')
  if (isJsonObject(set)) {
    const fields = Object.entries(set).map(([name, cell]) => [name, JSON.stringify(cell)])
    return mendFields(letter.fixed ?? letter.value, Object.fromEntries(fields))
  }
  if (value === undefined && base64 === undefined && set === undefined) return letter.fixed
  throw refusal(400, 'bad_mend', '"value" and "value_base64" are texts, "set" is an object.')
}

const noteOf = ({ note }: Readonly<Record<string, unknown>>): string | undefined =>
  typeof note === 'string' ? note : undefined

function pageOf(exchange: HttpExchange): LetterPage {
  const given = queryValue(exchange, 'status')?.split(',')
  const statuses = LETTER_STATUSES.filter((name) => given?.includes(name))
  if (given !== undefined && statuses.length < given.length) {
    throw refusal(400, 'bad_parameter', `status is one of ${LETTER_STATUSES.join(', ')}.`)
  }
  const order = queryValue(exchange, 'order') ?? 'oldest'
  if (order !== 'oldest' && order !== 'newest')
    throw refusal(400, 'bad_parameter', 'order is oldest or newest.')
  const texts = (['pipeline', 'hop', 'reason', 'after'] as const).flatMap((name) => {
    const text = queryValue(exchange, name)
    return text === undefined ? [] : [[name, text]]
  })
  return {
    ...Object.fromEntries(texts),
    ...(given === undefined ? {} : { statuses }),
    newestFirst: order === 'newest',
    limit: queryCount(exchange, 'limit', PAGE_SIZE),
  }
}
