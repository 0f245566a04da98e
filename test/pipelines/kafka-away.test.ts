import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startPlatformProcess } from '../crash/platform-process.ts'
import { ensureService, type ServiceHandle } from '../services.ts'

// Kafka goes away while events flow. Goal: the front door keeps accepting, and afterwards every event is a row, once. Method: a broker of
// this test's own, killed and brought back under a running platform.

describe('Kafka away', { timeout: 240_000 }, () => {
  let home: string
  let kafka: ServiceHandle | undefined

  beforeAll(async () => {
    home = mkdtempSync(path.join(tmpdir(), 'mekong-kafka-away-'))
    const service = await ensureService('kafka', { instance: 'platform-away' })
    if (!('skip' in service)) kafka = service
  }, 300_000)
  afterAll(async () => {
    await kafka?.stop()
    rmSync(home, { recursive: true, force: true, maxRetries: 5 })
  })

  test('events are accepted all along, and each is one row afterwards', async (context) => {
    if (kafka === undefined) return context.skip()
    const run = `away-${Date.now()}`
    const platform = await startPlatformProcess({ home, variables: { ...kafka.environment } })
    const answers: Record<string, unknown>[] = []
    const send = async (from: number, count: number) => {
      for (let n = from; n < from + count; n += 1) {
        const response = await fetch(`${platform.url}/events`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({
            user_id: n,
            movie_id: 1,
            event_type: run,
            timestamp: 1_701_234_567_890 + n,
            event_id: `${run}-${n}`,
          }),
        })
        expect(response.status).toBe(202)
        answers.push((await response.json()) as Record<string, unknown>)
      }
    }
    const ledger = async () => {
      const response = await fetch(`${platform.url}/v1/ledger`)
      return (await response.json()) as {
        balanced: boolean
        lines: { hop: string; out: number; in_flight: number }[]
      }
    }
    try {
      // The broker outlives a test run: what it holds from an earlier one is there too.
      const before = (await ledger()).lines.find(({ hop }) => hop === 'log')!.out
      await send(0, 50)
      await kafka.kill()
      await send(50, 50)
      // The same events again, while nobody can look whether they are there.
      await send(90, 10)
      await kafka.start()
      await send(100, 50)
      const waiting = answers.filter(({ partition }) => partition === null)
      expect(waiting.length).toBeGreaterThan(0)
      expect(waiting.every(({ status }) => status === 'accepted')).toBe(true)

      await expect
        .poll(
          async () =>
            (await ledger()).lines
              .filter(({ hop }) => hop.includes('user_events'))
              .map(({ out }) => out),
          {
            timeout: 120_000,
            interval: 500,
          },
        )
        .toEqual([before + 150, before + 150])
      expect((await ledger()).balanced).toBe(true)
    } finally {
      platform.signal('SIGTERM')
      await platform.ended
    }
  })
})
