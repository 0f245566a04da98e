import { describe, expect, test } from 'vitest'
import githubEvents from '../../pipelines/github-events/pipeline.ts'
import { simulator } from '../../pipelines/github-events/simulator.ts'

// What the pipeline says of itself: when it runs, how its tables are kept in shape, and what its simulator plays.

test('by the hour, in order, three times at most; the tables in shape as the decisions say', () => {
  expect(githubEvents.schedules).toMatchObject([
    { name: 'hourly', cron: '0 * * * *', run: ['tag:hourly'], catchUp: 'none', retries: 3 },
  ])
  const inShape = (table: string, inputFilesMin: number, order: object) => ({
    table,
    compact: { targetBytes: 20_480_000, inputFilesMin, lastDays: 7, order },
    expire: { olderThanDays: 7, keep: 5 },
    orphans: { olderThanDays: 3 },
  })
  expect(githubEvents.maintenance).toMatchObject([
    inShape('bronze.github_events', 5, { kind: 'sort', columns: ['ingestion_timestamp'] }),
    inShape('silver.github_events_parsed', 2, {
      ...{ kind: 'z_order', columns: ['event_type', 'created_at'] },
    }),
  ])
})

/** Of a hundred events, in two hours of GH Archive. */
const SHARES = { PushEvent: 55.7, CreateEvent: 10.2, WatchEvent: 8.5, PullRequestEvent: 4 }

interface Played {
  readonly id?: string
  readonly type?: string
  readonly actor?: { readonly id?: number }
  readonly repo?: { readonly id?: number }
}

describe('the simulator', () => {
  const play = (seed: number) =>
    [...simulator.requests!({ seed, eventCount: 15_000, nowMs: Date.UTC(2026, 0, 2) })].flatMap(
      ({ events }) => events as Played[],
    )
  const events = play(7)
  const whole = events.filter(
    ({ id, actor, repo }) => id !== undefined && actor?.id !== undefined && repo?.id !== undefined,
  )

  test('plays the same for the same seed, and repeats, broken and old events among them', () => {
    expect(JSON.stringify(play(7))).toBe(JSON.stringify(events))
    expect(JSON.stringify(play(8))).not.toBe(JSON.stringify(events))
    expect(events).toHaveLength(15_000)
    expect(whole.length).toBeLessThan(events.length)
    expect(whole.length).toBeGreaterThan(events.length * 0.99)
    expect(new Set(whole.map(({ id }) => id)).size).toBeLessThan(whole.length)
  })

  test('has the kinds of GH Archive in their shares, and a few who make most of it', () => {
    for (const [type, share] of Object.entries(SHARES)) {
      const percent = (100 * whole.filter((event) => event.type === type).length) / whole.length
      expect(Math.abs(percent - share), type).toBeLessThan(5)
    }
    for (const key of ['actor', 'repo'] as const) {
      const counts = new Map<number, number>()
      for (const event of whole) {
        const id = event[key]!.id!
        counts.set(id, (counts.get(id) ?? 0) + 1)
      }
      const most = [...counts.values()].sort((a, b) => b - a)
      const hundredth = most.slice(0, Math.ceil(most.length / 100))
      // Two hours of GH Archive: 11 and 12 of a hundred; a whole day has more.
      expect(hundredth.reduce((sum, n) => sum + n, 0) / whole.length).toBeGreaterThan(0.1)
    }
  })
})
