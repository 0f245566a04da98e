import type { IncomingMessage } from 'node:http'

/** How the server looks from outside: what stands in front of it. */
export interface Front {
  /** The origin under which browsers reach it (`https://mekong.example.org`), where a proxy stands in front. */
  readonly publicOrigin?: string
  /** Proxies in front that each add to `X-Forwarded-For`. 0 believes nobody. */
  readonly proxyCount: number
}

export const NO_FRONT: Front = Object.freeze({ proxyCount: 0 })

/**
 * Whether the browser came over TLS. A proxy's word is taken as it is: somebody who makes it up changes only the cookie that they get themselves.
 */
export function isSecure(front: Front, { headers }: IncomingMessage): boolean {
  if (front.publicOrigin !== undefined) return front.publicOrigin.startsWith('https:')
  const proto = headers['x-forwarded-proto']
  return typeof proto === 'string' && proto.split(',')[0]!.trim() === 'https'
}

/** The origin that pages of this server have. */
export function ownOrigin(front: Front, request: IncomingMessage): string {
  if (front.publicOrigin !== undefined) return front.publicOrigin
  return `${isSecure(front, request) ? 'https' : 'http'}://${request.headers.host ?? ''}`
}

/** Where a request came from: the address that the outermost proxy of ours saw, or the connection's. */
export function addressOf(front: Front, request: IncomingMessage): string {
  const connected = (request.socket.remoteAddress ?? '').replace(/^::ffff:/, '')
  if (front.proxyCount === 0) return connected
  const header = request.headers['x-forwarded-for']
  const chain = (Array.isArray(header) ? header.join(',') : (header ?? ''))
    .split(',')
    .map((address) => address.trim())
    .filter((address) => address !== '')
  // What stands further left was written by the client, who may write anything.
  return chain.at(-front.proxyCount)?.slice(0, 64) ?? connected
}
