import { execFileSync } from 'node:child_process'
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { compare } from '../../src/model/predicate.ts'
import { mekong, startMekong } from '../cli/run-mekong.ts'
import { seeded, seedOfRun } from '../crash/seeded.ts'
import { openModelHome } from '../flow/model-home.ts'
import { ensureToolset } from '../services.ts'
import {
  ask,
  command,
  digests,
  expectUsers,
  type Loaded,
  load,
  newFolder,
  numbersByPandas,
  removeFolders,
  runJson,
} from './github-events/github-home.ts'

// Two hours of GH Archive through to gold, judged by pandas; the same in small pieces, in any order, with kills; then the tables are put in shape, judged by
// PyIceberg.

const ROOT = path.resolve(import.meta.dirname, '..', '..')
const HOURS = globSync('../shared/data/github-events/*.json.gz', { cwd: ROOT })
  .map((file) => path.resolve(ROOT, file))
  .sort()
const EVENT_COUNT = 15_129
const tools = HOURS.length === 0 ? { skip: 'no data' } : await ensureToolset('python')
const PYTHON = 'skip' in tools ? undefined : tools.environment.MEKONG_PYTHON!
if (HOURS.length === 0) console.log('skipped: no GH Archive files beside the project')
afterAll(removeFolders)

describe.skipIf(HOURS.length === 0)('two hours of GH Archive', { timeout: 600_000 }, () => {
  let home: string
  let first: Loaded
  let second: Loaded
  let whole: Record<string, unknown>
  beforeAll(async () => {
    home = newFolder()
    first = await load(home, HOURS.slice(0, 1))
    second = await load(home, HOURS.slice(1))
    whole = await digests(home)
  }, 300_000)

  test('one more hour is carried through as what is new, and only its day is made anew', async () => {
    expect(first.tasks.map(({ status, facts }) => [status, facts.build])).toEqual([
      ...Array.from({ length: 3 }, () => ['done', 'whole']),
    ])
    const [parsed, enriched, gold] = second.tasks
    const newCount = EVENT_COUNT - first.bronze
    for (const task of [parsed!, enriched!])
      expect(task.facts).toMatchObject({
        ...{ build: 'increment', rows_in: newCount, rows_added: newCount },
        ...{ rows_changed: 0, rows_removed: 0, files_removed: 0 },
      })
    // Bronze files of the first hour are not opened again.
    expect(parsed!.facts.files_read).toBeLessThanOrEqual(6)
    expect(enriched!.facts.files_read).toBe(parsed!.facts.files_written)
    expect(gold!.facts).toMatchObject({ build: 'increment', partitions: 1, files_removed: 1 })
  })

  test('every number is what pandas makes of the same files', async (context) => {
    if (PYTHON === undefined) return context.skip()
    const theirs = numbersByPandas(PYTHON, HOURS)
    const byName = (rows: readonly Record<string, unknown>[]) =>
      Object.fromEntries(rows.map(({ name, n }) => [name, Number(n)]))
    const counts = (column: string) =>
      ask(home, `SELECT ${column} AS name, count(*) AS n FROM silver.github_events GROUP BY 1`)
    expect(byName(await counts('event_type'))).toEqual(theirs.by_type)
    expect(byName(await counts('event_category'))).toEqual(theirs.by_category)
    const [score] = await ask(home, 'SELECT sum(activity_score) AS s FROM silver.github_events')
    expect(Number(score!.s)).toBe(theirs.total_score)

    await expectUsers(home, theirs)
  })

  test('the same files again change nothing', async () => {
    const again = await load(home, HOURS)
    expect(again).toMatchObject({ ok: true, accepted: 0, bronze: EVENT_COUNT })
    expect(again.tasks.map(({ status }) => status)).toEqual(Array(3).fill('nothing_new'))
    expect(await digests(home)).toEqual(whole)
  })

  test('in pieces of 100 events, in any order, with kills, it is the same gold', async () => {
    const chance = seeded(seedOfRun('github-events in pieces'))
    const pieces = cutInPieces(newFolder())
    const pieceHome = newFolder()
    const shuffled = pieces
      .map((file) => ({ file, at: chance.next() }))
      .sort((a, b) => a.at - b.at)
      .map(({ file }) => file)
    let killed = 0
    for (let from = 0; from < shuffled.length; ) {
      const some = shuffled.slice(from, from + chance.integer(5, 50))
      if (chance.next() < 0.6) {
        const args = command(pieceHome, ['load', 'github-events', ...some])
        killed += (await killedAfter(args, chance.integer(700, 3_000))) ? 1 : 0
      }
      await load(pieceHome, some)
      from += some.length
    }
    console.log(`${pieces.length} files loaded, ${killed} loads killed on the way`)
    const [bronze] = await ask(pieceHome, 'SELECT count(*) AS n FROM bronze.github_events')
    expect(bronze).toEqual({ n: EVENT_COUNT })
    expect(await digests(pieceHome)).toEqual(whole)
    expect(await runJson(pieceHome, 'ledger')).toMatchObject({ ok: true })
  })

  test('put in shape: fewer files, the same rows, kept states can be read, and one type of event is in fewer bytes', async () => {
    const silver = 'silver.github_events_parsed'
    const { commits } = await runJson<{ commits: { version: string }[] }>(home, 'history', silver)
    const before = commits[0]!.version
    const files = async (table: string) =>
      (await runJson<{ files: number }>(home, 'describe', table)).files
    const filesBefore = await files(silver)
    // What the pipeline says about its tables, as its daily and weekly schedules run it.
    const { tasks } = await runJson<Loaded>(home, 'run', 'maintain/*')
    const compacted = tasks.filter(({ id, status }) => id.endsWith('/compact') && status === 'done')
    expect(compacted.map(({ id }) => id).sort()).toEqual([
      'maintain/bronze.github_events/compact',
      `maintain/${silver}/compact`,
    ])
    expect(await files(silver)).toBe(filesBefore / 2)
    expect(await files('bronze.github_events')).toBe(1)
    expect(await digests(home)).toEqual(whole)
    // Rows that moved are not new.
    const hourly = await runJson<Loaded>(home, 'run', 'tag:hourly')
    for (const { status, facts } of hourly.tasks)
      expect([status, facts.rows_in ?? 0]).toEqual([status, 0])
    expect(await digests(home)).toEqual(whole)
    const then = `SELECT count(*) AS n FROM ${silver} AT (VERSION => ${before})`
    expect(await ask(home, then)).toEqual([{ n: EVENT_COUNT }])
    await runJson(home, 'expire', silver, '--older-than', '0s', '--keep', '1')
    expect((await mekong(command(home, ['sql', then]))).code).not.toBe(0)
    expect(await digests(home)).toEqual(whole)

    const enriched = 'silver.github_events'
    const sizes = ['--target-size', '100KB', '--min-files', '1']
    const bytesBefore = await bytesFor(home, enriched)
    await runJson(home, 'optimize', enriched, '--z-order', 'event_type,created_at', ...sizes)
    const bytesAfter = await bytesFor(home, enriched)
    expect(await digests(home)).toEqual(whole)
    console.log(`IssuesEvent: ${bytesBefore} bytes to read before Z-order, ${bytesAfter} after`)
    expect(bytesAfter).toBeLessThan(bytesBefore / 2)
  })
})

/** What is read of a table for one type of event, in bytes: by our plan, and where PyIceberg is there by its own. */
async function bytesFor(home: string, table: string): Promise<number> {
  await using here = await openModelHome('iceberg', { folder: home })
  const opened = await here.lake.open(table)
  const { files } = await opened!.plan(
    compare(['event_type'], '=', { type: 'string', value: 'IssuesEvent' }),
  )
  const ours = files.reduce((sum, { bytes }) => sum + bytes, 0)
  if (PYTHON !== undefined) expect(ours).toBe(bytesByPyIceberg(PYTHON, home, table))
  return ours
}

function bytesByPyIceberg(python: string, home: string, table: string): number {
  const catalog = path.join(home, 'lake', 'catalog.sqlite')
  const script = `
import sys
from pyiceberg.catalog.sql import SqlCatalog
table = SqlCatalog('mekong', uri='sqlite:///' + sys.argv[1]).load_table(sys.argv[2])
print(sum(task.file.file_size_in_bytes for task in table.scan(row_filter="event_type == 'IssuesEvent'").plan_files()))`
  const args = ['-W', 'ignore', '-c', script, catalog, table]
  return Number(execFileSync(python, args, { encoding: 'utf8' }))
}

/** Both hours as files of 100 events. */
function cutInPieces(folder: string): readonly string[] {
  const lines = HOURS.flatMap((file) =>
    gunzipSync(readFileSync(file)).toString().trimEnd().split('\n'),
  )
  const pieces: string[] = []
  for (let from = 0; from < lines.length; from += 100) {
    const piece = path.join(folder, `piece-${String(from).padStart(6, '0')}.json`)
    writeFileSync(piece, `${lines.slice(from, from + 100).join('\n')}\n`)
    pieces.push(piece)
  }
  return pieces
}

/** Start a command and kill it; false when it was done before. */
async function killedAfter(args: readonly string[], ms: number): Promise<boolean> {
  const child = startMekong(args)
  const closed = new Promise<number | null>((resolve) => child.once('close', resolve))
  await Promise.race([closed, sleep(ms)])
  child.kill('SIGKILL')
  return (await closed) === null
}
