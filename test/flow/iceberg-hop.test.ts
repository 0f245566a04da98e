import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, expect, test } from 'vitest'
import { mekong, newHome, startMekong } from '../cli/run-mekong.ts'
import { seeded, seedOfRun } from '../crash/seeded.ts'
import { ensureToolset } from '../services.ts'

// A hop whose target is an Iceberg table: whatever it is killed at, each record is a row once, in the table of the home's
// catalog, which the command line and PyIceberg find by name.

const CONFIG = path.join(import.meta.dirname, 'iceberg-river', 'mekong.config.ts')
const KILL_COUNT = 4
const BATCH_SIZE = 50
const home = newHome()
const run = (...args: string[]) => mekong([...args, '--home', home, '--config', CONFIG])
const runJson = async <T>(...args: string[]) => (await run(...args, '--json')).json<T>()
afterAll(() => rmSync(home, { recursive: true, force: true, maxRetries: 5 }))

/** Readings of one batch: every seventh frozen, one on fire; the same index gives the same lines. */
function batch(index: number): string {
  const lines = Array.from({ length: BATCH_SIZE }, (_, line) => {
    const celsius = line === 13 ? 5_000 : line % 7 === 0 ? -1 : line
    const at = `2026-01-0${1 + (line % 3)}T00:00:00Z`
    return JSON.stringify({ reading_id: `r${index}-${line}`, celsius, at })
  })
  return lines.join('\n')
}

interface Running {
  readonly url: string
  kill(signal: NodeJS.Signals): Promise<void>
}

async function up(): Promise<Running> {
  const child = startMekong(['up', '--json', '--home', home, '--config', CONFIG])
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const line = await new Promise<string>((resolve) =>
    child.stdout!.once('data', (chunk) => resolve(String(chunk))),
  )
  return {
    url: JSON.parse(line).url,
    async kill(signal) {
      child.kill(signal)
      await closed
    },
  }
}

/** Send until acknowledged; the ids make sending again harmless. Returns how many batches were. */
async function send(url: string, from: number, signal: AbortSignal): Promise<number> {
  let index = from
  while (!signal.aborted) {
    const headers = { 'content-type': 'application/x-ndjson' }
    const answer = await fetch(`${url}/readings`, {
      ...{ method: 'POST', headers, body: batch(index) },
    }).catch(() => undefined)
    if (answer?.status !== 202) break
    index += 1
    await sleep(5)
  }
  return index
}

test('killed at any moment, every acknowledged record is one row, and others can read them', {
  timeout: 240_000,
}, async () => {
  const chance = seeded(seedOfRun('iceberg hop'))
  let batchCount = 0
  for (let kill = 0; kill < KILL_COUNT; kill += 1) {
    const platform = await up()
    const stopping = new AbortController()
    const sending = send(platform.url, batchCount, stopping.signal)
    await sleep(chance.integer(300, 1_500))
    await platform.kill('SIGKILL')
    stopping.abort()
    batchCount = await sending
  }
  const last = await up()
  batchCount = await send(last.url, batchCount, AbortSignal.timeout(300))
  expect(batchCount).toBeGreaterThan(KILL_COUNT)
  const perBatch = { frozen: Math.ceil(BATCH_SIZE / 7), dead: 1 }
  await expect
    .poll(async () => (await runJson<Ledger>('ledger')).lines.at(-1)?.in_flight, {
      timeout: 60_000,
      interval: 500,
    })
    .toBe(0)
  const ledger = await runJson<Ledger>('ledger')
  await last.kill('SIGTERM')

  const resting = await runJson<Ledger>('ledger')
  expect(resting).toMatchObject({ ok: true, lines: ledger.lines })
  const hop = resting.lines.at(-1)!
  const batches = hop.in / BATCH_SIZE
  // A batch whose answer was lost may be there as well.
  expect(batches).toBeGreaterThanOrEqual(batchCount)
  expect(hop).toMatchObject({
    filtered: batches * perBatch.frozen,
    dead: batches * perBatch.dead,
    out: batches * (BATCH_SIZE - perBatch.frozen - perBatch.dead),
  })
  const [counted] = await runJson<object[]>(
    ...['sql', 'select count(*) n, count(distinct reading_id) ids from bronze.readings'],
  )
  expect(counted).toEqual({ n: hop.out, ids: hop.out })

  const { tables } = await runJson<{ tables: object[] }>('tables')
  expect(tables).toEqual([
    expect.objectContaining({ name: 'bronze.readings', format: 'iceberg', rows: hop.out }),
  ])
  const described = await runJson<object>('describe', 'bronze.readings')
  expect(described).toMatchObject({
    format: 'iceberg',
    partition_by: ['event_date'],
    description: 'How warm it was.',
    rows: hop.out,
  })
  const { commits } = await runJson<{ commits: { rows_added: number }[] }>(
    ...['history', 'bronze.readings', '--limit', '100000'],
  )
  expect(commits.reduce((sum, commit) => sum + commit.rows_added, 0)).toBe(hop.out)

  const tools = await ensureToolset('python')
  if ('skip' in tools) return console.log(`Not read with PyIceberg: ${tools.skip}`)
  const read = execFileSync(
    tools.environment.MEKONG_PYTHON!,
    ['-W', 'ignore', '-c', PYICEBERG, path.join(home, 'lake', 'catalog.sqlite')],
    { encoding: 'utf8' },
  )
  expect(JSON.parse(read)).toEqual({ tables: ['bronze.readings'], rows: hop.out, ids: hop.out })
})

interface Ledger {
  readonly ok: boolean
  readonly lines: readonly {
    readonly in: number
    readonly out: number
    readonly filtered: number
    readonly dead: number
    readonly in_flight: number
  }[]
}

const PYICEBERG = `
import json, sys
from pyiceberg.catalog.sql import SqlCatalog
catalog = SqlCatalog('mekong', uri='sqlite:///' + sys.argv[1])
names = ['.'.join(name) for space in catalog.list_namespaces() for name in catalog.list_tables(space)]
ids = catalog.load_table('bronze.readings').scan(selected_fields=('reading_id',)).to_arrow()['reading_id'].to_pylist()
print(json.dumps({'tables': names, 'rows': len(ids), 'ids': len(set(ids))}))
`
