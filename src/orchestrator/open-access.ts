import { type AuditTrail, openAuditTrail } from '../gateway/audit-trail.ts'
import type { Front } from '../gateway/front.ts'
import { openSessions, type Sessions } from '../gateway/sessions.ts'
import { createSignInLimit, type SignInLimit } from '../gateway/sign-in-limit.ts'
import type { Clock, Randomness } from '../model/clock.ts'
import type { StateStore } from '../state/state-store.ts'
import { type ApiKeyWatch, watchApiKeys } from './api-key-watch.ts'
import type { Settings } from './settings.ts'

/** Who may do what, and what was done: keys, sessions, the audit log, over the state file. */
export interface Access {
  readonly keys: ApiKeyWatch
  readonly sessions: Sessions
  readonly audit: AuditTrail
  readonly signIns: SignInLimit
  readonly front: Front
}

/** @throws StateUnavailableError when the keys cannot be read */
export async function openAccess(options: {
  readonly settings: Settings
  readonly state: StateStore
  readonly clock: Clock
  readonly randomness: Randomness
  readonly onNotice: (line: string) => void
  readonly onSurprise: (error: unknown, what: string) => void
}): Promise<Access> {
  const { settings, state, clock, randomness, onNotice, onSurprise } = options
  const keys = await watchApiKeys({ state, onNotice })
  return {
    keys,
    sessions: openSessions({
      ...{ store: state, keys: keys.current, clock, randomness },
      limits: {
        idleMs: settings.sessionIdleMinutes * 60_000,
        absoluteMs: settings.sessionHours * 3_600_000,
      },
    }),
    audit: openAuditTrail(state, clock, onSurprise),
    signIns: createSignInLimit(clock),
    front: {
      ...(settings.publicUrl === undefined
        ? {}
        : { publicOrigin: new URL(settings.publicUrl).origin }),
      proxyCount: settings.proxies,
    },
  }
}
