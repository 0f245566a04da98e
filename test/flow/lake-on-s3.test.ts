import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { readdirSync, rmSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, test } from 'vitest'
import { simulator as githubEvents } from '../../pipelines/github-events/simulator.ts'
import { simulator as userEvents } from '../../pipelines/user-events/simulator.ts'
import { compiledPlan } from '../../src/flow/compiled-plans.ts'
import type { TableDoor, TablePoint } from '../../src/flow/table-door.ts'
import { changeQuery } from '../../src/flow/tables-to-sql.ts'
import { openHomeReader } from '../../src/orchestrator/home-reader.ts'
import { resolveSettings } from '../../src/orchestrator/resolve-settings.ts'
import type { ComputeEngine, EngineConnection } from '../../src/sql/duckdb/engine.ts'
import { runQuery } from '../../src/sql/duckdb/query.ts'
import { mekong, newHome, startMekong } from '../cli/run-mekong.ts'
import { drainedLedger } from '../crash/reckoning.ts'
import { seeded, seedOfRun } from '../crash/seeded.ts'
import { ensureService, ensureToolset } from '../services.ts'
import { lossyService } from '../storage/lossy-service.ts'

// A lake in a bucket, behind a line that loses requests and answers, under a platform that is killed: each acknowledged record is one row,
// the ledger balances, and every command and other engines read and keep the tables.

const service = await ensureService('s3')
if ('skip' in service) console.log(`A lake on S3 is not tested: ${service.skip}`)

const tools = await ensureToolset('python')

const CONFIG = path.join(import.meta.dirname, 'two-rivers', 'mekong.config.ts')
const KILL_COUNT = 3
const EVENT_COUNT = 1_500
const LOSS_RATE = 0.03
const home = newHome()
afterAll(() => rmSync(home, { recursive: true, force: true, maxRetries: 5 }))

const place = `lake/${randomUUID()}`
const variablesAt = (endpoint: string): Record<string, string> => {
  if ('skip' in service) throw new Error(service.skip)
  return {
    MEKONG_LAKE: `s3://${service.environment.MEKONG_S3_BUCKET}/${place}`,
    AWS_ENDPOINT_URL_S3: endpoint,
    AWS_ACCESS_KEY_ID: service.environment.AWS_ACCESS_KEY_ID!,
    AWS_SECRET_ACCESS_KEY: service.environment.AWS_SECRET_ACCESS_KEY!,
  }
}
const direct = () => variablesAt('skip' in service ? '' : service.environment.MEKONG_S3_ENDPOINT!)
const runJson = async <T>(...args: string[]): Promise<T> => {
  const ran = await mekong([...args, '--home', home, '--config', CONFIG, '--json'], direct())
  expect(ran.code, ran.err + ran.out).toBe(0)
  return ran.json<T>()
}

/** Every event twice over, in the order of both simulators by turns. */
function requestsOf(seed: number) {
  const options = { seed, eventCount: EVENT_COUNT, nowMs: Date.UTC(2026, 0, 2) }
  return [...userEvents.requests!(options), ...githubEvents.requests!(options)].toSorted((a, b) =>
    JSON.stringify(a.events[0]).localeCompare(JSON.stringify(b.events[0])),
  )
}

async function up(variables: Record<string, string>) {
  const args = ['up', '--json', '--home', home, '--config', CONFIG]
  const child = startMekong(args, variables)
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()))
  let said = ''
  child.stderr!.on('data', (chunk) => {
    said += chunk
  })
  const line = await Promise.race([
    new Promise<string>((resolve) => child.stdout!.once('data', (chunk) => resolve(String(chunk)))),
    closed.then(() => Promise.reject(new Error(`It did not start: ${said}`))),
  ])
  return {
    url: JSON.parse(line).url as string,
    async kill(signal: NodeJS.Signals) {
      child.kill(signal)
      await closed
    },
  }
}

type Request = ReturnType<typeof requestsOf>[number]

/** Send one after another until the platform is gone. Returns how many were answered. */
async function send(url: string, requests: readonly Request[]): Promise<number> {
  for (const [index, { path: at, events }] of requests.entries()) {
    const headers = { 'content-type': 'application/x-ndjson' }
    const body = events.map((event) => JSON.stringify(event)).join('\n')
    const answer = await fetch(`${url}${at}`, { method: 'POST', headers, body }).catch(() => null)
    if (answer === null || answer.status >= 500) return index
    await sleep(50)
  }
  return requests.length
}

async function withConnection<T>(
  engine: ComputeEngine,
  work: (connection: EngineConnection) => Promise<T>,
): Promise<T> {
  const connection = await engine.connection()
  try {
    return await work(connection)
  } finally {
    connection.close()
  }
}

interface Ledger {
  readonly ok: boolean
  readonly lines: readonly {
    readonly hop: string
    readonly out: number
    readonly missing: number
  }[]
}

describe.skipIf('skip' in service)('a lake on S3', () => {
  test('killed and cut off, every acknowledged record is one row, and the ledger balances', {
    timeout: 300_000,
  }, async () => {
    const chance = seeded(seedOfRun('lake on S3'))
    await using line = await lossyService({
      target: direct().AWS_ENDPOINT_URL_S3!,
      chance: chance.next,
      rate: LOSS_RATE,
    })
    const requests = requestsOf(7)
    let sent = 0
    for (let kill = 0; kill < KILL_COUNT; kill += 1) {
      const platform = await up(variablesAt(line.url))
      const sending = send(platform.url, requests.slice(sent))
      await sleep(chance.integer(300, 1_500))
      await platform.kill('SIGKILL')
      sent += await sending
    }
    const last = await up(variablesAt(line.url))
    // All of them once more: what is there already is there once.
    expect(await send(last.url, requests)).toBe(requests.length)
    await drainedLedger(last.url, 120_000)
    await last.kill('SIGTERM')
    console.log(`Requests lost on the way to S3: ${line.lost.before}, answers: ${line.lost.after}`)
    expect(line.lost.after).toBeGreaterThan(0)

    const ledger = await runJson<Ledger>('ledger')
    expect(ledger.ok).toBe(true)
    const outOf = (hop: string) => ledger.lines.find((each) => each.hop === hop)!.out
    const counts = await runJson<object[]>(
      'sql',
      `select 'bronze.user_events' as t, count(*) as n, count(distinct _id) as ids from bronze.user_events
       union all select 'bronze.github_events', count(*), count(distinct id) from bronze.github_events order by t`,
    )
    expect(counts).toEqual(
      ['bronze.github_events', 'bronze.user_events'].map((t) => ({
        ...{ t, n: outOf(t), ids: outOf(t) },
      })),
    )
    expect(outOf('bronze.user_events')).toBeGreaterThan(EVENT_COUNT / 2)
    expect(readdirSync(path.join(home, 'lake')).sort()).toEqual([
      '.mekong-cache',
      '.mekong-tmp',
      'catalog.sqlite',
    ])
  })

  test('models are built, and tables are kept, looked at and converted', {
    timeout: 240_000,
  }, async () => {
    const variables = direct()
    await runJson('run', 'tag:hourly')
    const reader = openHomeReader({ homeFolder: home, settings: resolveSettings({}, variables) })
    try {
      const engine = await reader.engine()
      const places = reader.places(home)
      const count = async (door: TableDoor, point?: TablePoint) => {
        const plan = await (await door.state(point)).plan()
        const [row] = await withConnection(engine, async (c) =>
          c.rows(`SELECT count(*)::INTEGER FROM (${await compiledPlan(plan, engine)})`),
        )
        return row![0]
      }
      const parsed = await places.door('silver.github_events_parsed')
      expect(await count(parsed)).toBe(await count(await places.door('bronze.github_events')))
      for (const [name, format] of [
        ['bronze.user_events', 'delta'],
        ['bronze.github_events', 'iceberg'],
      ] as const) {
        const door = await places.door(name)
        const rows = await count(door)
        const [newest] = await door.history(1)
        const { groups } = await door.optimize({ dryRun: false })
        expect(groups.map(({ status }) => status)).toContain('committed')
        const url = `${variables.MEKONG_LAKE}/${name.replace('.', '/')}`
        expect(await count(await places.door(url, format))).toBe(rows)
        expect(await count(door, { version: BigInt(newest!.version) })).toBe(rows)
        await door.vacuum({ dryRun: false, allowsShortAge: false })
        await door.expire({ dryRun: false })
        const { version } = await door.restore(
          { version: BigInt(newest!.version) },
          { dryRun: false },
        )
        const changes = await door.changes({ from: BigInt(version!), to: BigInt(version!) })
        const { sql, tables } = await changeQuery(changes, engine)
        expect((await runQuery(engine, { sql, tables })).rows).toEqual([])
        await door.convert({ dryRun: false })
        const other = format === 'delta' ? 'iceberg' : 'delta'
        expect(await count(await places.door(url, other))).toBe(rows)
      }
    } finally {
      await reader.close()
    }
    // Killed processes have left theirs, and the next one has cleared them away.
    expect(readdirSync(path.join(home, 'lake', '.mekong-cache', 'leases'))).toEqual([])
  })

  test('delta-rs and PyIceberg read the same rows', { timeout: 120_000 }, async () => {
    if ('skip' in tools) return console.log(`Not read with delta-rs and PyIceberg: ${tools.skip}`)
    const variables = direct()
    const read = execFileSync(
      tools.environment.MEKONG_PYTHON!,
      ['-W', 'ignore', '-c', OTHERS, path.join(home, 'lake', 'catalog.sqlite')],
      { encoding: 'utf8', env: { PATH: process.env.PATH, ...variables } },
    )
    const [found] = await runJson<object[]>(
      'sql',
      'select (select count(distinct _id) from bronze.user_events) as delta, (select count(distinct id) from bronze.github_events) as iceberg',
    )
    expect(JSON.parse(read)).toEqual(found)
  })
})

const OTHERS = `
import json, os, sys
from deltalake import DeltaTable
from pyiceberg.catalog.sql import SqlCatalog
at = os.environ['AWS_ENDPOINT_URL_S3']
key, secret = os.environ['AWS_ACCESS_KEY_ID'], os.environ['AWS_SECRET_ACCESS_KEY']
delta = DeltaTable(os.environ['MEKONG_LAKE'] + '/bronze/user_events', storage_options={
  'AWS_ENDPOINT_URL': at, 'AWS_ALLOW_HTTP': 'true', 'AWS_ACCESS_KEY_ID': key, 'AWS_SECRET_ACCESS_KEY': secret, 'AWS_REGION': 'us-east-1'})
ids = delta.to_pyarrow_table(columns=['_id'])['_id'].to_pylist()
catalog = SqlCatalog('mekong', uri='sqlite:///' + sys.argv[1], **{
  's3.endpoint': at, 's3.access-key-id': key, 's3.secret-access-key': secret, 's3.region': 'us-east-1'})
events = catalog.load_table('bronze.github_events').scan(selected_fields=('id',)).to_arrow()['id'].to_pylist()
print(json.dumps({'delta': len(set(ids)), 'iceberg': len(set(events))}))
`
