import { createApiKey } from '../../src/gateway/api-keys.ts'
import type { Role } from '../../src/model/access.ts'
import { systemRandomness } from '../../src/model/clock.ts'
import type { PlatformForTests } from './platform-for-tests.ts'

/** A key of the platform under test; in force when this returns. */
export async function keyFor(
  { platform }: PlatformForTests,
  role: Role,
  name: string = role,
): Promise<string> {
  const { key, stored } = createApiKey(systemRandomness, { name, role })
  await platform.state.addKey({ ...stored, recordsPerSecondMax: null })
  await platform.access.keys.look()
  return key
}

/** What a browser keeps and sends. */
export interface Browser {
  /** Of the last `Set-Cookie`, whole. */
  readonly setCookie: string
  readonly csrfToken: string
  readonly session: string
  ask(
    method: string,
    path: string,
    options?: { readonly body?: unknown; readonly headers?: Record<string, string> },
  ): Promise<Response>
}

/** Sign in as a browser does: with its origin, and the cookie from then on. */
export async function signIn(
  { platform }: PlatformForTests,
  key: string,
  headers: Record<string, string> = {},
): Promise<Browser> {
  const url = platform.url!
  const response = await fetch(`${url}/v1/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: url, ...headers },
    body: JSON.stringify({ key }),
  })
  if (response.status !== 200)
    throw new Error(`sign-in: ${response.status} ${await response.text()}`)
  const setCookie = response.headers.get('set-cookie') ?? ''
  const who = (await response.json()) as { csrf_token: string; session: { id: string } }
  const cookie = setCookie.split(';')[0]!
  return {
    ...{ setCookie, csrfToken: who.csrf_token, session: who.session.id },
    ask: (method, path, { body, headers: more = {} } = {}) =>
      fetch(url + path, {
        method,
        headers: {
          ...{ cookie, origin: url, 'sec-fetch-site': 'same-origin' },
          ...{ 'x-csrf-token': who.csrf_token, 'content-type': 'application/json' },
          ...more,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
  }
}
