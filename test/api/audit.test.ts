import { afterAll, beforeAll, expect, test } from 'vitest'
import { keyFor, signIn } from './access-for-tests.ts'
import { type PlatformForTests, platformForTests } from './platform-for-tests.ts'

// Who did what, from where, and how it ended.

let api: PlatformForTests
let admin: Record<string, string>

interface Entry {
  readonly id: number
  readonly action: string
  readonly actor: string
  readonly outcome: string
  readonly subject: string
}

const entries = async (query = ''): Promise<readonly Entry[]> =>
  (await api.get(`/v1/audit?limit=1000${query}`, admin)).body.entries
/** The ending is written after the answer has left. */
const ended = async (query: string) => {
  await expect
    .poll(async () => (await entries(query))[0]?.outcome, { timeout: 5_000 })
    .toMatch(/done|failed|refused/)
  return (await entries(query))[0]!
}

beforeAll(async () => {
  api = await platformForTests({ settings: { proxies: 1 } })
  expect((await api.post('/v1/syncs/check', {})).status).toBe(200)
  admin = { authorization: `Bearer ${await keyFor(api, 'admin')}` }
})
afterAll(() => api.stop())

test('what was done before there were keys was done by anybody', async () => {
  expect(await ended('&action=sync.check')).toMatchObject({
    ...{ actor: 'anybody', by: 'open', role: null, session: null, outcome: 'done', status: 200 },
    subject: '/v1/syncs/check',
  })
})

test('an action has who, from where, on what, and how it ended', async () => {
  const key = await keyFor(api, 'operate')
  const headers = { authorization: `Bearer ${key}`, 'x-forwarded-for': '10.9.9.9, 203.0.113.7' }
  const missing = await api.post('/v1/runs/nope/cancel', {}, headers)
  expect(missing.status).toBe(404)
  expect(await ended('&action=run.cancel')).toMatchObject({
    ...{ actor: 'operate', by: 'key', role: 'operate', address: '203.0.113.7' },
    ...{ subject: '/v1/runs/nope/cancel', outcome: 'failed', status: 404, detail: 'run_missing' },
  })
  const begun = await api.post('/v1/runs', { selectors: ['readings'] }, headers)
  const run = await ended('&action=run.begin')
  expect(run.subject).toContain('readings')
  expect(run.outcome).toBe(begun.status === 200 ? 'done' : 'failed')
  const drop = await api.post('/v1/tables/bronze.none/maintenance', { action: 'vacuum' }, headers)
  expect(drop.status).toBe(404)
  expect((await ended('&action=table')).subject).toBe(
    '/v1/tables/bronze.none/maintenance: vacuum, dry run',
  )
})

test('of a session it says which, from sign-in to sign-out', async () => {
  const browser = await signIn(api, await keyFor(api, 'admin', 'an'))
  const made = await browser.ask('POST', '/v1/keys', { body: { name: 'bot', role: 'ingest' } })
  expect(made.status).toBe(200)
  await browser.ask('DELETE', '/v1/session')
  await ended('&actor=an')
  const own = await entries('&actor=an')
  expect(own.map(({ action, outcome }) => [action, outcome])).toEqual([
    ['session.sign_out', 'done'],
    ['key.create', 'done'],
    ['session.sign_in', 'done'],
  ])
  expect(own.every((entry) => 'session' in entry && entry.session === browser.session)).toBe(true)
  expect(own[1]!.subject).toContain('bot as ingest')
})

test('what was refused is there once, however often it is tried', async () => {
  const read = { authorization: `Bearer ${await keyFor(api, 'read')}` }
  for (let tried = 0; tried < 5; tried += 1)
    expect((await api.post('/v1/runs', {}, read)).status).toBe(403)
  expect(await ended('&actor=read')).toMatchObject({
    ...{ action: 'run.begin', outcome: 'refused', status: 403, detail: 'role_insufficient' },
  })
  expect(await entries('&actor=read')).toHaveLength(1)
  for (let tried = 0; tried < 3; tried += 1)
    await api.post('/v1/session', { key: 'mk_x' }, { origin: api.platform.url! })
  expect(await ended('&actor=unknown')).toMatchObject({
    ...{ action: 'session.sign_in', outcome: 'refused', status: 401, detail: 'key_unknown' },
  })
  expect(await entries('&actor=unknown')).toHaveLength(1)
})

test('no key and no secret is in it, and looking leaves no trace', async () => {
  const before = (await entries()).length
  await api.get('/v1/status', admin)
  await api.post('/v1/sql', { sql: 'SELECT 1' }, admin)
  const all = await entries()
  expect(all.length).toBe(before)
  expect(JSON.stringify(all)).not.toMatch(/mk_|sha256/)
})

test('is read in pages, newest first', async () => {
  const all = await entries()
  const [first, second] = (await api.get('/v1/audit?limit=2', admin)).body.entries as Entry[]
  expect([first, second]).toEqual(all.slice(0, 2))
  const rest = (await api.get(`/v1/audit?limit=1000&before=${second!.id}`, admin)).body.entries
  expect(rest).toEqual(all.slice(2))
  expect((await api.get('/v1/audit?outcome=nope', admin)).status).toBe(400)
})
