import { existsSync, rmSync } from 'node:fs'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { mekong, newHome } from './run-mekong.ts'

// Commands on a home where no platform runs, after one demo with the embedded PostgreSQL; and on no home at all.

const home = newHome()
const nowhere = path.join(home, 'nowhere')
const EVENT_COUNT = 400
// One pipeline, so that what is there can be counted.
const config = path.join(import.meta.dirname, 'user-events.config.ts')
const run = (...args: string[]) => mekong([...args, '--home', home, '--config', config])
const runJson = async <T = Record<string, never>>(...args: string[]) =>
  (await run(...args, '--json')).json<T>()

interface Ledger {
  readonly ok: boolean
  readonly lines: readonly { readonly hop: string; readonly out: number; readonly dead: number }[]
}
interface Letters {
  readonly dead_letters: readonly { readonly id: string; readonly reason: string }[]
}

/** The ledger right after the demo. */
let played: Ledger

beforeAll(async () => {
  const demo = await mekong(
    [
      ...['demo', '--exit', '--json', '--events', String(EVENT_COUNT)],
      ...['--home', home, '--config', config],
    ],
    { MEKONG_PORT: '0' },
  )
  expect([demo.code, demo.json()]).toEqual([0, expect.objectContaining({ ok: true })])
  played = await runJson<Ledger>('ledger')
})
afterAll(() => rmSync(home, { recursive: true, force: true }))

describe('on a home at rest', () => {
  test('the lake is listed and described, with its history', async () => {
    const { tables } = await runJson<{ tables: { rows: number }[] }>('tables')
    expect(tables).toEqual([expect.objectContaining({ name: 'bronze.user_events' })])
    const described = await runJson<{ columns: object[] }>('describe', 'bronze.user_events')
    expect(described).toMatchObject({ partition_by: ['event_date'], rows: tables[0]!.rows })
    expect(described.columns).toContainEqual(
      expect.objectContaining({ name: 'user_id', type: 'int32', doc: 'Who did it.' }),
    )
    const { commits } = await runJson<{ commits: { version: number; rows_added: number }[] }>(
      ...['history', 'bronze.user_events'],
    )
    expect(commits.at(-1)).toMatchObject({ version: 0, operation: 'CREATE TABLE' })
    const added = commits.reduce((sum, commit) => sum + commit.rows_added, 0)
    expect(added).toBe(tables[0]!.rows)
    const missing = await run('describe', 'bronze.nope')
    expect([missing.code, missing.err]).toEqual([1, expect.stringContaining('bronze.user_events')])
  })

  test('topics show records from a place on, and replay topics only when asked', async () => {
    const few = await runJson<{ topics: object[] }>('topics')
    const all = await runJson<{ topics: { name: string }[] }>('topics', '--all')
    expect([few.topics.length, all.topics.length]).toEqual([1, 3])
    const shown = await run('topics', 'show', 'user-events', '--partition', '1', '--offset', '3')
    expect(shown.out).toMatch(/^1\/3 /m)
    expect(shown.out).not.toMatch(/^1\/2 |^0\//m)
    const beyond = await run('topics', 'show', 'user-events', '--partition', '9')
    expect([beyond.code, beyond.err]).toEqual([2, expect.stringContaining('0 to 2')])
  })

  test('the ledger is read from the log, the lake and PostgreSQL itself', async () => {
    const { ok, lines } = played
    expect(ok).toBe(true)
    const [gateway, , bronze, served] = lines.map(({ out }) => out)
    expect([bronze, served]).toEqual([gateway, gateway])
    expect(lines.map(({ hop }) => hop)).toContain('postgres.user_events')
  })

  test("the gateway's letter is mended and replayed to every hop, without a platform", async () => {
    const { dead_letters: letters } = await runJson<Letters>('dlq', 'list')
    expect(letters.length).toBeGreaterThan(0)
    const { id } = letters[0]!
    // Nanoseconds are past 2^53: not a digit may be lost in mending.
    const value = '{"user_id":7,"movie_id":9,"event_type":"click","timestamp":1}'
    expect((await run('dlq', 'fix', id, '--value', value)).code).toBe(0)
    expect((await run('dlq', 'replay', id)).code).toBe(1)
    const mended = await runJson<{ fixed: { text: string } }>(
      ...['dlq', 'fix', id, '--set', 'timestamp=1701234567890123457'],
    )
    expect(mended.fixed.text).toContain('1701234567890123457')
    expect(await runJson('dlq', 'replay', id)).toMatchObject({
      ok: true,
      replayed: [{ id, status: 'replayed', arrival: { status: 'arrived' } }],
    })
    const after = await runJson<Ledger>('ledger')
    expect(after.ok).toBe(true)
    const outs = ({ lines }: Ledger) => lines.map(({ out }) => out)
    expect(outs(after)).toEqual(outs(played).map((out) => out + 1))
    expect((await run('dlq', 'show', id)).out).toContain('replayed, to user-events/')
  })

  test('doctor and config see it as it is', async () => {
    const doctor = await runJson<{ ok: boolean; checks: { check: string; status: string }[] }>(
      'doctor',
    )
    expect(doctor.ok).toBe(true)
    for (const check of ['node', 'packages', 'home', 'sqlite', 'config', 'log', 'ledger']) {
      expect(doctor.checks).toContainEqual(expect.objectContaining({ check, status: 'ok' }))
    }
    const { out } = await mekong(['config', '--home', home], { POSTGRES_PASSWORD: 'hunter2' })
    expect(out).toContain('postgresPassword = ***')
    expect(out).not.toContain('hunter2')
    const stopped = await run('status')
    expect([stopped.code, stopped.out]).toEqual([1, expect.stringContaining('not running')])
  })

  test('doctor names what is wrong with a configuration and a server that is away', async () => {
    const wrong = await mekong(['doctor', '--home', home], { MEKONG_PORT: 'many' })
    expect([wrong.code, wrong.out]).toEqual([1, expect.stringContaining('MEKONG_PORT')])
    const away = await mekong(['doctor', '--home', home], {
      POSTGRES_HOST: '127.0.0.1',
      POSTGRES_PORT: '1',
      POSTGRES_DB: 'river',
      POSTGRES_USER: 'mekong',
      POSTGRES_PASSWORD: 'hunter2',
    })
    expect([away.code, away.out]).toEqual([1, expect.stringMatching(/FAIL {2}postgres /)])
    expect(away.out + away.err).not.toContain('hunter2')
  })

  test('a dead letter that no hop counted is found out: the ledger ends with 1', async () => {
    const state = new DatabaseSync(path.join(home, 'state.sqlite'))
    state.exec(`CREATE TEMP TABLE forged AS SELECT * FROM letters LIMIT 1;
      UPDATE forged SET id = 'forged', hop = 'bronze.user_events', partition = 0;
      INSERT INTO letters SELECT * FROM forged`)
    state.close()
    const { code, out } = await run('ledger')
    expect([code, out]).toEqual([1, expect.stringContaining('DOES NOT BALANCE')])
    expect(out).toContain('0 records were counted dead and 1 dead letters are kept')
  })
})

describe('where there is no home', () => {
  test('nothing is made, and the answer says so', async () => {
    const at = ['--home', nowhere]
    const [tables, topics, ledger, letters, keys, status] = await Promise.all([
      mekong(['tables', ...at]),
      mekong(['topics', ...at]),
      mekong(['ledger', ...at]),
      mekong(['dlq', 'list', ...at]),
      mekong(['keys', 'list', ...at]),
      mekong(['status', ...at]),
    ])
    const ran = [tables, topics, ledger, letters, keys, status]
    expect(ran.map(({ code }) => code)).toEqual([0, 0, 0, 0, 0, 1])
    expect(tables.out).toContain('is no home folder yet')
    expect(letters.out).toContain('no dead letters')
    expect(keys.out).toContain('no API keys')
    const missing = await mekong(['dlq', 'show', 'abc', ...at])
    expect([missing.code, missing.err]).toEqual([1, expect.stringContaining('nothing ran here')])
    expect(existsSync(nowhere)).toBe(false)
  })
})
