import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startBareServer } from './bare-server.ts'
import { type Bench, type BenchContext, median, rounded } from './bench.ts'
import { formatRequest, type LoadReport } from './http-load.ts'
import { runLoadInChild } from './http-load-child.ts'
import { type MekongProcess, startMekong } from './mekong-process.ts'
import { EVENT_BYTES, userEventText } from './user-event.ts'

// Three servers, each a process of its own, under the same load by turns: a bare node:http server, `mekong up` with a door and
// a topic and nothing behind them, and `mekong up` with user-events and all its hops at work. Only one is under load at a
// time, and the hops have caught up before the next one's turn.

const HOST = '127.0.0.1'
/** So many clients at once, each waiting for its answer; commits to disk are shared among them. */
const CONNECTION_COUNT = 256
const EVENTS_PER_BODY = 5_000
const NDJSON_CONNECTION_COUNT = 4
/** Their bodies together are more than the door's queue holds. */
const OVERLOAD_CONNECTION_COUNT = 200
const ROUND_COUNT = 3
const WARMUP_MS = 500
/** Before anything counts, each server runs for so long that its code is compiled. */
const COMPILE_MS = 1_500

export const gateway: Bench = {
  name: 'gateway',
  question:
    'How much of a bare node:http server does the front door keep when every event is on disk?',
  secondsDefault: 100,
  async run(context) {
    const [bare, door, full] = await Promise.all([
      startBareServer(),
      startMekong({ home: path.join(context.folder, 'door'), doorOnly: true }),
      startMekong({
        home: path.join(context.folder, 'full'),
        variables: { MEKONG_POSTGRES_PORT: '0' },
      }),
    ])
    try {
      for (const port of [bare.port, door.port, full.port])
        await runLoadInChild({ host: HOST, port, durationMs: COMPILE_MS, ...SINGLE })
      await full.drained()
      const rates = await measureRates(context, { bare: bare.port, door, full })
      const calm = await measureCalm(context, { door, full, ratePerSecond: rates.door / 2 })
      const lines = await measureLines(context, door)
      await full.stop()
      const overload = await measureOverload(context, door)
      return {
        figures: {
          ratio: rounded(rates.ratio, 3),
          ratio_with_hops: rounded(rates.ratioWithHops, 3),
          bare_per_s: rounded(rates.bare),
          mekong_per_s: rounded(rates.door),
          mekong_with_hops_per_s: rounded(rates.full),
          ...calm,
          ndjson_events_per_s: rounded(lines),
          ...overload,
        },
        goals: [
          { figure: 'ratio', atLeast: 0.6 },
          { figure: 'p99_ms', below: 10 },
          { figure: 'ndjson_events_per_s', atLeast: 200_000 },
          { figure: 'overload_growth_ratio', atMost: 1.15 },
        ],
        limits: [
          `${CONNECTION_COUNT} connections, ${EVENT_BYTES}-byte events, every 202 after its fsync; the ratio is the median of ${ROUND_COUNT} rounds.`,
          'One event loop parses HTTP, checks and answers; the disk is waited for on a thread. The generator shares the cores with all of it.',
          '`ratio_with_hops` is with Delta and the embedded PostgreSQL being fed from the same cores at the same time.',
        ],
      }
    } finally {
      await Promise.all([bare.stop(), door.stop(), full.stop()])
    }
  },
}

const SINGLE = {
  connectionCount: CONNECTION_COUNT,
  requests: Array.from({ length: 2_000 }, (_, n) =>
    formatRequest({
      path: '/events',
      host: HOST,
      headers: { 'Content-Type': 'application/json' },
      body: userEventText(n),
    }),
  ),
}

const LINES = Array.from({ length: 4 }, (_, n) =>
  formatRequest({
    path: '/events?results=summary',
    host: HOST,
    headers: { 'Content-Type': 'application/x-ndjson' },
    body: Array.from(
      { length: EVENTS_PER_BODY },
      (_, line) => `${userEventText(n * EVENTS_PER_BODY + line)}\n`,
    ).join(''),
  }),
)

interface Servers {
  readonly bare: number
  readonly door: MekongProcess
  readonly full: MekongProcess
}

/** By turns, so that each round's servers meet the same machine. */
async function measureRates({ seconds, say }: BenchContext, { bare, door, full }: Servers) {
  const durationMs = Math.max(500, (seconds * 1000 * 0.18) / (3 * ROUND_COUNT))
  const rate = async (port: number) =>
    accepted(await runLoadInChild({ host: HOST, port, durationMs, warmupMs: WARMUP_MS, ...SINGLE }))
  const rounds: { bare: number; door: number; full: number }[] = []
  for (let round = 0; round < ROUND_COUNT; round += 1) {
    const own = await rate(door.port)
    const theirs = await rate(bare)
    const withHops = await rate(full.port)
    await full.drained()
    rounds.push({ bare: theirs, door: own, full: withHops })
    say(
      `round ${round + 1}: bare ${rounded(theirs)}, Mekong ${rounded(own)} (${rounded(own / theirs, 2)}), with hops ${rounded(withHops)} (${rounded(withHops / theirs, 2)}) events/s`,
    )
  }
  return {
    bare: median(rounds.map((round) => round.bare)),
    door: median(rounds.map((round) => round.door)),
    full: median(rounds.map((round) => round.full)),
    ratio: median(rounds.map((round) => round.door / round.bare)),
    ratioWithHops: median(rounds.map((round) => round.full / round.bare)),
  }
}

/** Latency at half of the rate that the door reached, by the clock of who sends. */
async function measureCalm(
  { seconds, say }: BenchContext,
  { door, full, ratePerSecond }: Omit<Servers, 'bare'> & { readonly ratePerSecond: number },
) {
  const durationMs = seconds * 1000 * 0.035
  const load = { host: HOST, durationMs, warmupMs: WARMUP_MS, ratePerSecond, ...SINGLE }
  const own = await runLoadInChild({ ...load, port: door.port })
  const withHops = await runLoadInChild({ ...load, port: full.port })
  await full.drained()
  say(
    `at ${rounded(ratePerSecond)} events/s: p50 ${rounded(own.latencyMs.p50, 1)} ms, p99 ${rounded(own.latencyMs.p99, 1)} ms; with hops p99 ${rounded(withHops.latencyMs.p99, 1)} ms`,
  )
  return {
    p50_ms: rounded(own.latencyMs.p50, 2),
    p99_ms: rounded(own.latencyMs.p99, 2),
    p99_with_hops_ms: rounded(withHops.latencyMs.p99, 2),
  }
}

/** Events a second in bodies of many lines. */
async function measureLines({ seconds, say }: BenchContext, door: MekongProcess) {
  const durationMs = Math.max(500, (seconds * 1000 * 0.06) / ROUND_COUNT)
  const rates: number[] = []
  for (let round = 0; round < ROUND_COUNT; round += 1) {
    const report = await runLoadInChild({
      ...{ host: HOST, port: door.port, durationMs, warmupMs: WARMUP_MS, requests: LINES },
      connectionCount: NDJSON_CONNECTION_COUNT,
    })
    rates.push(accepted(report) * EVENTS_PER_BODY)
    say(`lines: ${rounded(rates.at(-1)!)} events/s`)
  }
  return median(rates)
}

/** More than the door takes for a while: it must say so with 503, and its memory must not grow. */
async function measureOverload({ seconds, say }: BenchContext, door: MekongProcess) {
  const durationMs = seconds * 1000 * 0.6
  // Memory is counted once the queues have been full for a moment; getting there is no growth.
  const settleMs = Math.min(5_000, durationMs / 4)
  const load = runLoadInChild({
    ...{ host: HOST, port: door.port, requests: LINES },
    ...{ connectionCount: OVERLOAD_CONNECTION_COUNT, durationMs: durationMs + settleMs },
  })
  await sleep(settleMs)
  const samples: number[] = []
  const sampling = setInterval(() => samples.push(door.memoryMb()), durationMs / 60)
  const report = await load
  clearInterval(sampling)
  const fifth = Math.max(1, Math.floor(samples.length / 5))
  const memoryStart = median(samples.slice(0, fifth))
  const memoryEnd = median(samples.slice(-fifth))
  const refused = report.statusCounts['503'] ?? 0
  say(
    `overload for ${rounded(durationMs / 1000)} s: ${JSON.stringify(report.statusCounts)}, memory ${memoryStart} MB → ${memoryEnd} MB, most ${Math.max(...samples)} MB`,
  )
  if (refused === 0) throw new Error('The overload was none: nothing was answered 503.')
  return {
    overload_seconds: rounded(durationMs / 1000),
    overload_503: refused,
    overload_202: report.statusCounts['202'] ?? 0,
    overload_broken: report.brokenCount,
    overload_rss_mb_start: rounded(memoryStart),
    overload_rss_mb_end: rounded(memoryEnd),
    overload_rss_mb_max: Math.max(...samples),
    overload_growth_ratio: rounded(memoryEnd / memoryStart, 3),
  }
}

/** Answers 202 a second. @throws when something else was answered, for then the figure would mean nothing */
function accepted(report: LoadReport): number {
  const others = Object.keys(report.statusCounts).filter((status) => status !== '202')
  if (others.length > 0 || report.brokenCount > 0)
    throw new Error(`Unexpected answers: ${JSON.stringify(report.statusCounts)}`)
  return report.responsesPerSecond
}
