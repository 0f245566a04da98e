import type { IncomingMessage } from 'node:http'

// The one cookie there is: the console's session. HttpOnly, so that no script reads it; SameSite=Strict, so that no other
// site's page sends it; without Domain, so that no other host gets it (RFC 6265bis, 4.1.2, 5.6).

const NAME = 'mekong-session'
/** A browser keeps a cookie of this prefix only when it came over TLS, for this very host (RFC 6265bis, 4.1.3.2). */
const SECURE_NAME = `__Host-${NAME}`

/**
 * The value of the session cookie that a request carries. Behind TLS only that of the name which nobody else can set: a neighbouring host
 * could otherwise put its own session under ours.
 */
export function sessionCookie({ headers }: IncomingMessage, isSecure: boolean): string | undefined {
  const { cookie } = headers
  if (cookie === undefined) return undefined
  const values = new Map(
    cookie.split(';').map((pair) => {
      const at = pair.indexOf('=')
      return [pair.slice(0, at).trim(), pair.slice(at + 1).trim()] as const
    }),
  )
  return values.get(nameOf(isSecure))
}

/**
 * The `Set-Cookie` of a session. It has no `Max-Age`: the browser forgets it when it is closed, and the server decides when it is over.
 */
export function sessionSetCookie(value: string, isSecure: boolean): string {
  return `${nameOf(isSecure)}=${value}; Path=/; HttpOnly; SameSite=Strict${isSecure ? '; Secure' : ''}`
}

/** The `Set-Cookie` that makes a browser forget its session. */
export function forgetSessionCookie(isSecure: boolean): string {
  return `${nameOf(isSecure)}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0${isSecure ? '; Secure' : ''}`
}

const nameOf = (isSecure: boolean): string => (isSecure ? SECURE_NAME : NAME)
