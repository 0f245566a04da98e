import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { ensureService } from '../test/services.ts'
import { type Bench, type BenchContext, quantile, rounded } from './bench.ts'
import { formatRequest } from './http-load.ts'
import { runLoadInChild } from './http-load-child.ts'
import { watchCommits } from './lake-watch.ts'
import { type MekongProcess, startMekong } from './mekong-process.ts'
import { psql } from './psql-copy.ts'
import { userEventText } from './user-event.ts'

// Under a steady load, some events carry a user id of their own. From just before such an event is sent we ask PostgreSQL for
// its row every few milliseconds, over a connection of our own, and read the lake's log for a commit past its offset. The time
// counts until the answer that shows it has arrived here, so asking is part of what is measured and makes it longer, never
// shorter.

const HOST = '127.0.0.1'
const CONNECTION_COUNT = 64
const WARMUP_MS = 2_000
/** Above every user id of the load. */
const MARKER_START = 1_500_000_000
const MARKER_INTERVAL_MS = 25
const LOOK_INTERVAL_MS = 2
/** The embedded PostgreSQL runs one statement at a time, so asking too often would be the load. */
const EMBEDDED_LOOK_INTERVAL_MS = 10
const GIVE_UP_MS = 30_000

export const freshness: Bench = {
  name: 'freshness',
  question:
    'How long from a POST until its row can be read in PostgreSQL and in the lake, at half load?',
  secondsDefault: 60,
  async run(context) {
    const server = await ensureService('postgres')
    const embedded = await measureStore(context, 'embedded', {
      variables: { MEKONG_POSTGRES_PORT: '0' },
      lookIntervalMs: EMBEDDED_LOOK_INTERVAL_MS,
    })
    const limits = [
      'Half load is half of the rate at which this platform, hops at work, answers as many connections; it was measured first.',
      'A row waits for the batch before it, and for its own: the lake commits once a second at most, PostgreSQL ten times.',
    ]
    const figures = {
      embedded_rate_per_s: embedded.ratePerSecond,
      embedded_p50_ms: embedded.p50,
      embedded_p99_ms: embedded.p99,
    }
    if ('skip' in server) {
      limits.push(`p50_ms and p99_ms are of the embedded PostgreSQL: ${server.skip}`)
      return { ...judged(embedded, figures), limits }
    }
    const real = await onServer(context, server.environment)
    return { ...judged(real, figures), limits }
  },
}

interface Freshness {
  readonly ratePerSecond: number
  readonly markers: number
  readonly p50: number
  readonly p99: number
  readonly lakeP50: number
  readonly lakeP99: number
}

function judged(found: Freshness, others: Record<string, number>) {
  return {
    figures: {
      p50_ms: found.p50,
      p99_ms: found.p99,
      lake_p50_ms: found.lakeP50,
      lake_p99_ms: found.lakeP99,
      rate_per_s: found.ratePerSecond,
      markers: found.markers,
      ...others,
    },
    goals: [
      { figure: 'p99_ms', below: 1_000 },
      { figure: 'lake_p99_ms', below: 2_000 },
    ],
  }
}

/** In a database of its own on the real server. */
async function onServer(context: BenchContext, environment: Readonly<Record<string, string>>) {
  const database = `bench_freshness_${process.pid}`
  const admin = {
    host: environment.POSTGRES_HOST!,
    port: Number(environment.POSTGRES_PORT),
    user: environment.POSTGRES_USER!,
    password: environment.POSTGRES_PASSWORD!,
    database: environment.POSTGRES_DB!,
  }
  await psql(admin, `CREATE DATABASE ${database}`)
  try {
    return await measureStore(context, 'server', {
      variables: { ...environment, POSTGRES_DB: database },
      lookIntervalMs: LOOK_INTERVAL_MS,
      connection: { ...admin, database },
    })
  } finally {
    await psql(admin, `DROP DATABASE IF EXISTS ${database} WITH (FORCE)`)
  }
}

interface StoreOptions {
  readonly variables: Readonly<Record<string, string>>
  readonly lookIntervalMs: number
  /** Default: where the platform says that its PostgreSQL is. */
  readonly connection?: pg.ClientConfig
}

async function measureStore(
  { seconds, folder, say }: BenchContext,
  name: string,
  { variables, lookIntervalMs, connection }: StoreOptions,
): Promise<Freshness> {
  const home = path.join(folder, name)
  const mekong = await startMekong({ home, variables })
  try {
    const durationMs = Math.max(2_000, seconds * 1000 * 0.3)
    const ratePerSecond = rounded((await fullRate(mekong, seconds)) / 2)
    await mekong.drained()
    say(`${name}: half load is ${ratePerSecond} events/s`)
    const load = runLoadInChild({
      ...{ host: HOST, port: mekong.port, requests: LOAD, connectionCount: CONNECTION_COUNT },
      ...{ durationMs: durationMs + WARMUP_MS, ratePerSecond },
    })
    await sleep(WARMUP_MS)
    const table = path.join(home, 'lake', 'bronze', 'user_events')
    const client = new pg.Client(connection ?? { connectionString: mekong.postgresUrl! })
    const found = await markerTimes({ mekong, client, table, durationMs, lookIntervalMs })
    const { latencyMs, statusCounts } = await load
    const result = {
      ...{ ratePerSecond, markers: found.store.length },
      p50: rounded(quantile(found.store, 0.5)),
      p99: rounded(quantile(found.store, 0.99)),
      lakeP50: rounded(quantile(found.lake, 0.5)),
      lakeP99: rounded(quantile(found.lake, 0.99)),
    }
    say(
      `${name}: row p50 ${result.p50} ms, p99 ${result.p99} ms; lake p50 ${result.lakeP50} ms, p99 ${result.lakeP99} ms; answers ${JSON.stringify(statusCounts)} p99 ${rounded(latencyMs.p99, 1)} ms`,
    )
    return result
  } finally {
    await mekong.stop()
  }
}

const LOAD = Array.from({ length: 2_000 }, (_, n) => singleRequest(userEventText(n)))

function singleRequest(body: string): Buffer {
  const headers = { 'Content-Type': 'application/json' }
  return formatRequest({ path: '/events', host: HOST, headers, body })
}

async function fullRate(mekong: MekongProcess, seconds: number): Promise<number> {
  const { responsesPerSecond } = await runLoadInChild({
    ...{ host: HOST, port: mekong.port, requests: LOAD, connectionCount: CONNECTION_COUNT },
    ...{ durationMs: Math.max(1_000, seconds * 1000 * 0.06), warmupMs: 1_000 },
  })
  return responsesPerSecond
}

interface MarkerOptions {
  readonly mekong: MekongProcess
  readonly client: pg.Client
  /** Folder of the lake table. */
  readonly table: string
  readonly durationMs: number
  readonly lookIntervalMs: number
}

/** Send markers for a while; how long each took until it could be read, in both places. */
async function markerTimes({ mekong, client, table, durationMs, lookIntervalMs }: MarkerOptions) {
  const sentMs: number[] = []
  const store: number[] = []
  const lake: number[] = []
  const commits = watchCommits(table)
  await client.connect()
  const looking = new AbortController()
  const look = async () => {
    while (!looking.signal.aborted) {
      const { rows } = await client.query({
        text: 'SELECT count(*)::int FROM user_events WHERE user_id >= $1',
        values: [MARKER_START],
        rowMode: 'array',
      })
      const visible = rows[0]![0] as number
      // Markers of one key keep their order, so the first so many are there.
      for (let n = store.length; n < visible; n += 1) store.push(performance.now() - sentMs[n]!)
      await sleep(lookIntervalMs)
    }
  }
  const looked = look()
  const marked: Promise<void>[] = []
  const startMs = performance.now()
  for (let n = 0; performance.now() - startMs < durationMs; n += 1) {
    sentMs.push(performance.now())
    marked.push(
      sendMarker(mekong.url, n).then(async ({ partition, offset }) => {
        await commits.past(partition, offset)
        lake.push(performance.now() - sentMs[n]!)
      }),
    )
    await sleep(MARKER_INTERVAL_MS)
  }
  await within(Promise.all(marked), 'The lake never showed a marker.')
  const deadlineMs = performance.now() + GIVE_UP_MS
  while (store.length < sentMs.length) {
    if (performance.now() > deadlineMs) throw new Error('PostgreSQL never showed a marker.')
    await sleep(LOOK_INTERVAL_MS)
  }
  looking.abort()
  await looked
  commits.close()
  await client.end()
  return { store, lake }
}

/** An event that is recognised by its user id; all of them go to one partition in the order they are sent. */
async function sendMarker(url: string, n: number) {
  const body = userEventText(n, { userId: MARKER_START })
  const response = await fetch(`${url}/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  })
  if (response.status !== 202) throw new Error(`A marker was answered ${response.status}.`)
  return (await response.json()) as { readonly partition: number; readonly offset: number }
}

async function within<T>(work: Promise<T>, otherwise: string): Promise<T> {
  const late = sleep(GIVE_UP_MS, undefined, { ref: false }).then(() => {
    throw new Error(otherwise)
  })
  return Promise.race([work, late])
}
