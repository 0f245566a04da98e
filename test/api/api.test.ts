import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createApiKey } from '../../src/gateway/api-keys.ts'
import { systemRandomness } from '../../src/model/clock.ts'
import { type PlatformForTests, platformForTests } from './platform-for-tests.ts'

let api: PlatformForTests

beforeAll(async () => {
  api = await platformForTests()
  const answer = await api.post('/readings', [
    { sensor: 'a', celsius: 20, reading_id: 'r1' },
    { sensor: 'b', celsius: -1, reading_id: 'r2' },
    { sensor: 'c', celsius: 2_000, reading_id: 'r3' },
    { sensor: 'd', celsius: 3_000, reading_id: 'r4' },
    { sensor: '', celsius: 1, reading_id: 'r5' },
  ])
  expect(answer.body).toMatchObject({ accepted: 4, rejected: 1 })
  await api.platform.drained(AbortSignal.timeout(20_000))
})
afterAll(() => api.stop())

const letters = async (query: string) =>
  (await api.get(`/v1/dead-letters?${query}`)).body.dead_letters

describe('looking', () => {
  test('status, ledger, topics and tables say what there is', async () => {
    const status = await api.get('/v1/status')
    expect(status.body).toMatchObject({
      url: api.platform.url,
      pipelines: ['readings'],
      hops: [{ hop: 'bronze.readings', lag_records: 0, reason: null }],
      topics: [{ name: 'readings', appended: 4 }],
    })
    const ledger = await api.get('/v1/ledger?pipeline=readings')
    expect(ledger.body.balanced).toBe(true)
    expect(ledger.body.lines).toContainEqual({
      ...{ pipeline: 'readings', hop: 'bronze.readings', in: 4, out: 1, filtered: 1, dead: 2 },
      ...{ duplicates: 0, in_flight: 0, missing: 0, balanced: true },
    })
    expect((await api.get('/v1/ledger?pipeline=other')).body.lines).toEqual([])
    expect((await api.get('/v1/topics')).body.topics).toHaveLength(1)
    expect((await api.get('/v1/topics?all=true')).body.topics).toHaveLength(2)
    const { tables } = (await api.get('/v1/tables')).body
    expect(tables).toEqual([expect.objectContaining({ name: 'bronze.readings', rows: 1 })])
    const table = (await api.get('/v1/tables/bronze.readings?history=1')).body
    expect(table.columns).toContainEqual({
      ...{ name: 'celsius', type: 'int32', nullable: false, doc: 'How warm it was.' },
    })
    expect(table.history).toHaveLength(1)
  })

  test('what is not there is a problem document, naming what is', async () => {
    const table = await api.get('/v1/tables/gold.nothing')
    expect([table.status, table.body.code]).toEqual([404, 'table_missing'])
    expect(table.type).toBe('application/problem+json')
    expect(table.body.detail).toContain('bronze.readings')
    const letter = await api.get('/v1/dead-letters/zzzz')
    expect([letter.status, letter.body.code]).toEqual([404, 'dead_letter_missing'])
    for (const query of ['limit=0', 'limit=many', 'status=lost']) {
      const answer = await api.get(`/v1/dead-letters?${query}`)
      expect([answer.status, answer.body.code]).toEqual([400, 'bad_parameter'])
    }
  })

  test('every route is described in the OpenAPI document', async () => {
    const { paths } = (await api.get('/docs/openapi.json')).body
    for (const [path, method] of [
      ['/v1/status', 'get'],
      ['/v1/ledger', 'get'],
      ['/v1/tables/{name}', 'get'],
      ['/v1/topics', 'get'],
      ['/v1/dead-letters/{id}/replay', 'post'],
    ] as const) {
      expect(paths[path]?.[method]?.summary, path).toMatch(/\w/)
    }
    expect(paths['/v1/dead-letters/{id}'].get.parameters).toEqual([
      { name: 'id', in: 'path', required: true, schema: { type: 'string' } },
    ])
  })
})

describe('dead letters', () => {
  test('are listed by hop, reason and status, in pages', async () => {
    expect(await letters('hop=gateway')).toEqual([
      expect.objectContaining({ reason: 'too_short', partition: null, status: 'open' }),
    ])
    const dead = await letters('reason=step_failed')
    expect(dead).toHaveLength(2)
    const [first] = await letters('reason=step_failed&limit=1')
    expect(await letters(`reason=step_failed&after=${first.id}`)).toEqual([dead[1]])
    expect(await letters('status=dropped')).toEqual([])
  })

  test('are tried out without being changed', async () => {
    const [{ id }] = await letters('reason=step_failed')
    const asIs = await api.post(`/v1/dead-letters/${id}/preview`)
    expect(asIs.body.preview).toMatchObject({ status: 'dead', reason: 'step_failed' })
    const warm = await api.post(`/v1/dead-letters/${id}/preview`, { set: { celsius: 12 } })
    expect(warm.body.preview).toMatchObject({ status: 'row', row: { celsius: 12 } })
    const frozen = await api.post(`/v1/dead-letters/${id}/preview`, { set: { celsius: -12 } })
    expect(frozen.body.preview).toEqual({ status: 'filtered' })
    const bytes = await api.post(`/v1/dead-letters/${id}/preview`, { value_base64: 'gIA=' })
    expect(bytes.body.preview).toMatchObject({ status: 'dead', reason: 'invalid_utf8' })
    const both = await api.post(`/v1/dead-letters/${id}/preview`, { value: '{}', set: {} })
    expect([both.status, both.body.code]).toEqual([400, 'bad_mend'])
    for (const body of ['{"set":', '7', '[]', 'null']) {
      expect((await api.post(`/v1/dead-letters/${id}/preview`, body)).status, body).toBe(400)
    }
    expect((await api.get(`/v1/dead-letters/${id}`)).body).toMatchObject({
      ...{ status: 'open', fixed: null },
    })
  })

  test('are refused while they would die again, then mended and replayed exactly once', async () => {
    const [{ id }] = await letters('reason=step_failed')
    const refused = await api.post(`/v1/dead-letters/${id}/replay`)
    expect([refused.status, refused.body.code]).toEqual([409, 'would_die_again'])
    expect(refused.body.preview.message).toContain('on fire')
    const fixed = await api.post(`/v1/dead-letters/${id}/fix`, { set: { celsius: 25 }, note: 'n' })
    expect(fixed.body).toMatchObject({ status: 'fixed', note: 'n', preview: { status: 'row' } })
    const dry = await api.post(`/v1/dead-letters/${id}/replay`, { dry_run: true })
    expect(dry.body).toMatchObject({ id, status: 'would_replay' })
    const raced = await Promise.all([1, 2, 3].map(() => api.post(`/v1/dead-letters/${id}/replay`)))
    expect(raced.map(({ status }) => status)).toEqual([200, 200, 200])
    expect(new Set(raced.map(({ body }) => body.to)).size).toBe(1)
    const again = await api.post(`/v1/dead-letters/${id}/replay`)
    expect(again.body).toMatchObject({
      ...{ id, status: 'already_replayed', to: 'readings.replay.bronze.readings/0/0' },
    })
    await api.platform.drained(AbortSignal.timeout(20_000))
    const [line] = (await api.get('/v1/ledger')).body.lines.filter(
      ({ hop }: { hop: string }) => hop === 'bronze.readings',
    )
    expect(line).toMatchObject({ in: 5, out: 2, balanced: true })
    const late = await api.post(`/v1/dead-letters/${id}/fix`, { value: '{}' })
    expect([late.status, late.body.code]).toEqual([409, 'dead_letter_state'])
  })

  test('are put aside, and sent only after being mended', async () => {
    const [{ id }] = await letters('reason=step_failed&status=open')
    expect((await api.post(`/v1/dead-letters/${id}/drop`, { note: 'a fire' })).body).toMatchObject({
      ...{ status: 'dropped', note: 'a fire' },
    })
    const answer = await api.post(`/v1/dead-letters/${id}/replay`, { force: true })
    expect([answer.status, answer.body.code]).toEqual([409, 'dead_letter_dropped'])
    const { topics } = (await api.get('/v1/topics?all=true')).body
    expect(topics.find(({ name }: { name: string }) => name.includes('replay')).appended).toBe(1)
  })
})

describe('keys', () => {
  test('made and revoked by others hold for the API within moments', async () => {
    const { key, stored } = createApiKey(systemRandomness, { name: 'console', role: 'read' })
    await api.platform.state.addKey({ ...stored, recordsPerSecondMax: null })
    const status = async (headers = {}) => (await api.get('/v1/status', headers)).status
    await expect.poll(() => status(), { timeout: 5_000 }).toBe(401)
    const bearer = { authorization: `Bearer ${key}` }
    expect(await status(bearer)).toBe(200)
    expect((await api.get('/health')).status).toBe(200)
    expect((await api.get('/docs/openapi.json')).body.security).toBeDefined()
    expect(api.notices.join()).toContain('first API key')
    await api.platform.state.revokeKey('console')
    await expect.poll(() => status(bearer), { timeout: 5_000 }).toBe(401)
    // The last key being gone opens nothing.
    expect(await status()).toBe(401)
  })
})
