import { rmSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually, mekong, mekongUp, newHome, type RunningUp, SMALL_RIVER } from './run-mekong.ts'

// Commands beside a running platform: they read without its lock, and change things through its API or its state file.

const home = newHome()
const at = ['--home', home, '--config', SMALL_RIVER]
let up: RunningUp
/** Of the first API key; set by the test that makes it, and needed from then on. */
let key = ''

const run = (...args: string[]) =>
  mekong([...args, ...at], key === '' ? {} : { MEKONG_API_KEY: key })
const runJson = async <T = Record<string, never>>(...args: string[]) =>
  (await run(...args, '--json')).json<T>()

const post = (value: unknown, headers: Record<string, string> = {}) =>
  fetch(`${up.url}/readings`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(value),
  })

interface Line {
  readonly hop: string
  readonly in: number
  readonly out: number
  readonly filtered: number
  readonly duplicates: number
  readonly dead: number
  readonly in_flight: number
  readonly balanced: boolean
}
interface Ledger {
  readonly ok: boolean
  readonly lines: readonly Line[]
}
interface Letters {
  readonly dead_letters: readonly { readonly id: string; readonly reason: string }[]
}

const settled = () =>
  eventually(
    () => runJson<Ledger>('ledger'),
    ({ lines }) => lines.every(({ in_flight }) => in_flight === 0),
  )

beforeAll(async () => {
  up = await mekongUp(at)
  const readings = [
    { sensor: 'a', celsius: 20, reading_id: 'r1' },
    { sensor: 'b', celsius: 21, reading_id: 'r2' },
    { sensor: 'b', celsius: 21, reading_id: 'r2' },
    { sensor: 'c', celsius: -4, reading_id: 'r3' },
    { sensor: 'd', celsius: 5_000, reading_id: 'r4' },
    { sensor: 'e', celsius: 'warm', reading_id: 'r5' },
  ]
  expect((await post(readings)).status).toBe(202)
})

afterAll(async () => {
  expect(await up.stop()).toBe(0)
  rmSync(home, { recursive: true, force: true })
})

describe('beside a running platform', () => {
  test('the ledger accounts for every record, and balances', async () => {
    const { ok, lines } = await settled()
    expect(ok).toBe(true)
    const of = (hop: string) => lines.find((line) => line.hop === hop)
    expect(of('gateway')).toMatchObject({ in: 6, out: 4, duplicates: 1, dead: 1 })
    expect(of('bronze.readings')).toMatchObject({ in: 4, out: 2, filtered: 1, dead: 1 })
    const text = await run('ledger', 'readings')
    expect([text.code, text.out]).toEqual([0, expect.stringContaining('Everything balances.')])
    const unknown = await run('ledger', 'nope')
    expect([unknown.code, unknown.err]).toEqual([2, expect.stringContaining('readings')])
  })

  test('tables and topics are read while they are written', async () => {
    const { tables } = await runJson<{ tables: object[] }>('tables')
    expect(tables).toEqual([expect.objectContaining({ name: 'bronze.readings', rows: 2 })])
    const { topics } = await runJson<{ topics: object[] }>('topics')
    expect(topics).toEqual([
      expect.objectContaining({ name: 'readings', records: 4, duplicates: 1 }),
    ])
    const shown = await runJson<{ records: { key: string; value: { text: string } }[] }>(
      ...['topics', 'show', 'readings', '--limit', '10'],
    )
    expect(shown.records.map(({ key: sensor }) => sensor).sort()).toEqual(['a', 'b', 'c', 'd'])
    const first = shown.records.find(({ key: sensor }) => sensor === 'a')!
    expect(JSON.parse(first.value.text)).toMatchObject({ celsius: 20 })
  })

  test('status says where it runs and how the hops are', async () => {
    const { code, out } = await run('status')
    expect([code, out]).toEqual([0, expect.stringContaining(up.url)])
    expect(await runJson('status')).toMatchObject({
      running: true,
      url: up.url,
      hops: [{ pipeline: 'readings', hop: 'bronze.readings', lag_records: 0 }],
      topics: [{ name: 'readings', appended: 4 }],
    })
  })

  test('a second platform on the home is refused, naming the first', async () => {
    const second = await run('up')
    expect([second.code, second.err]).toEqual([4, expect.stringContaining(up.url)])
  })

  test('a letter that would die again is refused, mended, and replayed exactly once', async () => {
    const { dead_letters: letters } = await runJson<Letters>('dlq', 'list')
    expect(letters.map(({ reason }) => reason).sort()).toEqual(['step_failed', 'wrong_type'])
    const { id } = letters.find(({ reason }) => reason === 'step_failed')!

    const refused = await run('dlq', 'replay', id)
    expect([refused.code, refused.out]).toEqual([1, expect.stringContaining('is on fire')])
    const fixed = await run('dlq', 'fix', id.slice(0, 6), '--set', 'celsius=30', '--note', 'typo')
    expect([fixed.code, fixed.out]).toEqual([0, expect.stringContaining('"celsius":30')])

    const tried = await run('dlq', 'replay', id, '--dry-run')
    expect([tried.code, tried.out]).toEqual([0, expect.stringContaining('it would become the row')])
    const to = 'readings.replay.bronze.readings/0/0'
    expect(await runJson('dlq', 'replay', id)).toMatchObject({
      ok: true,
      replayed: [{ id, status: 'replayed', to }],
    })
    expect(await runJson('dlq', 'replay', id)).toMatchObject({
      ok: true,
      replayed: [{ id, status: 'already_replayed', to }],
    })
    const { ok, lines } = await settled()
    expect(ok).toBe(true)
    expect(lines.find(({ hop }) => hop === 'bronze.readings')).toMatchObject({ in: 5, out: 3 })
  })

  test('the first key shuts the doors to others at once, and a revoked one opens nothing', async () => {
    const made = await run('keys', 'create', 'ops', '--rate', '100')
    expect(made.code).toBe(0)
    const shut = await eventually(
      () => post({ sensor: 'x', celsius: 1 }),
      ({ status }) => status === 401,
    )
    expect(shut.status).toBe(401)
    const without = await run('ledger')
    expect([without.code, without.err]).toEqual([1, expect.stringContaining('MEKONG_API_KEY')])

    key = made.out.trim()
    const bearer = { authorization: `Bearer ${key}` }
    expect((await post({ sensor: 'x', celsius: 1 }, bearer)).status).toBe(202)
    expect((await run('status')).code).toBe(0)
    const listed = await run('keys', 'list')
    expect(listed.out).toMatch(/ops +operate +100 .* in force/)
    expect(listed.out + listed.err).not.toContain(key)

    const other = await runJson<{ key: string }>('keys', 'create', 'other')
    expect((await run('keys', 'create', 'other')).code).toBe(1)
    const otherBearer = { authorization: `Bearer ${other.key}` }
    const known = () => post({ sensor: 'y', celsius: 2 }, otherBearer)
    expect((await eventually(known, ({ status }) => status === 202)).status).toBe(202)
    expect((await run('keys', 'revoke', 'other')).code).toBe(0)
    expect((await eventually(known, ({ status }) => status === 401)).status).toBe(401)
    expect(up.notes()).not.toContain(key)
  })

  test('doctor finds it well, and says nothing that is secret', async () => {
    const { code, out } = await run('doctor')
    expect([code, out]).toEqual([0, expect.stringContaining('balances at all')])
    expect(out).toContain('1 wait to be looked at')
    expect(out).not.toContain(key)
  })
})
