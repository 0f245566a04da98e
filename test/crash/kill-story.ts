import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { eventSource } from './event-source.ts'
import { killAt, killMoment } from './kill-moment.ts'
import { spawnPlatform } from './platform-process.ts'
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
  const home = mkdtempSync(path.join(os.tmpdir(), 'mekong-crash-'))
  const options = { home, variables: { ...QUICK_COMMITS, ...story.variables } }
  let running = spawnPlatform(options)
  const url = async (): Promise<string> => {
    for (;;) {
      const asked = running
      const facts = await asked.ready
      if (facts !== undefined && asked === running) return facts.url
      // Killed while it started; the next one is about to.
      await sleep(10)
    }
  }
  const client = new ResendingClient({
    source: eventSource(seeded(seed + 1), `s${seed}`),
    url,
    pauseMs: () => chance.integer(0, 30),
  })
  client.start(CALLER_COUNT)
  let orphans = 0
  let killedMidway = 0
  const startMs = performance.now()
  try {
    for (let kill = 0; kill < story.killCount; kill += 1) {
      await killAt(killMoment(chance, kill), running, home)
      const now = orphanCount(home)
      if (now > orphans) killedMidway += 1
      orphans = now
      running = spawnPlatform(options)
    }
    await client.finish()
    const postgresUrl = story.postgresUrl ?? (await running.ready)!.postgresUrl
    const { events, dead } = await reckon({
      ...{ home, postgresUrl, ledger: client.ledger },
      url: await url(),
    })
    expect(events).toBeGreaterThan(story.killCount * 10)
    expect(dead).toBeGreaterThan(0)
    const seconds = Math.round((performance.now() - startMs) / 1_000)
    const broken = client.ledger.troubles.get('broken connection') ?? 0
    console.log(
      `${story.name}: ${story.killCount} kills in ${seconds} s, ${killedMidway} of them between staging and commit; ` +
        `${events} events and ${dead} dead letters, ${broken} requests broken and sent again`,
    )
    running.signal('SIGTERM')
    expect(await running.ended).toEqual({ code: 0, signal: null })
  } catch (error) {
    console.log(`The platform said last:\n${running.complaints()}`)
    throw error
  } finally {
    running.signal('SIGKILL')
    await running.ended
    rmSync(home, { recursive: true, force: true })
  }
}

/** Data files that were written and never committed. */
function orphanCount(home: string): number {
  const table = path.join(home, 'lake', 'bronze', 'user_events')
  if (!existsSync(path.join(table, '_delta_log'))) return 0
  const written = readdirSync(table, { recursive: true, encoding: 'utf8' })
  const committed = new Set(bronzeFiles(home))
  return written.filter((file) => file.endsWith('.parquet') && !committed.has(file)).length
}
