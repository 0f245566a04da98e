import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { eventSource } from './event-source.ts'
import { PlatformHome } from './platform-home.ts'
import { reckon } from './reckoning.ts'
import { ResendingClient } from './resending-client.ts'
import { seeded, seedOfRun } from './seeded.ts'

// Goal: a platform that is told to stop while requests come in answers each of them wholly or not at all, ends with code 0, and has
// everything that it acknowledged when it comes back.

const ROUND_COUNT = 3
const STOP_MS_MAX = 15_000

test('SIGTERM under load loses nothing and leaves no half answers', {
  timeout: 120_000,
}, async () => {
  const seed = seedOfRun('graceful shutdown')
  const chance = seeded(seed)
  await using home = new PlatformHome()
  const client = new ResendingClient({
    source: eventSource(seeded(seed + 1), 'stop'),
    url: () => home.url(),
    pauseMs: () => chance.integer(0, 5),
  })
  client.start(8)
  for (let round = 0; round < ROUND_COUNT; round += 1) {
    const running = await home.start()
    await sleep(chance.integer(200, 1_500))
    const startMs = performance.now()
    running.signal('SIGTERM')
    expect(await running.ended, running.complaints()).toEqual({ code: 0, signal: null })
    expect(performance.now() - startMs).toBeLessThan(STOP_MS_MAX)
  }
  const { url, postgresUrl } = await home.start()
  await client.finish()
  const { events } = await reckon({ home: home.folder, url, postgresUrl, ledger: client.ledger })
  expect(events).toBeGreaterThan(100)
  expect(client.ledger.troubles.get('half an answer')).toBe(undefined)
})
