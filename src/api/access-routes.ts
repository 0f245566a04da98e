import { createApiKey, isKeyName, KEY_NAME_RULE } from '../gateway/api-keys.ts'
import type { HttpExchange, HttpRoute } from '../gateway/router.ts'
import { type AuditOutcome, ROLES, roleNamed } from '../model/access.ts'
import { systemRandomness } from '../model/clock.ts'
import type { Platform } from '../orchestrator/platform.ts'
import { auditView, keyView, sessionView } from './access-views.ts'
import { apiRoute } from './exchange.ts'
import { queryCount, queryValue, readJsonObject, refusal } from './read-request.ts'

// Keys, sessions and the audit log over HTTP. Everybody sees and ends their own sessions; the rest is for admins.

const PAGE = { otherwise: 100, max: 1_000 }
const OUTCOMES: readonly AuditOutcome[] = ['begun', 'done', 'failed', 'refused']
const RATE_MAX = 1_000_000_000

export function accessRoutes(platform: Platform): readonly HttpRoute[] {
  return [...sessionListRoutes(platform), ...keyRoutes(platform), auditRoute(platform)]
}

function sessionListRoutes({ access }: Platform): HttpRoute[] {
  const { sessions } = access
  const visible = async ({ identity }: HttpExchange) =>
    (await sessions.list()).filter(
      ({ keyName }) =>
        identity === undefined || identity.role === 'admin' || keyName === identity.name,
    )
  return [
    apiRoute({
      method: 'GET',
      path: '/v1/sessions',
      summary: 'Sessions of the console in force: one’s own, for admins everybody’s',
      answer: async (exchange) => ({
        sessions: (await visible(exchange)).map((row) => ({
          ...sessionView(row, sessions.limits.idleMs),
          current: row.id === exchange.identity?.session,
        })),
      }),
    }),
    apiRoute({
      method: 'POST',
      path: '/v1/sessions/:id/end',
      summary: 'End a session; what it has open is closed within seconds',
      async answer(exchange) {
        const found = (await visible(exchange)).find(({ id }) => id === exchange.params.id)
        if (found === undefined || !(await sessions.end(found.id)))
          throw refusal(404, 'session_missing', 'There is no such session in force.')
        exchange.about(`of the key ${found.keyName}`)
        return { id: found.id, ended: true }
      },
    }),
  ]
}

function keyRoutes({ access, state }: Platform): HttpRoute[] {
  return [
    apiRoute({
      method: 'GET',
      path: '/v1/keys',
      summary: 'API keys with their roles; never the keys themselves',
      answer: async () => ({ keys: (await state.keys()).map(keyView) }),
    }),
    apiRoute({
      method: 'POST',
      path: '/v1/keys',
      summary: 'Make a key; it is in this answer and never again',
      description:
        'Not the first one: where no keys are asked for anybody could lock everybody out, so that one is made with `mekong keys create`.',
      body: {
        type: 'object',
        required: ['name', 'role'],
        properties: {
          name: { type: 'string' },
          role: { enum: ROLES },
          records_per_second_max: { type: ['integer', 'null'] },
        },
      },
      async answer(exchange) {
        const wish = keyWishOf(await readJsonObject(exchange))
        if (access.keys.current() === undefined)
          throw refusal(
            ...([409, 'first_key'] as const),
            'The first key is made on the machine itself, with "mekong keys create NAME --role admin". Nothing was made.',
          )
        const { name, role } = wish
        exchange.about(`${name} as ${role}`)
        const { key, stored } = createApiKey(systemRandomness, { name, role })
        if (!(await state.addKey({ ...wish, hash: stored.hash })))
          throw refusal(
            ...([409, 'key_name_taken'] as const),
            `There is a key "${name}" already, or there was. Choose another name.`,
          )
        await access.keys.look()
        return { ok: true, name, role, key, records_per_second_max: wish.recordsPerSecondMax }
      },
    }),
    apiRoute({
      method: 'POST',
      path: '/v1/keys/:name/revoke',
      summary: 'Revoke a key, and end the sessions that it began',
      async answer({ params }) {
        const name = params.name!
        if (!(await state.revokeKey(name)))
          throw refusal(404, 'key_missing_here', `There is no key "${name}" in force.`)
        await access.keys.look()
        return { ok: true, name }
      },
    }),
  ]
}

function keyWishOf(body: Readonly<Record<string, unknown>>) {
  const { name, role: word, records_per_second_max: rate = null } = body
  if (typeof name !== 'string' || !isKeyName(name))
    throw refusal(400, 'bad_key', `${KEY_NAME_RULE} Nothing was made.`)
  const role = roleNamed(word)
  if (role === undefined)
    throw refusal(400, 'bad_key', `role is one of ${ROLES.join(', ')}. Nothing was made.`)
  // Numbers of a body are opaque, for the sake of their digits; ours are small.
  const perSecond = rate === null ? null : Number(JSON.stringify(rate))
  if (
    perSecond !== null &&
    !(Number.isInteger(perSecond) && perSecond >= 1 && perSecond <= RATE_MAX)
  )
    throw refusal(400, 'bad_key', 'records_per_second_max is a whole number from 1, or null.')
  return { name, role, recordsPerSecondMax: perSecond }
}

function auditRoute({ state }: Platform): HttpRoute {
  return apiRoute({
    method: 'GET',
    path: '/v1/audit',
    summary: 'The audit log, newest first: who did what to what, from where, and how it ended',
    description:
      'For the next page give the last `id` as `before`. `begun` is what has not ended, or was cut off with the process.',
    query: {
      actor: 'Of this key, or user of the machine, only.',
      action: 'This word (`run.begin`), or all that begin with it (`run`).',
      outcome: OUTCOMES.join(', '),
      before: 'Only entries older than this id.',
      limit: `At most so many; default ${PAGE.otherwise}.`,
    },
    async answer(exchange) {
      const outcome = OUTCOMES.find((known) => known === queryValue(exchange, 'outcome'))
      if (outcome === undefined && queryValue(exchange, 'outcome') !== undefined)
        throw refusal(400, 'bad_parameter', `outcome is one of ${OUTCOMES.join(', ')}.`)
      const bounds = { otherwise: Number.MAX_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER }
      const words = (['actor', 'action'] as const).flatMap((name) => {
        const word = queryValue(exchange, name)
        return word === undefined ? [] : [[name, word]]
      })
      const entries = await state.audit({
        ...Object.fromEntries(words),
        ...(outcome === undefined ? {} : { outcome }),
        before: queryCount(exchange, 'before', bounds),
        limit: queryCount(exchange, 'limit', PAGE),
      })
      return { entries: entries.map(auditView) }
    },
  })
}
