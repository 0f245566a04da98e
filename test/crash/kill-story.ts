import { existsSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { expect } from 'vitest'
import { eventSource } from './event-source.ts'
import { killAt, killMoment } from './kill-moment.ts'
import { PlatformHome } from './platform-home.ts'
import { reckon } from './reckoning.ts'
import { ResendingClient } from './resending-client.ts'
import { seeded, seedOfRun } from './seeded.ts'
import { bronzeFiles } from './stored-rows.ts'

export interface KillStory {
  readonly name: string
  readonly killCount: number
  /** Settings of the platform, as environment variables. */
  readonly variables?: Readonly<Record<string, string>>
  /** Where the rows are served, when not from the embedded PostgreSQL. */
  readonly postgresUrl?: string
}

const CALLER_COUNT = 4
/** More commits than by default, so that more of them are hit. */
const QUICK_COMMITS = { MEKONG_LAKE_INTERVAL_MS: '100', MEKONG_SERVE_INTERVAL_MS: '50' }

/**
 * Goal: whatever moment the process is killed at, everything acknowledged is in bronze and in PostgreSQL once, and nothing else is.
 * Method: callers send without end and send again what was not answered; the platform is killed and started on the same
 * home; after the last start all is counted by readers that share no code with it. Repeat with MEKONG_SEED.
 */
export async function tellKillStory(story: KillStory): Promise<void> {
  const seed = seedOfRun(story.name)
  const chance = seeded(seed)
  const variables = { ...QUICK_COMMITS, ...story.variables }
  await using home = new PlatformHome()
  const client = new ResendingClient({
    source: eventSource(seeded(seed + 1), `s${seed}`),
    url: () => home.url(),
    pauseMs: () => chance.integer(0, 30),
  })
  client.start(CALLER_COUNT)
  const startMs = performance.now()
  let orphans = 0
  let killedMidway = 0
  for (let kill = 0; kill < story.killCount; kill += 1) {
    await killAt(killMoment(chance, kill), home.spawn(variables), home.folder)
    const now = orphanCount(home.folder)
    if (now > orphans) killedMidway += 1
    orphans = now
  }
  const last = await home.start(variables)
  try {
    await client.finish()
    const { events, dead } = await reckon({
      home: home.folder,
      url: last.url,
      postgresUrl: story.postgresUrl ?? last.postgresUrl,
      ledger: client.ledger,
    })
    expect(events).toBeGreaterThan(story.killCount * 10)
    expect(dead).toBeGreaterThan(0)
    const seconds = Math.round((performance.now() - startMs) / 1_000)
    const broken = client.ledger.troubles.get('broken connection') ?? 0
    console.log(
      `${story.name}: ${story.killCount} kills in ${seconds} s, ${killedMidway} of them between staging and commit; ` +
        `${events} events and ${dead} dead letters, ${broken} requests broken and sent again`,
    )
  } catch (error) {
    console.log(`The platform said last:\n${last.complaints()}`)
    throw error
  }
  last.signal('SIGTERM')
  expect(await last.ended).toEqual({ code: 0, signal: null })
}

/** Data files that were written and never committed. */
function orphanCount(home: string): number {
  const table = path.join(home, 'lake', 'bronze', 'user_events')
  if (!existsSync(path.join(table, '_delta_log'))) return 0
  const written = readdirSync(table, { recursive: true, encoding: 'utf8' })
  const committed = new Set(bronzeFiles(home))
  return written.filter((file) => file.endsWith('.parquet') && !committed.has(file)).length
}
