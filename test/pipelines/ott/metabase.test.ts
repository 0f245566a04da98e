import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { promisify } from 'node:util'
import mysql from 'mysql2/promise'
import { describe, expect, test } from 'vitest'
import { simulator } from '../../../pipelines/ott/simulator.ts'
import { mysqlPublisher } from '../../../src/serve/mysql/publisher.ts'
import { ensureService } from '../../services.ts'
import { openOttHome } from './ott-home.ts'

// The dashboard for Metabase, as far as it can be seen without one: what the script asks of its API, what the questions answer on a real MariaDB, and whether the
// compose file is what it should be.

const DEPLOY = path.resolve(import.meta.dirname, '../../../deploy/metabase')
const run = promisify(execFile)

interface Card {
  readonly id: number
  readonly name: string
  readonly dataset_query: { readonly database: number; readonly native: { readonly query: string } }
}

/** A server that remembers what it is told, in the shapes of Metabase's API. */
async function startMetabase() {
  const state = {
    hasUser: false,
    databases: [] as { id: number; name: string; details: Record<string, unknown> }[],
    cards: [] as Card[],
    dashboards: [] as { id: number; name: string; dashcards?: { card_id: number }[] }[],
  }
  const added = <T extends object>(list: (T & { id: number })[], item: object) => {
    const made = { ...item, id: list.length + 1 } as T & { id: number }
    list.push(made)
    return made
  }
  const answer = (request: IncomingMessage, body: Record<string, unknown>): unknown => {
    const { method, url = '' } = request
    const call = `${method} ${url}`
    if (call === 'GET /api/session/properties')
      return { 'has-user-setup': state.hasUser, 'setup-token': 'first' }
    if (call === 'POST /api/setup' && body.token === 'first') {
      state.hasUser = true
      return { id: 'set up' }
    }
    if (call === 'POST /api/session' && body.password === 'secret') return { id: 'signed in' }
    if (request.headers['x-metabase-session'] !== 'signed in') return undefined
    if (call === 'GET /api/database') return { data: state.databases }
    if (call === 'POST /api/database') return added(state.databases, body)
    if (call === 'GET /api/card') return state.cards
    if (call === 'POST /api/card') return added(state.cards, body)
    if (call === 'GET /api/dashboard') return state.dashboards
    if (call === 'POST /api/dashboard') return added(state.dashboards, body)
    const dashboard = state.dashboards.find(({ id }) => call === `PUT /api/dashboard/${id}`)
    return dashboard === undefined ? undefined : Object.assign(dashboard, body)
  }
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const text = Buffer.concat(chunks).toString()
    const found = answer(request, text === '' ? {} : JSON.parse(text))
    response.writeHead(found === undefined ? 404 : 200).end(JSON.stringify(found ?? {}))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { state, url, close: () => server.close() }
}

const provision = (url: string) =>
  run(process.execPath, [path.join(DEPLOY, 'provision.mjs')], {
    env: {
      ...process.env,
      ...{ METABASE_URL: url, METABASE_PASSWORD: 'secret', MYSQL_PASSWORD: 'p' },
    },
  })

describe('the dashboard for Metabase', () => {
  test('is made once, with every question on it, and each answers on MariaDB', {
    timeout: 240_000,
  }, async () => {
    const metabase = await startMetabase()
    try {
      await provision(metabase.url)
      const { databases, cards, dashboards } = metabase.state
      expect(databases.map(({ details }) => details.dbname)).toEqual(['mekong'])
      const onIt = dashboards.flatMap(({ dashcards = [] }) => dashcards)
      expect(onIt.map(({ card_id }) => card_id)).toEqual(cards.map(({ id }) => id))
      expect(cards.length).toBeGreaterThan(4)
      const counts = [databases.length, cards.length, dashboards.length]
      await provision(metabase.url)
      expect([databases.length, cards.length, dashboards.length]).toEqual(counts)

      const service = await ensureService('mariadb')
      if ('skip' in service) return
      await answersOn(
        service.environment,
        cards.map(({ dataset_query }) => dataset_query.native.query),
      )
    } finally {
      metabase.close()
    }
  })

  test('the compose file is YAML with the services it speaks of, on loopback, with no password in it', async (context) => {
    const file = path.join(DEPLOY, 'compose.yaml')
    const json = 'import json, sys, yaml; print(json.dumps(yaml.safe_load(open(sys.argv[1]))))'
    const parsed = await run('python3', ['-c', json, file]).catch(() => undefined)
    if (parsed === undefined) {
      console.log('skipped: python3 with PyYAML is not available here')
      return context.skip()
    }
    const { services, volumes } = JSON.parse(parsed.stdout) as {
      services: Record<string, Record<string, unknown>>
      volumes: object
    }
    expect(Object.keys(services)).toEqual(['mariadb', 'metabase', 'provision'])
    for (const { ports = [], volumes: mounts = [] } of Object.values(services)) {
      for (const port of ports as string[]) expect(port).toMatch(/^127\.0\.0\.1:/)
      for (const mount of mounts as string[]) {
        const from = mount.split(':')[0]!
        if (from.startsWith('.')) expect(existsSync(path.join(DEPLOY, from))).toBe(true)
        else expect(Object.keys(volumes)).toContain(from)
      }
    }
    const secrets = [...readFileSync(file, 'utf8').matchAll(/_PASSWORD: (.*)/g)].map(([, v]) => v)
    expect(secrets.length).toBe(4)
    for (const value of secrets) expect(value).toMatch(/^(\$\{\w+:\?.*\}|"1")$/)
  })
})

/** Publishes a simulated month and asks each question there. */
async function answersOn(environment: Readonly<Record<string, string>>, questions: string[]) {
  const database = `metabase_${process.pid}`
  const at = {
    ...{ host: environment.MYSQL_HOST!, port: Number(environment.MYSQL_PORT) },
    ...{ user: environment.MYSQL_USER!, password: environment.MYSQL_PASSWORD! },
  }
  const connection = await mysql.createConnection(at)
  await connection.query(`CREATE DATABASE ${database} CHARACTER SET utf8mb4`)
  try {
    await using home = await openOttHome()
    const files = [...simulator.files!({ seed: 3, eventCount: 8_000, nowMs: 0 })]
    await home.load(await home.write(files))
    await home.run({
      publisher: () => mysqlPublisher({ ...at, database, connectTimeoutMs: 10_000 }),
    })
    await connection.query(`USE ${database}`)
    for (const sql of questions) {
      const [rows] = await connection.query(sql)
      expect((rows as object[]).length, sql).toBeGreaterThan(0)
    }
  } finally {
    await connection.query(`DROP DATABASE ${database}`)
    await connection.end()
  }
}
