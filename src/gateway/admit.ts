import type { IncomingMessage } from 'node:http'
import { type Grant, may, ROLES } from '../model/access.ts'
import type { ApiKeys, KeyIdentity } from './api-keys.ts'
import { authenticate, presentedKey } from './authenticate.ts'
import { sessionCookie } from './cookies.ts'
import { forgeryProblem } from './cross-site.ts'
import { type Front, isSecure, ownOrigin } from './front.ts'
import type { HttpProblem } from './problem-document.ts'
import type { Sessions } from './sessions.ts'

/** What says who may. */
export interface Doorkeeper {
  readonly keys: () => ApiKeys | undefined
  readonly sessions: Sessions | undefined
  readonly front: Front
}

/** Who asks, or why not. `identity` is undefined where no keys are asked for. */
export type Admitted =
  | { readonly identity: KeyIdentity | undefined; readonly problem?: undefined }
  | { readonly identity?: KeyIdentity; readonly problem: HttpProblem }

/**
 * Let a request in for what it needs: by its key, else by its session's cookie. 401 where neither is good, 403 where the role does not
 * suffice or the request may be forged.
 */
export async function admit(
  { keys: keysNow, sessions, front }: Doorkeeper,
  request: IncomingMessage,
  grant: Grant | undefined,
): Promise<Admitted> {
  const keys = keysNow()
  if (keys === undefined) return OPEN
  // A key goes before a cookie: programs may keep cookies that they know nothing of.
  const token =
    sessions === undefined || presentedKey(request) !== undefined
      ? undefined
      : sessionCookie(request, isSecure(front, request))
  const found = token === undefined ? undefined : await sessions?.find(token)
  if (token === undefined || found === undefined) {
    const asked = await authenticate(keys, request)
    if ('problem' in asked)
      return token === undefined ? asked : { problem: sessionOver(asked.problem) }
    return sufficing(asked.identity, grant)
  }
  const forgery = forgeryProblem(request, { own: ownOrigin(front, request), token })
  if (forgery !== undefined) return { identity: found.identity, problem: forgery }
  return sufficing(found.identity, grant)
}

/** Whether who was let in still would be; for answers that go on for long. */
export async function isStillAdmitted(
  { keys, sessions, front }: Doorkeeper,
  request: IncomingMessage,
  identity: KeyIdentity | undefined,
): Promise<boolean> {
  if (identity === undefined) return keys() === undefined
  if (identity.session === undefined) return keys()?.named(identity.name) !== undefined
  const token = sessionCookie(request, isSecure(front, request))
  return token !== undefined && (await sessions?.find(token, { touches: false })) !== undefined
}

const OPEN: Admitted = Object.freeze({ identity: undefined })

function sufficing(identity: KeyIdentity, grant: Grant | undefined): Admitted {
  if (grant === undefined || may(identity.role, grant)) return { identity }
  return { identity, problem: roleProblem(identity, grant) }
}

/** The 403 that says which role it takes. */
export function roleProblem({ name, role }: KeyIdentity, grant: Grant): HttpProblem {
  const enough = ROLES.filter((known) => may(known, grant))
  return {
    status: 403,
    code: 'role_insufficient',
    detail: `This needs the role ${enough[0]}, and the key "${name}" has the role ${role}. Nothing was done. Use a key with the role ${enough.join(' or ')}; "mekong keys create NAME --role ${enough[0]}" makes one.`,
    members: { needs: grant, role, roles: enough },
  }
}

const sessionOver = (problem: HttpProblem): HttpProblem => ({
  ...problem,
  code: 'session_over',
  detail:
    'The session is over: signed out, ended by somebody, not used for too long, or its key was revoked. Nothing was done. Sign in again.',
})
