import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import ott from '../../pipelines/ott/pipeline.ts'
import { dayOf, dayUnits } from '../../src/flow/day-unit.ts'
import { filesLedger } from '../../src/flow/files-ledger.ts'
import { type FilesWorld, loadDays } from '../../src/flow/files-to-lake.ts'
import { type LakeCatalog, lakeCatalog } from '../../src/flow/lake-catalog.ts'
import { withFilesWorld } from '../../src/flow/open-files-world.ts'
import { systemClock, systemRandomness } from '../../src/model/clock.ts'
import { scanSql } from '../../src/sql/duckdb/scan.ts'
import { openStateStore, type StateStore } from '../../src/state/state-store.ts'

// Day files into bronze: every line is a row, a duplicate or a dead letter; a day is there once, whatever happens.

const folder = mkdtempSync(path.join(tmpdir(), 'mekong-files-'))
const { signal } = new AbortController()
let state: StateStore
let world: FilesWorld
let lake: LakeCatalog
let finish: () => void
let ended: Promise<unknown>

beforeAll(async () => {
  state = await openStateStore({ file: path.join(folder, 'state.sqlite'), clock: systemClock })
  await new Promise<void>((ready) => {
    ended = withFilesWorld(
      {
        lake: path.join(folder, 'lake'),
        spill: path.join(folder, 'spill'),
        memoryLimitBytes: 256 * 1024 ** 2,
        ...{ state, clock: systemClock, randomness: systemRandomness },
      },
      async (opened) => {
        world = opened
        lake = lakeCatalog({ folder: path.join(folder, 'lake'), home: async () => opened.lakeHome })
        const closed = new Promise<void>((resolve) => {
          finish = resolve
        })
        ready()
        await closed
      },
    )
  })
})
afterAll(async () => {
  finish()
  await ended
  await state.close()
  rmSync(folder, { recursive: true, force: true })
})

let writeCount = 0
function write(name: string, content: string | Buffer): string {
  const file = path.join(folder, name)
  writeFileSync(file, content)
  // Two writes within a clock tick are still two.
  writeCount += 1
  utimesSync(file, new Date(), new Date(1_700_000_000_000 + writeCount * 1_000))
  return file
}
const load = async (...files: string[]) =>
  loadDays(world, { pipeline: 'ott', units: await dayUnits(ott.files, files), signal })
async function rows(sql: string): Promise<unknown[][]> {
  const connection = await world.engine.connection()
  try {
    const from = scanSql(await (await lake.state('bronze.content_log')).plan())
    return await connection.rows(sql.replace('content_log', `(${from})`))
  } finally {
    connection.close()
  }
}
const nested = (id: string | null, contract: string | null, app: string | null, seconds: unknown) =>
  JSON.stringify({
    ...{ _index: 'history', _type: 'x', ...(id === null ? {} : { _id: id }), _score: 0 },
    _source: { Contract: contract, Mac: '0011AABBCCDD', TotalDuration: seconds, AppName: app },
  })

const FIRST = [
  nested('1', 'HNH1', 'VOD', 100),
  '',
  '{"_id":"2","Contract":"HNH1","AppName":"KPLUS","TotalDuration":"50"}',
  nested('1', 'HNH1', 'VOD', 999),
  'no json at all',
  nested('3', '0', 'RADIO', 86_400),
  nested('4', 'HNH2', 'VOD', -1),
  nested('5', 'HNH2', 'VOD', 86_401),
  nested('6', null, null, 'abc'),
  '[1]',
  nested(null, 'HNH2', 'SPORT', 0),
  nested(null, 'HNH2', 'SPORT', 0),
].join('\n')

test('every line of a day is a row, a duplicate or a dead letter with its place', async () => {
  const [outcome] = await load(write('20220401.json', FIRST))
  expect(outcome).toMatchObject({
    status: 'loaded',
    counts: { day: '2022-04-01', lines: 11, rows: 5, duplicates: 1, dead: 5, load: 1 },
    values: {
      unmapped_app: [
        { value: '(none)', count: 1 },
        { value: 'RADIO', count: 1 },
      ],
      invalid_contract: [
        { value: '(none)', count: 1 },
        { value: '0', count: 1 },
      ],
      impossible_duration: [
        { value: '-1', count: 1 },
        { value: '86401', count: 1 },
        { value: 'abc', count: 1 },
      ],
    },
  })
  expect(
    await rows('SELECT log_id, contract, app_name, duration_s::INT FROM content_log ORDER BY ALL'),
  ).toEqual([
    ['1', 'HNH1', 'VOD', 100],
    ['2', 'HNH1', 'KPLUS', 50],
    ['3', '0', 'RADIO', 86_400],
    [null, 'HNH2', 'SPORT', 0],
    [null, 'HNH2', 'SPORT', 0],
  ])
  const letters = await state.list({ pipeline: 'ott' })
  const seen = letters
    .toSorted((a, b) => a.offset - b.offset)
    .map((l) => [l.topic, l.recordId, l.reason, Buffer.from(l.value).toString().slice(0, 14)])
  expect(seen).toEqual([
    ['content/2022-04-01', '20220401.json:5', 'malformed_json', 'no json at all'],
    ['content/2022-04-01', '20220401.json:7', 'out_of_range', '{"_index":"his'],
    ['content/2022-04-01', '20220401.json:8', 'out_of_range', '{"_index":"his'],
    ['content/2022-04-01', '20220401.json:9', 'wrong_type', '{"_index":"his'],
    ['content/2022-04-01', '20220401.json:10', 'not_an_object', '[1]'],
  ])
})

test('the same file again changes nothing; another file for the day replaces the day', async () => {
  const file = path.join(folder, '20220401.json')
  const version = (await lake.state('bronze.content_log')).version
  expect((await load(file))[0]!.status).toBe('unchanged')
  expect((await lake.state('bronze.content_log')).version).toBe(version)

  const second = write('20220402.json.gz', gzipSync(`${nested('1', 'HNH3', 'CHILD', 7)}\n`))
  const again = write('20220401.json', `${nested('9', 'HNH9', 'FIMS', 1)}\nbroken`)
  const outcomes = await load(again, second)
  expect(outcomes.map(({ status }) => status)).toEqual(['replaced', 'loaded'])
  expect(
    await rows('SELECT event_date::VARCHAR, contract, app_name FROM content_log ORDER BY 1'),
  ).toEqual([
    ['2022-04-01', 'HNH9', 'FIMS'],
    ['2022-04-02', 'HNH3', 'CHILD'],
  ])
  const open = await state.list({ pipeline: 'ott', status: 'open' })
  expect(open.map(({ recordId }) => recordId)).toEqual(['20220401.json:2'])
  expect(await filesLedger({ plan: ott, lake, state })).toEqual([
    expect.objectContaining({
      ...{ hop: 'bronze.content_log', in: 3, out: 2, dead: 1, missing: 0, balanced: true },
    }),
    expect.objectContaining({ hop: 'bronze.search_log', in: 0, balanced: true }),
  ])
})

test('a file that cannot be read leaves its day as it was and does not stop the others', async () => {
  const broken = write('20220402.json.gz', Buffer.from('this is no gzip'))
  const empty = write('20220403.json', '')
  const outcomes = await load(broken, empty)
  expect(outcomes.map(({ status }) => status)).toEqual(['failed', 'loaded'])
  expect(await rows('SELECT count(*)::INT FROM content_log')).toEqual([[2]])
})

test('a day comes from the name alone, and must exist', () => {
  const day = (file: string) => dayOf(ott.files, file)?.day
  expect(day('/data/20220430.json')).toBe('2022-04-30')
  expect(day('/data/20220431.json')).toBeUndefined()
  expect(day('/data/20220601/part-0.parquet')).toBe('2022-06-01')
  expect(day('/data/part-0.parquet')).toBeUndefined()
})
