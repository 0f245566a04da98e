import type { IncomingMessage } from 'node:http'
import type { ApiKeys, KeyIdentity } from './api-keys.ts'
import type { HttpProblem } from './problem-document.ts'

/** The key of a request: `Authorization: Bearer …`, or `X-API-Key`. */
export function presentedKey(request: IncomingMessage): string | undefined {
  const { authorization } = request.headers
  if (authorization !== undefined && /^bearer /i.test(authorization)) {
    return authorization.slice('bearer '.length).trim()
  }
  const key = request.headers['x-api-key']
  return typeof key === 'string' ? key : undefined
}

/** Who asks, or the 401. */
export async function authenticate(
  keys: ApiKeys,
  request: IncomingMessage,
): Promise<{ readonly identity: KeyIdentity } | { readonly problem: HttpProblem }> {
  const presented = presentedKey(request)
  const identity = presented === undefined ? undefined : await keys.verify(presented)
  if (identity !== undefined) return { identity }
  return {
    problem: {
      status: 401,
      code: presented === undefined ? 'key_missing' : 'key_unknown',
      detail: `${presented === undefined ? 'No API key was given' : 'The API key given is not known'}. Nothing was taken. Send "Authorization: Bearer <key>" or "X-API-Key: <key>".`,
      headers: ['WWW-Authenticate', 'Bearer'],
    },
  }
}
