import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, test } from 'vitest'
import { ensureService } from '../services.ts'
import { eventSource } from './event-source.ts'
import { tellKillStory } from './kill-story.ts'
import { PlatformHome } from './platform-home.ts'
import { type LedgerView, reckon } from './reckoning.ts'
import { ResendingClient } from './resending-client.ts'
import { seeded, seedOfRun } from './seeded.ts'
import { createServerDatabase } from './server-database.ts'

// The same promises with a real PostgreSQL server, which has faults of its own: it can be away while the platform runs.

const AWAY_MS = 10_000

const server = await ensureService('postgres', { instance: 'crash' })

describe.skipIf('skip' in server)('with a PostgreSQL server', () => {
  if ('skip' in server) return
  afterAll(() => server.stop())

  test('nothing is lost or doubled in 6 kills', { timeout: 180_000 }, async () => {
    const database = await createServerDatabase(server)
    try {
      await tellKillStory({
        name: '6 kills with a PostgreSQL server',
        killCount: 6,
        variables: database.variables(),
        postgresUrl: database.url,
      })
    } finally {
      await database.drop()
    }
  })

  test('a server that crashes and is away is waited for, while everything else goes on', {
    timeout: 180_000,
  }, async () => {
    const seed = seedOfRun('PostgreSQL away')
    const database = await createServerDatabase(server)
    await using home = new PlatformHome()
    const { url } = await home.start(database.variables())
    const client = new ResendingClient({
      source: eventSource(seeded(seed), 'away'),
      url: async () => url,
      pauseMs: () => 20,
    })
    client.start(2)
    await sleep(2_000)

    await server.kill()
    const bronzeBefore = (await ledgerLine(url, 'bronze.user_events')).out
    await sleep(AWAY_MS)
    expect((await ledgerLine(url, 'bronze.user_events')).out).toBeGreaterThan(bronzeBefore)
    const waiting = await ledgerLine(url, 'postgres.user_events')
    expect(waiting.in_flight).toBeGreaterThan(0)
    expect(waiting).toMatchObject({ missing: 0, balanced: true })
    const ready = await fetch(`${url}/ready`)
    expect(ready.status).toBe(503)
    const { reasons } = (await ready.json()) as { reasons: string[] }
    expect(reasons).toEqual([
      expect.stringContaining('user-events / postgres.user_events is waiting: '),
    ])

    await server.start()
    await sleep(1_000)
    await client.finish()
    await reckon({
      home: home.folder,
      url,
      postgresUrl: database.url,
      ledger: client.ledger,
    })
    expect(Object.fromEntries(client.ledger.troubles), 'every POST was taken at once').toEqual({})
    expect((await fetch(`${url}/ready`)).status).toBe(200)
    await database.drop()
  })
})

async function ledgerLine(url: string, hop: string): Promise<LedgerView> {
  const startMs = performance.now()
  const response = await fetch(`${url}/v1/ledger`)
  const { lines } = (await response.json()) as { lines: LedgerView[] }
  expect(performance.now() - startMs, 'ms for a ledger').toBeLessThan(5_000)
  return lines.find((line) => line.hop === hop)!
}
