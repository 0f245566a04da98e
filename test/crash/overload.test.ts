import { readFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { PlatformHome } from './platform-home.ts'
import { drainedLedger } from './reckoning.ts'

// Goal: asked for far more than it can take, the door says 503 and when to come back; what it takes it keeps, its memory stays flat, and
// afterwards it is as before. Method: many callers at once send bodies that together are more than the gateway may hold.

const CALLER_COUNT = 120
const EVENTS_PER_BODY = 10_000
const OVERLOAD_MS = 20_000
/** By then every queue has been full: memory may not grow much more, however long it goes on. */
const FILLED_MS = 14_000
const GROWTH_MAX = 1.3
/** The engine's limit, the gateway's and the log's queues, the embedded PostgreSQL, and Node itself. */
const RSS_BYTES_MAX = 2 * 1024 * 1024 * 1024

test('overload is an answer, and memory stays flat', { timeout: 300_000 }, async () => {
  await using home = new PlatformHome()
  const { url, pid } = await home.start({ MEKONG_MEMORY_MB: '256' })
  const line =
    '{"user_id":1,"movie_id":2,"event_type":"click","timestamp":1701234567890,"note":"a few more bytes for each event"}\n'
  const body = Buffer.from(line.repeat(EVENTS_PER_BODY))
  const agent = new Agent({ keepAlive: true, maxSockets: CALLER_COUNT })
  const tally = { accepted: 0, refused: 0, other: [] as string[] }
  const endMs = performance.now() + OVERLOAD_MS
  const caller = async () => {
    while (performance.now() < endMs) {
      const { status, retryAfter, answer } = await send(
        `${url}/events?results=summary`,
        body,
        agent,
      )
      if (status === 202) tally.accepted += answer.accepted as number
      else if (status === 503 && answer.code === 'queue_full' && Number(retryAfter) > 0) {
        tally.refused += 1
        await sleep(20)
      } else tally.other.push(`${status} ${JSON.stringify(answer)}`)
    }
  }
  const watching = watchRss(pid)
  await Promise.all(Array.from({ length: CALLER_COUNT }, caller))
  agent.destroy()

  expect(tally.other.slice(0, 3)).toEqual([])
  expect(tally.refused).toBeGreaterThan(0)
  expect(tally.accepted).toBeGreaterThan(0)
  const after = await send(`${url}/events`, Buffer.from(line), new Agent())
  expect(after.status).toBe(202)

  // Millions were taken in half a minute; the embedded PostgreSQL takes them at its own pace.
  const lines = await drainedLedger(url, 200_000)
  const rss = watching.stop()
  console.log(
    `overload: ${tally.accepted} events taken, ${tally.refused} bodies refused; ` +
      `${Math.round(rss.earlyBytes / 1e6)} MB resident when all queues were full, ${Math.round(rss.laterBytes / 1e6)} MB at most after that`,
  )
  const own = lines.filter(({ pipeline }) => pipeline === 'user-events')
  expect(own.length).toBeGreaterThan(2)
  for (const { hop, out, balanced } of own)
    expect({ hop, out, balanced }).toEqual({ hop, out: tally.accepted + 1, balanced: true })
  expect(rss.laterBytes).toBeLessThan(Math.min(RSS_BYTES_MAX, rss.earlyBytes * GROWTH_MAX))
})

interface Sent {
  readonly status: number
  readonly retryAfter: string | undefined
  readonly answer: Record<string, unknown>
}

function send(url: string, body: Buffer, agent: Agent): Promise<Sent> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/x-ndjson', 'content-length': body.length }
    const sent = request(url, { method: 'POST', headers, agent }, async (response) => {
      let text = ''
      for await (const part of response.setEncoding('utf8')) text += part
      resolve({
        status: response.statusCode!,
        retryAfter: response.headers['retry-after'],
        answer: JSON.parse(text),
      })
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

interface Rss {
  /** The most until every queue had been full. */
  readonly earlyBytes: number
  /** The most after that. */
  readonly laterBytes: number
}

function watchRss(pid: number): { stop(): Rss } {
  const startMs = performance.now()
  let earlyBytes = 0
  let laterBytes = 0
  const look = () => {
    const pages = Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1])
    const bytes = pages * PAGE_BYTES
    if (performance.now() - startMs < FILLED_MS) earlyBytes = Math.max(earlyBytes, bytes)
    else laterBytes = Math.max(laterBytes, bytes)
  }
  const timer = setInterval(look, 100)
  return {
    stop() {
      clearInterval(timer)
      return { earlyBytes, laterBytes }
    },
  }
}

const PAGE_BYTES = 4096
