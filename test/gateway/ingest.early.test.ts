import { expect, test } from 'vitest'
import { EVENT, EVENTS, runGateway } from './running-gateway.ts'

// Doors that answer before anything is durable: they say so, keep to the same limits, and a clean end loses nothing.

const EARLY = { ...EVENTS, ack: 'accepted' } as const
const line = (user_id: number) => JSON.stringify({ ...EVENT, user_id })

test('the answer comes before the append, and says that nothing is durable', async () => {
  const running = await runGateway({ routes: [EARLY] })
  let open = () => {}
  running.port.gate = new Promise((resolve) => {
    open = resolve
  })
  const single = await running.post('/events', line(1))
  expect([single.status, single.body]).toEqual([
    202,
    {
      ...{ id: expect.any(String), status: 'queued', durable: false, topic: 'user-events' },
      ...{ partition: null, offset: null },
    },
  ])
  const batch = await running.post('/events', `${line(2)}\n{"user_id":"three"}\n${line(4)}`, {
    'content-type': 'application/x-ndjson',
  })
  expect(batch.body).toMatchObject({ durable: false, accepted: 2, rejected: 1 })
  expect(running.port.records).toEqual([])
  expect(running.port.letters).toHaveLength(1)
  open()
  await expect.poll(() => running.port.records.length).toBe(3)
})

test('what waits is bounded, and past the limit the answer is 503', async () => {
  const limits = { queueRecordCountMax: 2, recordCountMax: 2 }
  const running = await runGateway({ routes: [EARLY], limits })
  running.port.refusal = { status: 'unavailable', retryAfterMs: 1, reason: 'away' }
  expect((await running.post('/events', line(1))).status).toBe(202)
  expect((await running.post('/events', line(2))).status).toBe(202)
  const full = await running.post('/events', line(3))
  expect([full.status, full.body.code]).toEqual([503, 'queue_full'])
  expect(full.headers.get('retry-after')).toMatch(/^\d+$/)
  running.port.refusal = undefined
  await expect.poll(() => running.port.records.length, { timeout: 5_000 }).toBe(2)
  expect((await running.post('/events', line(3))).status).toBe(202)
})

test('a clean end writes what waits; what cannot be written is told', async () => {
  const kept = await runGateway({ routes: [EARLY] })
  kept.port.refusal = { status: 'full', retryAfterMs: 1, reason: 'full' }
  await kept.post('/events', line(1))
  const closing = kept.gateway.close()
  kept.port.refusal = undefined
  await closing
  expect(kept.port.records).toHaveLength(1)

  const lost = await runGateway({ routes: [EARLY] })
  lost.port.refusal = { status: 'unavailable', retryAfterMs: 1, reason: 'gone for good' }
  await lost.post('/events', line(1))
  await lost.gateway.close()
  expect(lost.surprises).toEqual([expect.objectContaining({ message: 'gone for good' })])
})
