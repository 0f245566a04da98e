import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { consoleRoutes } from '../../src/api/console-routes.ts'
import { READ_OF_PIPELINE, ROUTE_ACCESS } from '../../src/api/route-access.ts'
import { apiRoutes } from '../../src/api/routes.ts'
import { may, ROLES, type Role } from '../../src/model/access.ts'
import { keyFor } from './access-for-tests.ts'
import { type PlatformForTests, platformForTests } from './platform-for-tests.ts'

// What every route needs, and that each role gets just that.

let api: PlatformForTests
let folder: string
const keys: Partial<Record<Role, string>> = {}

const as = (role: Role) => ({ authorization: `Bearer ${keys[role]}` })
const reading = { sensor: 'a', celsius: 20, reading_id: 'r1' }

beforeAll(async () => {
  api = await platformForTests()
  folder = mkdtempSync(path.join(tmpdir(), 'mekong-console-'))
  writeFileSync(path.join(folder, 'index.html'), '<!doctype html>')
  for (const role of ROLES) keys[role] = await keyFor(api, role)
})
afterAll(async () => {
  await api.stop()
  rmSync(folder, { recursive: true, force: true })
})

describe('the table of routes', () => {
  const routes = () => [
    ...apiRoutes(api.platform).filter(({ path: at }) => !/^\/(console.*)?$/.test(at)),
    ...consoleRoutes(folder),
  ]
  const nameOf = ({ method, path: at }: { method: string; path: string }) => `${method} ${at}`

  test('names every route there is, and no other', () => {
    const own = api.platform.plans.flatMap(({ reads }) => reads.map((read) => `GET ${read.path}`))
    const names = routes()
      .map(nameOf)
      .filter((name) => !own.includes(name))
    expect(names.filter((name) => !(name in ROUTE_ACCESS))).toEqual([])
    expect(Object.keys(ROUTE_ACCESS).filter((name) => !names.includes(name))).toEqual([])
    for (const route of routes())
      expect([nameOf(route), route.access, route.action]).toEqual([
        nameOf(route),
        (ROUTE_ACCESS[nameOf(route)] ?? READ_OF_PIPELINE).access,
        ROUTE_ACCESS[nameOf(route)]?.action,
      ])
  })

  test('leaves open only what lets people in, and lets nothing be changed unwritten', () => {
    const all = Object.entries(ROUTE_ACCESS)
    const named = (keep: (name: string, access: (typeof all)[number][1]) => boolean) =>
      all.filter(([name, access]) => keep(name, access)).map(([name]) => name)
    expect(named((_, { access }) => access === 'open')).toEqual([
      ...['GET /', 'GET /console', 'GET /console/*'],
      ...['GET /v1/session', 'POST /v1/session', 'DELETE /v1/session'],
    ])
    const isChange = (name: string, access: string) =>
      !name.startsWith('GET ') && (access === 'operate' || access === 'admin')
    expect(named((name, { access, action }) => isChange(name, access) && !action)).toEqual([
      'POST /iceberg/v1/namespaces/:namespace/tables/:table',
    ])
    expect(named((name, { action }) => name.startsWith('GET ') && action !== undefined)).toEqual([])
  })
})

describe('over HTTP', () => {
  test('each role is refused just what it may not, with the role that it takes', async () => {
    for (const [name, { access }] of Object.entries(ROUTE_ACCESS)) {
      if (access === 'open') continue
      const [method, at] = name.split(' ') as [string, string]
      const url = `${api.platform.url}${at.replaceAll(/:\w+/g, 'none')}`
      for (const role of ROLES.filter((known) => !may(known, access))) {
        const response = await fetch(url, {
          method,
          headers: { ...as(role), 'content-type': 'application/json' },
          ...(method === 'POST' ? { body: '{}' } : {}),
        })
        const problem = (await response.json()) as Record<string, unknown>
        expect([name, role, response.status]).toEqual([name, role, 403])
        expect(response.headers.get('content-type')).toBe('application/problem+json')
        expect(problem).toMatchObject({ code: 'role_insufficient', needs: access, role })
        expect(problem.detail).toContain(access)
      }
    }
  })

  test('ingest sends and sees nothing, read sees and sends nothing', async () => {
    const sent = (role: Role) => api.post('/readings', reading, as(role))
    const seen = (role: Role) => api.get('/v1/status', as(role))
    const statuses = async (ask: typeof sent) =>
      Object.fromEntries(
        await Promise.all(ROLES.map(async (role) => [role, (await ask(role)).status])),
      )
    expect(await statuses(sent)).toEqual({ ingest: 202, read: 403, operate: 202, admin: 202 })
    expect(await statuses(seen)).toEqual({ ingest: 403, read: 200, operate: 200, admin: 200 })
    expect((await api.post('/v1/topics/readings', reading, as('read'))).body.needs).toBe('ingest')
    const metrics = (role: Role) => fetch(`${api.platform.url}/metrics`, { headers: as(role) })
    expect((await metrics('read')).status).toBe(200)
    expect((await metrics('ingest')).status).toBe(403)
  })

  test('to ask and to look ahead is to read, to run is to operate', async () => {
    expect((await api.post('/v1/sql', { sql: 'SELECT 1 AS one' }, as('read'))).status).toBe(200)
    const body = { selectors: ['readings'] }
    expect((await api.post('/v1/runs', body, as('read'))).status).toBe(403)
    expect((await api.get('/v1/runs', as('read'))).body.runs).toEqual([])
  })

  test('admins make keys of any role, which work at once, and revoke them', async () => {
    const made = await api.post('/v1/keys', { name: 'screen', role: 'read' }, as('admin'))
    expect(made.body).toMatchObject({ ok: true, name: 'screen', role: 'read' })
    const bearer = { authorization: `Bearer ${made.body.key}` }
    expect((await api.get('/v1/status', bearer)).status).toBe(200)
    const { keys: all } = (await api.get('/v1/keys', as('admin'))).body
    expect(all.find(({ name }: { name: string }) => name === 'screen').role).toBe('read')
    expect(JSON.stringify(all)).not.toContain('sha256')
    const again = await api.post('/v1/keys', { name: 'screen', role: 'admin' }, as('admin'))
    expect([again.status, again.body.code]).toEqual([409, 'key_name_taken'])
    for (const wrong of [
      { name: 'x' },
      { name: '../x', role: 'read' },
      { name: 'x', role: 'root' },
    ])
      expect((await api.post('/v1/keys', wrong, as('admin'))).status).toBe(400)
    expect((await api.post('/v1/keys/screen/revoke', {}, as('admin'))).status).toBe(200)
    expect((await api.get('/v1/status', bearer)).status).toBe(401)
  })

  test('the API’s description says which role an operation takes', async () => {
    const { paths } = (await api.get('/docs/openapi.json')).body
    expect(paths['/v1/runs'].post['x-role']).toBe('operate')
    expect(paths['/v1/runs'].get['x-role']).toBe('read')
    expect(paths['/readings'].post['x-role']).toBe('ingest')
    expect(paths['/v1/session'].post.security).toEqual([])
    expect(paths['/v1/runs'].post.responses['403']).toBeDefined()
  })
})
