import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { keyFor, signIn } from './access-for-tests.ts'
import { type PlatformForTests, platformForTests } from './platform-for-tests.ts'

// Signing in to the console, and what a cookie may and may not do.

let api: PlatformForTests
let aheadMs = 0
const keys: Record<string, string> = {}

const MINUTE_MS = 60_000
const who = async (headers: Record<string, string>) =>
  (await api.get('/v1/session', headers)).body as Record<string, never>

beforeAll(async () => {
  api = await platformForTests({ clock: { nowMs: () => Date.now() + aheadMs } })
})
afterAll(() => api.stop())

test('without keys nobody is asked for any, and the answer says so', async () => {
  expect(await who({})).toMatchObject({
    ...{ access: 'open', signed_in: true, key: null, role: null, session: null },
    may: ['ingest', 'read', 'operate', 'admin'],
  })
  const answer = await api.post('/v1/session', { key: 'mk_x' }, { origin: api.platform.url! })
  expect([answer.status, answer.body.code]).toEqual([409, 'no_keys'])
  const first = await api.post('/v1/keys', { name: 'first', role: 'admin' })
  expect([first.status, first.body.code]).toEqual([409, 'first_key'])
  for (const role of ['ingest', 'read', 'operate', 'admin'] as const)
    keys[role] = await keyFor(api, role)
  expect(await who({})).toMatchObject({ access: 'keys', signed_in: false, may: [] })
})

describe('a session', () => {
  test('is a cookie that no script reads and no other site sends', async () => {
    const browser = await signIn(api, keys.operate!)
    const [value, ...attributes] = browser.setCookie.split('; ')
    expect(value).toMatch(/^mekong-session=[\w-]{12}\.[\w-]{43}$/)
    expect(attributes.sort()).toEqual(['HttpOnly', 'Path=/', 'SameSite=Strict'])
    expect(browser.setCookie).not.toContain(keys.operate)
    const own = (await (await browser.ask('GET', '/v1/session')).json()) as Record<string, unknown>
    expect(own).toMatchObject({ signed_in: true, key: 'operate', role: 'operate' })
    expect(own.may).toEqual(['ingest', 'read', 'operate'])
  })

  test('behind TLS is for this host and TLS only', async () => {
    const url = api.platform.url!
    const tls = { 'x-forwarded-proto': 'https', origin: url.replace('http:', 'https:') }
    const { setCookie } = await signIn(api, keys.read!, tls)
    const [value, ...attributes] = setCookie.split('; ')
    expect(value).toMatch(/^__Host-mekong-session=/)
    expect(attributes.sort()).toEqual(['HttpOnly', 'Path=/', 'SameSite=Strict', 'Secure'])
    const status = async (cookie: string, headers: Record<string, string>) =>
      (await api.get('/v1/status', { cookie, ...headers })).status
    expect(await status(value!, tls)).toBe(200)
    // What a neighbouring host could have set is not looked at, nor the other way round.
    expect(await status(value!.replace('__Host-', ''), tls)).toBe(401)
    expect(await status(value!, {})).toBe(401)
  })

  test('is kept as a hash only', async () => {
    const browser = await signIn(api, keys.read!)
    const secret = browser.setCookie.split(';')[0]!.split('.')[1]!
    const database = new DatabaseSync(path.join(api.platform.folder, 'state.sqlite'), {
      readOnly: true,
    })
    const rows = JSON.stringify(database.prepare('SELECT * FROM sessions').all())
    database.close()
    expect(rows).toContain(browser.session)
    expect(rows).not.toContain(secret)
    expect(rows).not.toContain(browser.csrfToken)
  })

  test('of a guessed or changed cookie is none', async () => {
    const browser = await signIn(api, keys.read!)
    const [value] = browser.setCookie.split(';') as [string]
    for (const cookie of [
      `${value}x`,
      value.slice(0, -1),
      `mekong-session=${browser.session}.`,
      'mekong-session=',
      'mekong-session=a.b.c',
    ]) {
      const answer = await api.get('/v1/status', { cookie })
      expect([cookie, answer.status, answer.body.code]).toEqual([cookie, 401, 'session_over'])
    }
    expect((await api.get('/v1/status', { cookie: value })).status).toBe(200)
  })

  test('is over after half an hour without a request, and after eight hours anyhow', async () => {
    const browser = await signIn(api, keys.read!)
    const status = async () => (await browser.ask('GET', '/v1/status')).status
    for (let hours = 0; hours < 7; hours += 1) {
      for (const minutes of [25, 25, 10]) {
        aheadMs += minutes * MINUTE_MS
        expect(await status()).toBe(200)
      }
    }
    for (const minutes of [25, 25]) {
      aheadMs += minutes * MINUTE_MS
      expect(await status()).toBe(200)
    }
    aheadMs += 10 * MINUTE_MS
    expect(await status()).toBe(401)

    const idle = await signIn(api, keys.read!)
    aheadMs += 29 * MINUTE_MS
    expect((await idle.ask('GET', '/v1/status')).status).toBe(200)
    aheadMs += 31 * MINUTE_MS
    expect((await idle.ask('GET', '/v1/status')).status).toBe(401)
  })

  test('is over when it is signed out, and its cookie is worth nothing then', async () => {
    const browser = await signIn(api, keys.operate!)
    const out = await browser.ask('DELETE', '/v1/session')
    expect(out.status).toBe(200)
    expect(out.headers.get('set-cookie')).toMatch(/^mekong-session=; .*Max-Age=0/)
    const after = await browser.ask('GET', '/v1/status')
    expect([after.status, ((await after.json()) as { code: string }).code]).toEqual([
      401,
      'session_over',
    ])
    // Signing out again is no error.
    expect((await browser.ask('DELETE', '/v1/session')).status).toBe(200)
  })

  test('signing in again begins another and ends the one before', async () => {
    const first = await signIn(api, keys.read!)
    const cookie = first.setCookie.split(';')[0]!
    const second = await signIn(api, keys.read!, { cookie })
    expect(second.session).not.toBe(first.session)
    expect((await first.ask('GET', '/v1/status')).status).toBe(401)
    expect((await second.ask('GET', '/v1/status')).status).toBe(200)
  })

  test('ends with its key', async () => {
    const key = await keyFor(api, 'read', 'leaver')
    const browser = await signIn(api, key)
    await api.post('/v1/keys/leaver/revoke', {}, { authorization: `Bearer ${keys.admin}` })
    expect((await browser.ask('GET', '/v1/status')).status).toBe(401)
  })

  test('has the role of its key', async () => {
    const browser = await signIn(api, keys.read!)
    const refused = await browser.ask('POST', '/v1/runs', { body: {} })
    expect(refused.status).toBe(403)
    expect(await refused.json()).toMatchObject({ code: 'role_insufficient', needs: 'operate' })
    const ingest = await api.post(
      '/v1/session',
      { key: keys.ingest },
      { origin: api.platform.url! },
    )
    expect([ingest.status, ingest.body.code]).toEqual([403, 'role_insufficient'])
  })
})

describe('sessions', () => {
  test('are listed and ended: one’s own by everybody, all by admins', async () => {
    const mine = await signIn(api, keys.read!, { 'user-agent': 'a browser' })
    const theirs = await signIn(api, keys.operate!)
    const admin = await signIn(api, keys.admin!)
    const listed = async (browser: typeof mine) =>
      ((await (await browser.ask('GET', '/v1/sessions')).json()) as { sessions: Session[] })
        .sessions
    const own = await listed(mine)
    expect(own.map(({ key }) => key)).not.toContain('operate')
    expect(own.find(({ current }) => current)).toMatchObject({
      ...{ id: mine.session, key: 'read', address: '127.0.0.1', agent: 'a browser' },
    })
    expect((await listed(admin)).map(({ id }) => id)).toEqual(
      expect.arrayContaining([mine.session, theirs.session, admin.session]),
    )
    const foreign = await mine.ask('POST', `/v1/sessions/${theirs.session}/end`, { body: {} })
    expect(foreign.status).toBe(404)
    expect((await theirs.ask('GET', '/v1/status')).status).toBe(200)
    const ended = await admin.ask('POST', `/v1/sessions/${theirs.session}/end`, { body: {} })
    expect(ended.status).toBe(200)
    expect((await theirs.ask('GET', '/v1/status')).status).toBe(401)
    expect((await mine.ask('POST', `/v1/sessions/${mine.session}/end`, { body: {} })).status).toBe(
      200,
    )
    expect((await mine.ask('GET', '/v1/status')).status).toBe(401)
  })

  interface Session {
    readonly id: string
    readonly key: string
    readonly current: boolean
  }

  test('carry pushed events, until they are ended', async () => {
    const browser = await signIn(api, keys.read!)
    const stream = await browser.ask('GET', '/v1/live')
    expect(stream.headers.get('content-type')).toContain('text/event-stream')
    let text = ''
    const over = (async () => {
      for await (const chunk of stream.body!.pipeThrough(new TextDecoderStream())) text += chunk
    })()
    await expect.poll(() => text, { timeout: 10_000 }).toContain('event: now')
    await browser.ask('DELETE', '/v1/session')
    // The stream ends by itself; this hangs where it does not.
    await over
  })
})

describe('a change by cookie', () => {
  const attempt = async (
    change: Record<string, string | undefined>,
    method = 'POST',
    at = '/v1/runs',
  ) => {
    const browser = await signIn(api, keys.read!)
    // `read` may not do it either: so the code says at which door it was turned away.
    const headers = Object.fromEntries(
      Object.entries({
        ...{ cookie: browser.setCookie.split(';')[0], origin: api.platform.url },
        ...{ 'x-csrf-token': browser.csrfToken, 'sec-fetch-site': 'same-origin' },
        ...change,
      }).filter(([, value]) => value !== undefined),
    ) as Record<string, string>
    const response = await fetch(api.platform.url + at, {
      ...{ method, headers },
      ...(method === 'POST' ? { body: '{}' } : {}),
    })
    const body = (await response.json()) as { code?: string }
    return [response.status, body.code]
  }

  test('comes from a page of ours and carries the session’s token', async () => {
    expect(await attempt({})).toEqual([403, 'role_insufficient'])
    expect(await attempt({ 'sec-fetch-site': undefined })).toEqual([403, 'role_insufficient'])
    expect(await attempt({ origin: undefined })).toEqual([403, 'role_insufficient'])
  })

  test('without the token, or with that of another session, is refused', async () => {
    const other = await signIn(api, keys.read!)
    for (const token of [undefined, '', 'x', other.csrfToken])
      expect(await attempt({ 'x-csrf-token': token })).toEqual([403, 'csrf_token_wrong'])
    expect(await attempt({ 'x-csrf-token': undefined }, 'DELETE', '/v1/session')).toEqual([
      403,
      'csrf_token_wrong',
    ])
  })

  test('from another site, another port of this host, or from nowhere said, is refused', async () => {
    for (const change of [
      { origin: 'https://evil.example' },
      { origin: 'http://127.0.0.1:5173' },
      { origin: 'null' },
      { origin: undefined, 'sec-fetch-site': 'same-site' },
      { origin: undefined, 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { origin: undefined, 'sec-fetch-site': undefined },
    ])
      expect([change, await attempt(change)]).toEqual([change, [403, 'foreign_origin']])
  })

  test('nor may another site’s page look', async () => {
    const site = { 'sec-fetch-site': 'same-site', origin: undefined }
    expect(await attempt(site, 'GET', '/v1/status')).toEqual([403, 'foreign_origin'])
  })

  test('is not asked of keys', async () => {
    const bearer = { authorization: `Bearer ${keys.operate}`, origin: 'https://partner.example' }
    expect((await api.post('/v1/syncs/check', {}, bearer)).status).toBe(200)
  })
})

describe('signing in', () => {
  const attempt = (key: string, headers: Record<string, string> = {}) =>
    api.post('/v1/session', { key }, { origin: api.platform.url!, ...headers })

  test('is for pages of this server only', async () => {
    const foreign = await attempt(keys.read!, { origin: 'https://evil.example' })
    expect([foreign.status, foreign.body.code]).toEqual([403, 'foreign_origin'])
  })

  test('with wrong keys is slowed down, also with the right one, and forgiven in time', async () => {
    for (let tried = 0; tried < 5; tried += 1)
      expect((await attempt('mk_wrong')).body.code).toBe('key_unknown')
    const response = await fetch(`${api.platform.url}/v1/session`, {
      method: 'POST',
      headers: { origin: api.platform.url!, 'content-type': 'application/json' },
      body: JSON.stringify({ key: keys.read }),
    })
    expect([response.status, response.headers.get('retry-after')]).toEqual([429, '1'])
    aheadMs += 1_100
    expect((await attempt('mk_wrong')).status).toBe(401)
    aheadMs += 1_100
    expect((await attempt(keys.read!)).body.code).toBe('sign_in_throttled')
    aheadMs += 1_100
    expect((await attempt(keys.read!)).status).toBe(200)
    expect((await attempt('mk_wrong')).status).toBe(401)
  })

  test('takes no more than a key', async () => {
    for (const length of [10_000, 3_000_000]) {
      const long = await attempt('x'.repeat(length))
      expect([long.status, long.body.code]).toEqual([413, 'body_too_large'])
    }
    const none = await api.post('/v1/session', {}, { origin: api.platform.url! })
    expect(none.status).toBe(401)
  })
})
