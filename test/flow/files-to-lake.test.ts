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
import { previewLetter, type ReplayWish, replayIfSensible } from '../../src/flow/replay-decision.ts'
import { replayLine } from '../../src/flow/replay-line.ts'
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

test('a dead line that was mended goes into its day once, whatever happens; the ledger says so', async () => {
  const lines = [
    nested('a', 'HNH7', 'VOD', 10),
    nested('b', 'HNH7', 'VOD', -10),
    'no json',
    nested('c', 'HNH7', 'VOD', 'x'),
  ]
  await load(write('20220405.json', lines.join('\n')))
  const day = `SELECT log_id, contract, duration_s::INT FROM content_log WHERE event_date = DATE '2022-04-05' ORDER BY 1`
  const letters = (await state.list({ pipeline: 'ott', status: 'open' })).filter(
    ({ topic }) => topic === 'content/2022-04-05',
  )
  const [negative, broken, text] = letters.toSorted((a, b) => a.offset - b.offset)
  const context = {
    ...{ plans: [ott], engine: world.engine, clock: systemClock, state },
    log: { append: nobody, ensureTopic: nobody },
    replayLine: ({ letter, ...line }: Parameters<typeof replayLine>[1] & { letter: Letter }) =>
      replayLine(world, line, letter),
  }
  const replay = async (id: string, wish: ReplayWish = {}) =>
    replayIfSensible(context, await state.find(id), wish)

  // As it is it would die again.
  expect(await replay(negative!.id)).toMatchObject({
    ...{ status: 'would_die_again', preview: { reason: 'out_of_range' } },
  })
  const mended = await state.fix(
    negative!.id,
    Buffer.from(`{"_id":"b","Contract":"HNH7",\n"AppName":"VOD","TotalDuration":20}`),
  )
  expect(await previewLetter(context, mended)).toMatchObject({
    ...{ status: 'row', row: { log_id: 'b', contract: 'HNH7', duration_s: '20' } },
  })
  const version = (await lake.state('bronze.content_log')).version
  // Killed between the commit and the note that it went: the next replay finds the mark.
  const died = { ...context, state: { ...context.state, find: nobody, markReplayed: nobody } }
  await expect(replayIfSensible(died, mended, {})).rejects.toThrow('nobody')
  expect(await replay(negative!.id)).toEqual({ status: 'replayed', to: 'content/2022-04-05/1/4' })
  expect(await replay(negative!.id)).toMatchObject({ status: 'already_replayed' })
  expect((await lake.state('bronze.content_log')).version).toBe(Number(version) + 1)
  expect(await rows(day)).toEqual([
    ['a', 'HNH7', 10],
    ['b', 'HNH7', 20],
  ])

  // One that repeats an id of the day is a duplicate, one that is forced dies again; both are counted.
  await state.fix(text!.id, Buffer.from(nested('a', 'HNH7', 'VOD', 30)))
  expect(await replay(text!.id)).toMatchObject({ status: 'replayed' })
  expect(await replay(broken!.id, { force: true })).toMatchObject({ status: 'replayed' })
  expect(await rows(day)).toHaveLength(2)
  const again = await state.list({ pipeline: 'ott', status: 'open' })
  expect(again.filter(({ topic }) => topic === 'content/2022-04-05')).toMatchObject([
    { reason: 'malformed_json', offset: 6, recordId: broken!.recordId },
  ])
  const [ledger] = await filesLedger({ plan: ott, lake, state })
  expect(ledger).toMatchObject({ dead: 5, duplicates: 1, balanced: true })

  // The day sent again has its own lines; a letter of the old file has nowhere to go.
  expect((await load(path.join(folder, '20220405.json')))[0]!.status).toBe('unchanged')
  await load(write('20220405.json', nested('z', 'HNH8', 'VOD', 1)))
  expect(await rows(day)).toEqual([['z', 'HNH8', 1]])
  await state.fix(again.at(-1)!.id, Buffer.from(nested('y', 'HNH8', 'VOD', 1)))
  await expect(replay(again.at(-1)!.id)).rejects.toMatchObject({ code: 'REPLAY_REFUSED' })
  expect((await filesLedger({ plan: ott, lake, state }))[0]).toMatchObject({ balanced: true })
})

type Letter = Awaited<ReturnType<StateStore['find']>>
const nobody = () => Promise.reject(new Error('nobody'))

test('a day comes from the name alone, and must exist', () => {
  const day = (file: string) => dayOf(ott.files, file)?.day
  expect(day('/data/20220430.json')).toBe('2022-04-30')
  expect(day('/data/20220431.json')).toBeUndefined()
  expect(day('/data/20220601/part-0.parquet')).toBe('2022-06-01')
  expect(day('/data/part-0.parquet')).toBeUndefined()
})
