import { type Admitted, admit, type Doorkeeper } from '../gateway/admit.ts'
import type { KeyIdentity } from '../gateway/api-keys.ts'
import { forgetSessionCookie, sessionCookie, sessionSetCookie } from '../gateway/cookies.ts'
import { foreignOriginProblem } from '../gateway/cross-site.ts'
import { addressOf, isSecure, ownOrigin } from '../gateway/front.ts'
import type { HttpProblem } from '../gateway/problem-document.ts'
import type { HttpExchange, HttpRoute } from '../gateway/router.ts'
import { csrfTokenOf } from '../gateway/sessions.ts'
import { GRANTS, grantsOf, may, type SessionRow } from '../model/access.ts'
import type { Platform } from '../orchestrator/platform.ts'
import { sessionView } from './access-views.ts'
import { ApiRefusal, apiRoute } from './exchange.ts'
import { readJsonObject, refusal } from './read-request.ts'

// Signing in to the console: a key goes in once, and a cookie that no script can read stands for it from then on. These three routes are
// open, because who asks is what they find out.

/** A key and its JSON; nobody unknown gets more read than that. */
const SIGN_IN_BYTES_MAX = 4_096

export function sessionRoutes(platform: Platform): readonly HttpRoute[] {
  const { access } = platform
  const { sessions, audit, front } = access
  const doorkeeper: Doorkeeper = { keys: access.keys.current, sessions, front }
  return [
    apiRoute({
      method: 'GET',
      path: '/v1/session',
      summary: 'Who asks, and what they may',
      description:
        '`access` is `open` where no keys are asked for. `csrf_token` goes into `X-CSRF-Token` of every request that changes something and comes with the cookie of a session; requests with a key need none.',
      answer: async ({ request }) =>
        whoView(
          platform,
          await admit(doorkeeper, request, undefined),
          sessionCookie(request, isSecure(front, request)),
        ),
    }),
    apiRoute({
      method: 'POST',
      path: '/v1/session',
      summary: 'Sign in: a key in, a cookie out',
      description:
        'For browsers; programs send their key with each request. The cookie is HttpOnly and SameSite=Strict, Secure behind TLS. After five wrong keys an address waits (429), each time longer.',
      body: { type: 'object', required: ['key'], properties: { key: { type: 'string' } } },
      answer: (exchange) => signIn(platform, exchange),
    }),
    apiRoute({
      method: 'DELETE',
      path: '/v1/session',
      summary: 'Sign out: the session is over, here and for whoever copied its cookie',
      async answer({ request, response }) {
        const { identity, problem } = await admit(doorkeeper, request, undefined)
        if (identity?.session !== undefined) {
          if (problem !== undefined) throw new ApiRefusal(problem)
          const address = addressOf(front, request)
          const subject = `session ${identity.session}`
          const id = await audit.begin({ identity, address, action: 'session.sign_out', subject })
          await sessions.end(identity.session)
          await audit.end(id, { outcome: 'done', status: 200, detail: null })
        }
        response.setHeader('Set-Cookie', forgetSessionCookie(isSecure(front, request)))
        return whoView(platform, NOBODY, undefined)
      },
    }),
  ]
}

const NOBODY: Admitted = { problem: { status: 401, code: 'key_missing', detail: '' } }

async function signIn(platform: Platform, exchange: HttpExchange) {
  const { request, response } = exchange
  const { access } = platform
  const { front, sessions, audit } = access
  if (access.keys.current() === undefined)
    throw refusal(409, 'no_keys', 'There are no keys here yet, so none is asked for.')
  const foreign = foreignOriginProblem(request, ownOrigin(front, request))
  if (foreign !== undefined) throw new ApiRefusal(foreign)
  const address = addressOf(front, request)
  const identity = await verified(platform, exchange, address)
  const old = sessionCookie(request, isSecure(front, request))
  const before = old === undefined ? undefined : await sessions.find(old)
  if (before !== undefined) await sessions.end(before.session.id)
  const { token, session } = await sessions.begin({
    ...{ keyName: identity.name, address },
    agent: request.headers['user-agent'],
  })
  const subject = `session ${session.id}`
  const signedIn = { ...identity, session: session.id }
  const asked = { identity: signedIn, address, action: 'session.sign_in', subject }
  const id = await audit.begin(asked)
  await audit.end(id, { outcome: 'done', status: 200, detail: null })
  response.setHeader('Set-Cookie', sessionSetCookie(token, isSecure(front, request)))
  return whoView(platform, { identity: signedIn }, token)
}

/** Whose key it is. @throws ApiRefusal after too many wrong ones, on a wrong one, and on one that may not look */
async function verified(
  { access }: Platform,
  exchange: HttpExchange,
  address: string,
): Promise<KeyIdentity> {
  const { signIns, audit } = access
  const refuse = async (problem: HttpProblem): Promise<never> => {
    const asked = { identity: 'stranger', address, action: 'session.sign_in' } as const
    await audit.refused({ ...asked, subject: 'the console' }, problem.status, problem.code)
    throw new ApiRefusal(problem)
  }
  const waitMs = signIns.waitMs(address)
  if (waitMs > 0)
    return refuse({
      ...{ status: 429, code: 'sign_in_throttled', retryAfterMs: waitMs },
      detail: `Too many wrong keys came from ${address}. Nothing was looked at. Try again in ${Math.ceil(waitMs / 1_000)} s.`,
    })
  const { key } = await readJsonObject(exchange, SIGN_IN_BYTES_MAX)
  const identity = typeof key === 'string' ? await access.keys.current()?.verify(key) : undefined
  if (identity === undefined) {
    signIns.failed(address)
    return refuse({
      ...{ status: 401, code: 'key_unknown' },
      detail: 'The key is not known, or was revoked. Nobody was signed in.',
    })
  }
  signIns.succeeded(address)
  if (may(identity.role, 'read')) return identity
  throw refusal(
    ...([403, 'role_insufficient'] as const),
    `The key "${identity.name}" may only send records, and there is nothing to send in the console. Sign in with a key of the role read, operate or admin.`,
  )
}

async function whoView(
  { access }: Platform,
  { identity, problem }: Admitted,
  token: string | undefined,
) {
  const isOpen = access.keys.current() === undefined
  const isIn = identity !== undefined && problem === undefined
  const session = isIn ? await ownSession(access.sessions, token) : undefined
  return {
    access: isOpen ? 'open' : 'keys',
    signed_in: isOpen || isIn,
    key: isIn ? identity.name : null,
    role: isIn ? identity.role : null,
    may: isOpen ? GRANTS : isIn ? grantsOf(identity.role) : [],
    session:
      isIn && session !== undefined ? sessionView(session, access.sessions.limits.idleMs) : null,
    csrf_token: isIn && session !== undefined && token !== undefined ? csrfTokenOf(token) : null,
  }
}

async function ownSession(
  sessions: Platform['access']['sessions'],
  token: string | undefined,
): Promise<SessionRow | undefined> {
  return token === undefined ? undefined : (await sessions.find(token))?.session
}
