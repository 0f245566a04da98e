import { rmSync } from 'node:fs'
import { createServer } from 'node:net'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Bench, median, rounded } from './bench.ts'
import { startMekong } from './mekong-process.ts'
import { userEventText } from './user-event.ts'

const ROUND_COUNT = 5
const TRY_AGAIN_MS = 10
const GIVE_UP_MS = 60_000

export const start: Bench = {
  name: 'start',
  question:
    'How long from `mekong up` to the first event on disk, in a new home and in a used one?',
  secondsDefault: 25,
  async run({ seconds, folder, say }) {
    const first: number[] = []
    const second: number[] = []
    const deadlineMs = performance.now() + seconds * 1000
    while (first.length === 0 || (first.length < ROUND_COUNT && performance.now() < deadlineMs)) {
      const home = path.join(folder, `home-${first.length}`)
      first.push(await firstAcceptedMs(home))
      second.push(await firstAcceptedMs(home))
      rmSync(home, { recursive: true })
      say(`new home ${rounded(first.at(-1)!)} ms, used home ${rounded(second.at(-1)!)} ms`)
    }
    return {
      figures: {
        first_start_ms: rounded(median(first)),
        second_start_ms: rounded(median(second)),
        rounds: first.length,
      },
      goals: [],
      limits: [
        'A new home waits for the embedded PostgreSQL to make its first files; a used one for Node to load and for PostgreSQL to open them.',
      ],
    }
  },
}

/** From starting the process to the answer 202, with all pipelines on embedded parts. */
async function firstAcceptedMs(home: string): Promise<number> {
  const port = await freePort()
  const startMs = performance.now()
  const starting = startMekong({
    home,
    variables: { MEKONG_PORT: String(port), MEKONG_POSTGRES_PORT: '0' },
  })
  let acceptedMs: number | undefined
  while (acceptedMs === undefined) {
    if (performance.now() - startMs > GIVE_UP_MS) throw new Error('No event was taken.')
    if (await isAccepted(port)) acceptedMs = performance.now() - startMs
    else await sleep(TRY_AGAIN_MS)
  }
  await (await starting).stop()
  return acceptedMs
}

async function isAccepted(port: number): Promise<boolean> {
  try {
    const { status } = await fetch(`http://127.0.0.1:${port}/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: userEventText(1),
    })
    return status === 202
  } catch {
    return false
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
}
