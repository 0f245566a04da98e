import { existsSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type PlatformForTests, platformForTests } from './platform-for-tests.ts'

// What the console lives on: questions, the river, dashboards, pushed events.

let api: PlatformForTests

const reading = (id: string) => ({ sensor: 'a', celsius: 20, reading_id: id })
const send = async (...ids: string[]) => {
  expect((await api.post('/readings', ids.map(reading))).body.accepted).toBe(ids.length)
  await api.platform.drained(AbortSignal.timeout(20_000))
}

beforeAll(async () => {
  api = await platformForTests()
  await send('r1', 'r2')
})
afterAll(() => api.stop())

describe('questions', () => {
  test('are answered with typed columns, within the rows asked for', async () => {
    const sql = 'SELECT sensor, celsius FROM bronze.readings ORDER BY sensor'
    const whole = await api.post('/v1/sql', { sql })
    expect(whole.body).toMatchObject({
      columns: [
        { name: 'sensor', type: 'VARCHAR' },
        { name: 'celsius', type: 'INTEGER' },
      ],
      truncated: false,
    })
    expect(whole.body.rows.length).toBeGreaterThanOrEqual(2)
    const some = await api.post('/v1/sql', { sql, rows: 1 })
    expect([some.body.rows.length, some.body.truncated]).toEqual([1, true])
    const ledger = await api.post('/v1/sql', { sql: 'SELECT * FROM system.ledger' })
    expect(ledger.body.rows.length).toBeGreaterThan(0)
  })

  test('reach no file, no setting and no other catalog', async () => {
    for (const sql of [
      "SELECT * FROM read_csv('/etc/passwd')",
      "SELECT * FROM '/etc/passwd'",
      "SELECT * FROM delta('/tmp')",
      "COPY (SELECT 1) TO '/tmp/mekong-must-not-be'",
      "SET memory_limit = '1GB'",
      "ATTACH '/tmp/mekong-must-not-be.db'",
      'INSTALL httpfs',
      'LOAD httpfs',
      "FROM 'http://127.0.0.1:1/rows.parquet'",
      "FROM read_parquet('https://127.0.0.1:1/rows.parquet')",
      'PRAGMA database_list',
      'RESET threads',
      "SELECT getenv('HOME')",
      "SELECT current_setting('temp_directory')",
      'FROM duckdb_secrets()',
      "CREATE SECRET (TYPE s3, KEY_ID 'a', SECRET 'b')",
      "FROM query('FROM read_text(''/etc/passwd'')')",
      "EXPORT DATABASE '/tmp/mekong-must-not-be'",
      'DELETE FROM bronze.readings',
      'SELECT 1; DROP TABLE bronze.readings',
      `FROM '/etc/passwd' WHERE EXISTS (WITH "/etc/passwd" AS (SELECT 1) FROM "/etc/passwd")`,
      "SELECT repeat('x', 4000000000)",
    ]) {
      const answer = await api.post('/v1/sql', { sql })
      expect([sql, answer.status]).toEqual([sql, 400])
      const file = await api.post('/v1/sql/export', { sql, format: 'json' })
      expect([sql, file.status]).toEqual([sql, 400])
    }
    expect(existsSync('/tmp/mekong-must-not-be')).toBe(false)
  })

  test('have a limit of time', async () => {
    const sql = 'SELECT sum(hash(a.range * b.range)) FROM range(10000000) a, range(10000000) b'
    const answer = await api.post('/v1/sql', { sql, seconds: 1 })
    expect([answer.status, answer.body.code]).toEqual([408, 'engine_interrupted'])
  })

  test('that cannot run say where and why; what is no question is refused', async () => {
    const wrong = await api.post('/v1/sql', { sql: 'SELECT nothing FROM bronze.readings' })
    expect([wrong.status, wrong.body.code]).toEqual([400, 'sql_invalid'])
    expect(wrong.body.detail).toContain('nothing')
    expect((await api.post('/v1/sql', { sql: '' })).status).toBe(400)
    expect((await api.post('/v1/sql', { sql: 'SELECT 1', rows: 0 })).status).toBe(400)
  })

  test('become files', async () => {
    const response = await fetch(`${api.platform.url}/v1/sql/export`, {
      method: 'POST',
      body: JSON.stringify({ sql: 'SELECT 1 AS one, 2 AS two', format: 'csv' }),
    })
    expect(await response.text()).toBe('one,two\n1,2\n')
  })
})

test('the river joins doors, topics and tables, with totals', async () => {
  const { nodes, edges, now } = (await api.get('/v1/river')).body
  expect(nodes).toContainEqual(expect.objectContaining({ id: 'bronze.readings', kind: 'table' }))
  expect(edges).toContainEqual({ from: 'topic readings', to: 'bronze.readings' })
  expect(edges).toContainEqual({ from: 'door /readings', to: 'topic readings' })
  expect(now.hops[0].rows).toBeGreaterThanOrEqual(2)
})

test('a table shows rows as they are and were, and its files', async () => {
  const path = '/v1/tables/bronze.readings'
  const now = (await api.get(`${path}/rows?limit=1000`)).body.rows.length
  const { version } = (await api.get(path)).body
  await send('r3')
  expect((await api.get(`${path}/rows?limit=1000`)).body.rows.length).toBe(now + 1)
  expect((await api.get(`${path}/rows?limit=1000&version=${version}`)).body.rows.length).toBe(now)
  const { count, files } = (await api.get(`${path}/files`)).body
  expect(files.length).toBe(count)
  const plan = await api.post(`${path}/maintenance`, { action: 'optimize' })
  expect(plan.body).toMatchObject({ action: 'optimize', dry_run: true })
  expect((await api.get(`${path}/files`)).body.count).toBe(count)
})

test('a dashboard keeps its answers until its tables change, and says when they did', async () => {
  // Nobody has asked before, and who does not wait gets the page without the answers.
  const early = (await api.get('/v1/dashboards/readings?wait=false')).body
  expect(early.charts[0]).toMatchObject({ rows: null, problem: null, asked_at: null })
  const count = async () => (await api.get('/v1/dashboards/readings')).body.charts[0].rows[0][0]
  const asked = async () => (await api.get('/v1/dashboards/readings')).body.charts[0].asked_at
  const before = await count()
  const first = await asked()
  expect(await asked()).toBe(first)

  const stop = new AbortController()
  const response = await fetch(`${api.platform.url}/v1/live`, { signal: stop.signal })
  let text = ''
  const told = (async () => {
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      text += chunk
      if (/event: dashboard\ndata: \{"pipeline":"readings"\}/.test(text)) return
    }
  })()
  await send('r4')
  await told
  stop.abort()
  expect(text).toContain('event: now')
  expect(await count()).toBe(before + 1)
})
