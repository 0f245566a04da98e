import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  expression,
  freshness,
  int32,
  notNull,
  pipeline,
  record,
  text,
  timestamp,
} from '../../src/index.ts'
import { type PlatformForTests, platformForTests } from './platform-for-tests.ts'

// What the page of a table lives on: lineage, tests and freshness, partitions, what commits changed.

const weather = pipeline('weather', (p) => {
  const readings = p.topic('readings', {
    value: record({ sensor: text(), celsius: int32(), seen: timestamp(), reading_id: text() }),
    id: 'reading_id',
  })
  p.ingest('/readings', readings)
  p.table('bronze.readings', { from: readings })
  p.model(
    'silver.readings',
    'SELECT sensor, celsius, seen, seen::DATE AS day FROM bronze.readings WHERE celsius > -100',
    { partitionBy: ['day'], tests: [notNull('sensor')] },
  )
  p.model(
    'gold.hottest',
    'SELECT sensor, max(celsius) AS celsius, max(seen) AS newest FROM silver.readings GROUP BY sensor',
    {
      tests: [
        expression('celsius < 50', { name: 'bearable', severity: 'warn' }),
        notNull('sensor'),
        freshness('newest', { warnAfterMs: 3_600_000, errorAfterMs: 1e15 }),
      ],
    },
  )
  p.model('gold.by_sensor', 'SELECT sensor, celsius, day FROM silver.readings', {
    ...{ format: 'iceberg', partitionBy: ['day', 'sensor'] },
  })
  p.model('gold.names', 'SELECT DISTINCT sensor FROM gold.hottest', { materialize: 'view' })
})

let api: PlatformForTests
const send = async (readings: readonly (readonly [string, number, string])[]) => {
  const body = readings.map(([sensor, celsius, seen]) => {
    return { sensor, celsius, seen, reading_id: `${sensor} ${seen} ${celsius}` }
  })
  expect((await api.post('/readings', body)).body.accepted).toBe(readings.length)
  await api.platform.drained(AbortSignal.timeout(20_000))
}
const run = async () => {
  const { id } = (await api.post('/v1/runs', { selectors: [] })).body
  await expect
    .poll(async () => (await api.get(`/v1/runs/${id}`)).body.status, { timeout: 30_000 })
    .not.toBe('running')
  return id
}

beforeAll(async () => {
  api = await platformForTests({ plans: [weather] })
  await send([
    ['a', 20, '2024-05-01T10:00:00Z'],
    ['a', 61, '2024-05-02T10:00:00Z'],
    ['b', 12, '2024-05-02T11:00:00Z'],
  ])
}, 60_000)
afterAll(() => api.stop())

test('lineage goes up to what no model makes and down to views, column by column', async () => {
  const { tables, columns, ends } = (await api.get('/v1/tables/silver.readings/lineage')).body
  expect(tables.map(({ name, depth }: { name: string; depth: number }) => [name, depth])).toEqual([
    ['bronze.readings', -1],
    ['silver.readings', 0],
    ['gold.by_sensor', 1],
    ['gold.hottest', 1],
    ['gold.names', 2],
  ])
  expect(columns).toContainEqual({
    from: { table: 'bronze.readings', column: 'seen' },
    to: { table: 'silver.readings', column: 'day' },
    kind: 'transformation',
  })
  expect(columns).toContainEqual({
    from: { table: 'silver.readings', column: 'celsius' },
    to: { table: 'gold.hottest', column: 'celsius' },
    kind: 'aggregation',
  })
  expect(ends).toContainEqual({
    side: 'up',
    table: 'bronze.readings',
    kind: 'topic',
    name: 'readings',
  })
  const view = (await api.get('/v1/tables/gold.names/lineage')).body
  expect(view.tables.at(-1)).toMatchObject({ name: 'gold.names', depth: 0 })
  expect((await api.get('/v1/tables/gold.nothing/lineage')).status).toBe(404)
})

test('tests are unknown before a run; then each says how it stands, with failing rows', async () => {
  const path = '/v1/tables/gold.hottest/tests'
  expect((await api.get('/v1/tables/bronze.readings/tests')).body).toMatchObject({
    ...{ is_model: false, tests: [], last_run: null },
  })
  const ran = await run()
  const { tests, freshness: fresh, last_run } = (await api.get(path)).body
  expect(last_run).toMatchObject({ run: ran, status: 'done' })
  const statuses = Object.fromEntries(
    tests.map(({ name, status }: { name: string; status: string }) => [name, status]),
  )
  expect(Object.values(statuses).sort()).toEqual(['passed', 'warned', 'warned'])
  expect(statuses.bearable).toBe('warned')
  const bearable = tests.find(({ name }: { name: string }) => name === 'bearable')
  expect(bearable).toMatchObject({
    ...{ kind: 'expression', severity: 'warn', about: { sql: 'celsius < 50' } },
    last_failure: { run: ran, failing_rows: 1, rows: [{ sensor: 'a', celsius: 61 }] },
  })
  expect(fresh).toEqual([
    expect.objectContaining({
      ...{ column: 'newest', newest: '2024-05-02T11:00:00.000Z', status: 'late' },
      warn_after_seconds: 3_600,
    }),
  ])
  expect((await api.get('/v1/tables/silver.readings/tests')).body.tests).toEqual([
    expect.objectContaining({ kind: 'not_null', status: 'passed', last_failure: null }),
  ])
  const view = (await api.get('/v1/tables/gold.names/tests')).body
  expect(view).toMatchObject({ is_model: true, committed_at: null })
})

test('partitions have files, bytes and rows; a table without any says so', async () => {
  const { columns, count, partitions } = (await api.get('/v1/tables/silver.readings/partitions'))
    .body
  expect([columns, count]).toEqual([['day'], 2])
  expect(partitions).toEqual([
    { values: ['2024-05-02'], files: 1, bytes: expect.any(Number), rows: 2 },
    { values: ['2024-05-01'], files: 1, bytes: expect.any(Number), rows: 1 },
  ])
  const iceberg = (await api.get('/v1/tables/gold.by_sensor/partitions')).body
  expect(iceberg.columns).toEqual(['day', 'sensor'])
  expect(iceberg.partitions.map(({ values }: { values: string[] }) => values)).toEqual([
    ['2024-05-02', 'b'],
    ['2024-05-02', 'a'],
    ['2024-05-01', 'a'],
  ])
  const bronze = (await api.get('/v1/tables/bronze.readings/partitions')).body
  expect([bronze.count, bronze.partitions]).toEqual([0, []])
})

test('a commit shows which rows it brought', async () => {
  await send([['c', 5, '2024-05-03T10:00:00Z']])
  const { version } = (await api.get('/v1/tables/bronze.readings')).body
  const { counts, columns, rows } = (
    await api.get(`/v1/tables/bronze.readings/changes?from=${version}`)
  ).body
  expect(counts).toEqual({ insert: 1 })
  const at = columns.findIndex(({ name }: { name: string }) => name === 'sensor')
  expect(rows.map((row: unknown[]) => row[at])).toEqual(['c'])
  for (const query of ['', '?from=newest'])
    expect((await api.get(`/v1/tables/bronze.readings/changes${query}`)).status).toBe(400)
  expect((await api.get('/v1/tables/bronze.readings/changes?from=999')).status).toBe(404)
})

test('all of it is in the OpenAPI document', async () => {
  const { paths } = (await api.get('/docs/openapi.json')).body
  for (const what of ['lineage', 'tests', 'partitions', 'changes'])
    expect(paths[`/v1/tables/{name}/${what}`].get.summary).toMatch(/\w/)
})
