import { createServer } from 'node:http'
import type { AppendPort } from '../src/gateway/append-port.ts'
import { startGateway } from '../src/gateway/gateway.ts'
import { epoch, int32, record, text } from '../src/model/schema.ts'
import { formatRequest } from './http-load.ts'
import { runLoadInChild } from './http-load-child.ts'

// Two questions: what part of a bare node:http server's rate does the gateway keep for single events, and how many
// events a second pass parsing and validation in NDJSON bodies? No disk is measured.

const EVENT = JSON.stringify({
  user_id: 123456,
  movie_id: 7890,
  event_type: 'click',
  timestamp: 1701234567890,
  session: '3f9c1a52-0d1e-4a55-8f0f-6c1d2e3f4a5b',
  page: '/movies/7890',
})
const SCHEMA = record({
  user_id: int32(),
  movie_id: int32(),
  event_type: text({ min: 1, max: 50 }),
  timestamp: epoch(),
})
const LINES_PER_BODY = 5_000

/** Takes everything, and answers all that one round of the event loop brought together, as group commit does. */
function groupingPort(): AppendPort {
  let next = 0
  let waiting: (() => void)[] = []
  const answer = () => {
    const group = waiting
    waiting = []
    for (const resolve of group) resolve()
  }
  return {
    append(_topic, records) {
      const start = next
      next += records.length
      const appended = records.map((_, index) => ({
        status: 'appended' as const,
        partition: 0,
        offset: start + index,
      }))
      return new Promise((resolve) => {
        if (waiting.length === 0) setImmediate(answer)
        waiting.push(() => resolve({ status: 'appended', records: appended }))
      })
    },
    async reject() {},
  }
}

/** The least a node:http server can do for the same exchange: read the body, answer as many bytes. */
function bareServer(answer: string) {
  return createServer((request, response) => {
    request.on('data', () => {})
    request.on('end', () => {
      response.writeHead(202, [
        'Content-Type',
        'application/json',
        'Content-Length',
        String(answer.length),
      ])
      response.end(answer)
    })
  })
}

export async function measureGateway(durationMs: number, rounds: number) {
  const appendPort = groupingPort()
  const route = {
    path: '/events',
    topic: 'user-events',
    pipeline: 'user-events',
    schema: SCHEMA,
    keyField: 'user_id',
  }
  const gateway = await startGateway({ routes: [route], appendPort, listen: { port: 0 } })
  const answer =
    '{"id":"019333a1-2b3c-7def-8123-456789abcdef","status":"accepted","topic":"user-events","partition":0,"offset":12345}'
  const bare = bareServer(answer)
  await new Promise<void>((resolve) => bare.listen(0, '127.0.0.1', resolve))
  const barePort = (bare.address() as { port: number }).port
  const headers = { 'Content-Type': 'application/json' }
  const single = [formatRequest({ path: '/events', host: '127.0.0.1', headers, body: EVENT })]
  const lines = [
    formatRequest({
      path: '/events?results=summary',
      host: '127.0.0.1',
      headers: { 'Content-Type': 'application/x-ndjson' },
      body: `${EVENT}\n`.repeat(LINES_PER_BODY),
    }),
  ]
  const load = { host: '127.0.0.1', durationMs, warmupMs: 500 }
  const results = []
  for (let round = 0; round < rounds; round += 1) {
    const ours = await runLoadInChild({
      ...load,
      port: gateway.port,
      connectionCount: 32,
      requests: single,
    })
    const theirs = await runLoadInChild({
      ...load,
      port: barePort,
      connectionCount: 32,
      requests: single,
    })
    const batch = await runLoadInChild({
      ...load,
      port: gateway.port,
      connectionCount: 4,
      requests: lines,
    })
    results.push({
      eventBytes: EVENT.length,
      gatewayPerSecond: Math.round(ours.responsesPerSecond),
      gatewayP99Ms: ours.latencyMs.p99,
      statuses: [ours.statusCounts, batch.statusCounts],
      barePerSecond: Math.round(theirs.responsesPerSecond),
      ratio: Math.round((ours.responsesPerSecond / theirs.responsesPerSecond) * 100) / 100,
      ndjsonEventsPerSecond: Math.round(batch.responsesPerSecond * LINES_PER_BODY),
    })
  }
  await gateway.close()
  bare.closeAllConnections()
  await new Promise((resolve) => bare.close(resolve))
  return results
}

if (process.argv[1] === import.meta.filename) {
  const rounds = Number(process.argv[2] ?? 3)
  console.log(JSON.stringify(await measureGateway(3_000, rounds), null, 2))
}
