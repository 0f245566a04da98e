import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { pipeline } from '../../src/index.ts'
import { eventually } from '../cli/run-mekong.ts'
import { type PlatformForTests, platformForTests } from './platform-for-tests.ts'

let isMended = false
const began: string[] = []

const tasks = pipeline('tasks', (p) => {
  p.step('fine', {
    writes: ['gold.fine'],
    tags: ['hourly'],
    run: async () => void began.push('fine'),
  })
  p.step('broken', {
    reads: ['gold.fine'],
    writes: ['gold.broken'],
    run: async () => {
      began.push('broken')
      if (!isMended) throw new Error('It is broken.')
    },
  })
  p.step('last', { reads: ['gold.broken'], run: async () => void began.push('last') })
})

let api: PlatformForTests
beforeAll(async () => {
  api = await platformForTests({ plans: [tasks] })
})
afterAll(() => api.stop())

const over = async (id: string) =>
  eventually(
    async () => (await api.get(`/v1/runs/${id}`)).body,
    ({ status }) => status !== 'running',
  )
const begin = async (body: object) => (await api.post('/v1/runs', body)).body.id as string

describe('a run that failed', () => {
  test('is done again for its own moment: what is left of it, or all', async () => {
    const logicalTime = '2026-03-01T00:00:00.000Z'
    const body = { selectors: ['tasks'], retries: 0, logical_time: logicalTime }
    const failed = await over(await begin(body))
    expect(failed.tasks.map(({ status }: { status: string }) => status)).toEqual([
      ...['done', 'failed', 'skipped'],
    ])
    isMended = true
    began.length = 0
    const left = await api.post(`/v1/runs/${failed.id}/again`, { only: 'unfinished' })
    expect(left.body).toMatchObject({ selectors: ['broken', 'last'], logical_time: logicalTime })
    expect((await over(left.body.id)).status).toBe('succeeded')
    expect(began).toEqual(['broken', 'last'])

    const nothing = await api.post(`/v1/runs/${left.body.id}/again`, { only: 'unfinished' })
    expect([nothing.status, nothing.body.code]).toEqual([409, 'run_complete'])
    const all = await api.post(`/v1/runs/${failed.id}/again`)
    expect((await over(all.body.id)).tasks).toHaveLength(3)
    expect((await api.post(`/v1/runs/${failed.id}/again`, { only: 'mine' })).status).toBe(400)
  })
})

test('selectors say what they name before anything runs', async () => {
  const ids = async (select: string) =>
    (await api.get(`/v1/tasks?select=${encodeURIComponent(select)}`)).body.tasks.map(
      ({ id }: { id: string }) => id,
    )
  expect(await ids('broken+')).toEqual(['broken', 'last'])
  expect(await ids('tag:hourly,last')).toEqual(['fine', 'last'])
  const unknown = await api.get('/v1/tasks?select=nobody')
  expect([unknown.status, unknown.body.code]).toEqual([404, 'selector_unknown'])
})

test('the river knows what became of each task, however many runs of others came after', async () => {
  await over(await begin({ selectors: ['fine'] }))
  for (let count = 0; count < 8; count += 1) await over(await begin({ selectors: ['last'] }))
  const { now } = (await api.get('/v1/river')).body
  const found = now.tasks.find(({ id }: { id: string }) => id === 'fine')
  expect(found).toMatchObject({ status: 'done', error: null })
})
