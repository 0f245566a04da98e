import type { IncomingMessage } from 'node:http'
import type { HttpProblem } from './problem-document.ts'

/**
 * A server on loopback without keys trusts whoever can reach it, and every web page that a person on this machine has open
 * can: by a plain cross-site POST, or under a host name that its owner points at 127.0.0.1. So such requests are refused
 * by what browsers cannot hide: a foreign `Origin`, and a `Host` that is not this machine.
 */
export function foreignPageProblem(
  request: IncomingMessage,
  originsAllowed: readonly string[],
): HttpProblem | undefined {
  const { host, origin } = request.headers
  if (host !== undefined && !isLoopback(hostNameOf(host))) {
    return {
      status: 421,
      code: 'wrong_host',
      detail: `Without API keys this server answers only as localhost, not as ${host}. Use a loopback address, or set up API keys.`,
    }
  }
  if (origin === undefined || originsAllowed.includes(origin)) return undefined
  if (origin === `http://${host}`) return undefined
  return {
    status: 403,
    code: 'foreign_origin',
    detail: `A web page from ${origin} may not use this server while it has no API keys. Nothing was taken.`,
  }
}

/** Whether a host name or address means this machine only. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
}

/** `[::1]:80` → `::1`, `localhost:80` → `localhost`. */
function hostNameOf(host: string): string {
  if (host.startsWith('[')) return host.slice(1, host.indexOf(']'))
  const colon = host.indexOf(':')
  return (colon < 0 ? host : host.slice(0, colon)).toLowerCase()
}
