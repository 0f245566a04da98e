import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { SessionRow } from '../model/access.ts'
import type { Clock, Randomness } from '../model/clock.ts'
import type { ApiKeys, KeyIdentity } from './api-keys.ts'

// Sessions of the console: who signed in with a key carries a random secret in a cookie instead, so that the key itself is kept nowhere in
// the browser. Comes in: a key that was verified, later the cookie. Goes out: the identity of that key, for as long as the key is in force, the
// session is used and not too old. Survives a crash: everything; sessions are rows, of the secret only the hash is there.
// After OWASP's Session Management Cheat Sheet: 256 random bits, made by the server alone and anew at each sign-in, expiry idle and absolute.

/** Where sessions are kept. Promises are fulfilled when it is durable. */
export interface SessionStorePort {
  sessions(): Promise<readonly SessionRow[]>
  findSession(id: string): Promise<SessionRow | undefined>
  addSession(row: SessionRow): Promise<void>
  touchSession(id: string): Promise<void>
  endSession(id: string): Promise<boolean>
}

export interface SessionLimits {
  /** Without a request for so long, a session is over. */
  readonly idleMs: number
  /** So long after it began, a session is over in any case. */
  readonly absoluteMs: number
}

/** What OWASP recommends for low-risk applications and a day at the office: 30 minutes idle, 8 hours in all. */
export const DEFAULT_SESSION_LIMITS: SessionLimits = Object.freeze({
  idleMs: 30 * 60_000,
  absoluteMs: 8 * 3_600_000,
})

export interface OpenedSession {
  /** Of the cookie: `<id>.<secret>`. */
  readonly token: string
  readonly session: SessionRow
}

/** A session that was found in force. */
export interface FoundSession {
  readonly session: SessionRow
  readonly identity: KeyIdentity
}

export interface Sessions {
  readonly limits: SessionLimits
  begin(options: {
    readonly keyName: string
    readonly address: string
    readonly agent: string | undefined
  }): Promise<OpenedSession>
  /** The session behind a cookie, if it is in force. `touches: false` does not count as use. */
  find(token: string, options?: { readonly touches?: boolean }): Promise<FoundSession | undefined>
  /** Those in force, the one used last first. */
  list(): Promise<readonly SessionRow[]>
  /** False when there is none such in force. */
  end(id: string): Promise<boolean>
}

const ID_BYTES = 9
const SECRET_BYTES = 32
const AGENT_LENGTH_MAX = 200
/** Use is written down at most so often. */
const TOUCH_INTERVAL_MS = 60_000

export function openSessions(options: {
  readonly store: SessionStorePort
  /** The keys in force; a session whose key is not among them is over. */
  readonly keys: () => ApiKeys | undefined
  readonly clock: Clock
  readonly randomness: Randomness
  readonly limits?: SessionLimits
}): Sessions {
  const { store, keys, clock, randomness, limits = DEFAULT_SESSION_LIMITS } = options
  const random = (count: number) =>
    Buffer.from(randomness.bytes(new Uint8Array(count))).toString('base64url')
  const inForce = (row: SessionRow): KeyIdentity | undefined => {
    const nowMs = clock.nowMs()
    const isOver =
      row.endedMs !== null || nowMs >= row.expiresMs || nowMs >= row.seenMs + limits.idleMs
    return isOver ? undefined : keys()?.named(row.keyName)
  }
  return {
    limits,
    async begin({ keyName, address, agent }) {
      const [id, secret] = [random(ID_BYTES), random(SECRET_BYTES)]
      const nowMs = clock.nowMs()
      const session: SessionRow = {
        ...{ id, hash: hashOf(secret), keyName, createdMs: nowMs, seenMs: nowMs },
        ...{ expiresMs: nowMs + limits.absoluteMs, endedMs: null, address },
        agent: agent?.slice(0, AGENT_LENGTH_MAX) ?? null,
      }
      await store.addSession(session)
      return { token: `${id}.${secret}`, session }
    },
    async find(token, { touches = true } = {}) {
      const [id = '', secret = ''] = token.split('.')
      const session = await store.findSession(id)
      // Compared in any case, so that the time taken does not tell which ids there are.
      const isRight = isSameText(hashOf(secret), session?.hash ?? hashOf(''))
      if (!isRight || session === undefined) return undefined
      const identity = inForce(session)
      if (identity === undefined) return undefined
      if (touches && clock.nowMs() - session.seenMs >= TOUCH_INTERVAL_MS)
        await store.touchSession(id)
      return { session, identity: { ...identity, session: id } }
    },
    list: async () => (await store.sessions()).filter((row) => inForce(row) !== undefined),
    async end(id) {
      const session = await store.findSession(id)
      return session !== undefined && inForce(session) !== undefined && store.endSession(id)
    },
  }
}

/**
 * The token that requests which change something must carry beside the cookie: the synchronizer token of OWASP's CSRF Prevention Cheat
 * Sheet, one per session, made from the session's secret so that it need not be kept.
 */
export const csrfTokenOf = (token: string): string =>
  createHmac('sha256', token).update('mekong-csrf').digest('base64url')

/** In a time that does not depend on where the two differ. */
export function isSameText(a: string, b: string): boolean {
  const [x, y] = [Buffer.from(a), Buffer.from(b)]
  return x.length === y.length && timingSafeEqual(x, y)
}

const hashOf = (secret: string): string =>
  `sha256:${createHash('sha256').update(secret).digest('hex')}`
