import type { IncomingMessage } from 'node:http'
import type { HttpProblem } from './problem-document.ts'
import { csrfTokenOf, isSameText } from './sessions.ts'

/** Where the console sends the token that `GET /v1/session` gave it. */
export const CSRF_HEADER = 'x-csrf-token'

/** Methods that must not change anything (RFC 9110, 9.2.1); no route of ours does on these. */
const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS'])

export const isSafeMethod = (method: string | undefined): boolean => SAFE_METHODS.has(method ?? '')

/**
 * Why a request may not count as the signed-in person's own wish, or `undefined`. Cookies are sent by the browser whoever made it ask, and
 * `SameSite` lets pages of other ports of one host pass. So after OWASP's Cross-Site Request Forgery Prevention Cheat Sheet: what the browser
 * says of where the request comes from ("Fetch Metadata headers", with `Origin` where a browser does not send them), and for everything
 * that changes something also the session's token ("Synchronizer token pattern") in a header that a form cannot set.
 */
export function forgeryProblem(
  request: IncomingMessage,
  { own, token }: { readonly own: string; readonly token: string },
): HttpProblem | undefined {
  const foreign = foreignOriginProblem(request, own)
  if (foreign !== undefined) return foreign
  if (isSafeMethod(request.method)) return undefined
  const given = request.headers[CSRF_HEADER]
  if (typeof given === 'string' && isSameText(given, csrfTokenOf(token))) return undefined
  return {
    status: 403,
    code: 'csrf_token_wrong',
    detail: `A change that is asked for by cookie needs the session's token in X-CSRF-Token, which GET /v1/session says. Nothing was done. Load the page anew; programs should use a key instead.`,
  }
}

/** Whether another site's page is asking, as far as the browser says so; a change must come with a word about it. */
export function foreignOriginProblem(
  { headers, method }: IncomingMessage,
  own: string,
): HttpProblem | undefined {
  const site = headers['sec-fetch-site']
  const { origin } = headers
  const isForeignSite = site !== undefined && site !== 'same-origin' && site !== 'none'
  const isForeignOrigin = origin !== undefined && origin !== own
  const isUnsaid = site === undefined && origin === undefined && !isSafeMethod(method)
  if (!isForeignSite && !isForeignOrigin && !isUnsaid) return undefined
  return {
    status: 403,
    code: 'foreign_origin',
    detail: `Only pages of ${own} may use a session here; this request ${origin === undefined ? 'does not say where it comes from' : `comes from ${origin}`}. Nothing was done. Behind a proxy, set MEKONG_PUBLIC_URL to the address that browsers see.`,
  }
}
