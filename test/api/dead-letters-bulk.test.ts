import { afterAll, beforeAll, expect, test } from 'vitest'
import { type PlatformForTests, platformForTests } from './platform-for-tests.ts'

let api: PlatformForTests

beforeAll(async () => {
  api = await platformForTests()
  const hot = (id: string) => ({ sensor: id, celsius: 2_000, reading_id: id })
  await api.post('/readings', [
    ...[hot('h1'), hot('h2'), hot('h3')],
    ...[{ sensor: '', celsius: 1, reading_id: 'r1' }, '[]', { celsius: 1 }],
  ])
  await api.platform.drained(AbortSignal.timeout(20_000))
})
afterAll(() => api.stop())

const bulk = async (body: object) => (await api.post('/v1/dead-letters/bulk', body)).body
const burnt = { pipeline: 'readings', hop: 'bronze.readings' }
const waiting = async () =>
  (await api.get('/v1/dead-letters?status=open,fixed&hop=bronze.readings')).body.dead_letters
const rowCount = async () =>
  (await api.post('/v1/sql', { sql: 'SELECT count(*) FROM bronze.readings' })).body.rows[0][0]

test('letters that would die again stay, and a trial changes nothing', async () => {
  const refused = await bulk({ action: 'replay', ...burnt })
  expect(refused).toMatchObject({ letters: 3, outcomes: { dead: 3 }, more: false })
  expect(refused.refused[0].message).toContain('on fire')
  const trial = await bulk({ action: 'fix', ...burnt, set: { celsius: 21 }, dry_run: true })
  expect(trial).toMatchObject({ dry_run: true, outcomes: { row: 3 }, refused: [] })
  expect((await waiting()).map(({ status }: { status: string }) => status)).toEqual(
    Array(3).fill('open'),
  )
})

test('one cause is mended once, and all of it arrives', async () => {
  await bulk({ action: 'fix', ...burnt, set: { celsius: 21 }, note: 'a broken sensor' })
  const [first] = await waiting()
  expect(first).toMatchObject({ status: 'fixed', note: 'a broken sensor' })
  expect(JSON.parse(first.fixed.text)).toMatchObject({ celsius: 21 })
  const before = await rowCount()
  expect((await bulk({ action: 'replay', ...burnt })).outcomes).toEqual({ replayed: 3 })
  await api.platform.drained(AbortSignal.timeout(20_000))
  expect(await rowCount()).toBe(before + 3)
  expect(await bulk({ action: 'replay', ...burnt })).toMatchObject({ letters: 0, outcomes: {} })
})

test('what is no object cannot get a field; chosen ones are dropped', async () => {
  const all = (await api.get('/v1/dead-letters?hop=gateway&order=newest')).body.dead_letters
  const mended = await bulk({ action: 'fix', pipeline: 'readings', set: { sensor: 'x' } })
  expect(mended.outcomes.impossible).toBe(1)
  const ids = all.slice(0, 2).map(({ id }: { id: string }) => id)
  expect((await bulk({ action: 'drop', ids })).outcomes).toEqual({ dropped: 2 })
  const dropped = (await api.get('/v1/dead-letters?status=dropped')).body.dead_letters
  expect(new Set(dropped.map(({ id }: { id: string }) => id))).toEqual(new Set(ids))
})

test('nothing is done to everything by accident', async () => {
  for (const body of [
    { action: 'drop' },
    { action: 'burn', pipeline: 'readings' },
    { action: 'fix', pipeline: 'readings' },
    { action: 'fix', pipeline: 'readings', set: {} },
    { action: 'drop', ids: 'all' },
  ])
    expect((await api.post('/v1/dead-letters/bulk', body)).status, JSON.stringify(body)).toBe(400)
})
