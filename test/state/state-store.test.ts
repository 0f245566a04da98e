import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { systemClock } from '../../src/model/clock.ts'
import type { DeadLetter } from '../../src/model/dead-letter.ts'
import {
  DeadLetterMissingError,
  DeadLetterStateError,
  StateVersionError,
} from '../../src/state/errors.ts'
import { runStore } from '../../src/state/run-store.ts'
import { STATE_LAYOUT_VERSION } from '../../src/state/state-layout.ts'
import { openStateStore, type StateStore } from '../../src/state/state-store.ts'

let folder: string
let store: StateStore

const file = () => path.join(folder, 'state.sqlite')
const open = () => openStateStore({ file: file(), clock: systemClock })
const bytes = (text: string) => new TextEncoder().encode(text)

function letter(parts: Partial<DeadLetter> = {}): DeadLetter {
  return {
    pipeline: 'p',
    hop: 'bronze.t',
    topic: 't',
    partition: 0,
    offset: 1,
    recordId: 'r',
    key: null,
    reason: 'wrong_type',
    message: 'a is a text',
    value: bytes('{"a":"x"}'),
    headers: { traceparent: '00-1' },
    arrivedMs: 5,
    ...parts,
  }
}

const rejected = (text: string) =>
  letter({ hop: 'gateway', partition: -1, offset: 0, value: bytes(text) })

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'mekong-state-'))
  store = await open()
})
afterEach(async () => {
  await store.close()
  rmSync(folder, { recursive: true, force: true })
})

describe('dead letters', () => {
  test('come back as they were kept, after a restart too', async () => {
    await store.record([letter()])
    await store.close()
    store = await open()
    const [kept] = await store.list()
    expect(kept).toMatchObject({
      ...letter(),
      attempts: 1,
      status: 'open',
      fixed: null,
      value: expect.anything(),
    })
    expect(Buffer.from(kept!.value).toString()).toBe('{"a":"x"}')
    expect(kept!.id).toMatch(/^[0-9a-z]{12}$/)
  })

  test('the same letter twice is one letter', async () => {
    await store.record([letter(), letter()])
    await store.record([letter({ message: 'said differently' })])
    expect(await store.list()).toHaveLength(1)
    expect((await store.list())[0]!.attempts).toBe(1)
  })

  test('the same bytes at the gateway again are one more attempt, and every arrival is counted', async () => {
    await store.record([rejected('x'), rejected('y'), rejected('x')])
    await store.record([rejected('x')])
    expect(
      (await store.list()).map((l) => [Buffer.from(l.value).toString(), l.offset, l.attempts]),
    ).toEqual([
      ['x', 0, 3],
      ['y', 1, 1],
    ])
    expect(await store.rejectedCount('t')).toBe(4)
    expect(await store.rejectedCount('other')).toBe(0)
  })

  test('many callers at once share commits and lose nothing', async () => {
    await Promise.all(
      Array.from({ length: 500 }, (_, offset) => store.record([letter({ offset })])),
    )
    expect(await store.counts()).toEqual([
      {
        pipeline: 'p',
        hop: 'bronze.t',
        reason: 'wrong_type',
        status: 'open',
        letters: 500,
        attempts: 500,
      },
    ])
  })

  test('are found by the beginning of their id, and only when it is clear which one is meant', async () => {
    await store.record(Array.from({ length: 40 }, (_, offset) => letter({ offset })))
    const all = await store.list()
    expect((await store.find(all[7]!.id.slice(0, 8))).offset).toBe(all[7]!.offset)
    await expect(store.find('')).rejects.toThrow(DeadLetterMissingError)
    await expect(store.find('zzzz')).rejects.toThrow(/no dead letter "zzzz"/)
    const firstCharacters = all.map((l) => l.id[0]!)
    const shared = firstCharacters.find((c, index) => firstCharacters.indexOf(c) !== index)!
    await expect(store.find(shared)).rejects.toThrow(/More than one/)
  })

  test('are filtered and paged', async () => {
    await store.record([
      letter(),
      letter({ offset: 2, reason: 'malformed_json' }),
      letter({ offset: 3, hop: 'postgres.t' }),
    ])
    expect(await store.list({ reason: 'malformed_json' })).toHaveLength(1)
    expect(await store.list({ hop: 'bronze.t', status: 'open' })).toHaveLength(2)
    const first = await store.list({ limit: 2 })
    const rest = await store.list({ limit: 2, after: first[1]!.id })
    expect([...first, ...rest].map((l) => l.offset).toSorted()).toEqual([1, 2, 3])
  })

  test('are mended, replayed once, and refuse what is past', async () => {
    await store.record([letter()])
    const { id } = (await store.list())[0]!
    const fixed = await store.fix(id, bytes('{"a":1}'), 'a typo')
    expect(fixed).toMatchObject({ status: 'fixed', note: 'a typo' })
    expect(Buffer.from(fixed.fixed!).toString()).toBe('{"a":1}')
    expect(await store.markReplayed(id, 't.replay/0/3')).toMatchObject({
      status: 'replayed',
      replayedTo: 't.replay/0/3',
    })
    await expect(store.markReplayed(id, 'again')).rejects.toThrow(DeadLetterStateError)
    await expect(store.drop(id)).rejects.toThrow(/is replayed/)
  })

  test('a dropped letter is kept, and comes back by being mended', async () => {
    await store.record([letter()])
    const { id } = (await store.list())[0]!
    expect((await store.drop(id, 'test data')).status).toBe('dropped')
    expect(await store.list()).toHaveLength(1)
    expect((await store.fix(id, bytes('{}'))).status).toBe('fixed')
  })
})

describe('the state file', () => {
  test('can be read by another process while it is written', async () => {
    await store.record([letter()])
    const reader = await openStateStore({ file: file(), clock: systemClock, readOnly: true })
    expect(await reader.list()).toHaveLength(1)
    await store.record([letter({ offset: 9 })])
    expect(await reader.list()).toHaveLength(2)
    await expect(reader.record([letter({ offset: 10 })])).rejects.toMatchObject({
      code: 'STATE_UNAVAILABLE',
    })
    await reader.close()
  })

  test('of a newer program is refused by name', async () => {
    await store.close()
    const database = new DatabaseSync(file())
    database.exec('PRAGMA user_version = 99')
    database.close()
    await expect(open()).rejects.toThrow(StateVersionError)
    const back = new DatabaseSync(file())
    back.exec(`PRAGMA user_version = ${STATE_LAYOUT_VERSION}`)
    back.close()
    store = await open()
  })

  test('what was answered survives kill -9', async () => {
    await store.close()
    const recorder = path.join(import.meta.dirname, 'kill-recorder.ts')
    const child = spawn(process.execPath, [recorder, file()], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let said = ''
    child.stdout.on('data', (chunk) => {
      said += chunk
      if (said.split('\n').length > 50) child.kill('SIGKILL')
    })
    await new Promise((resolve) => child.on('close', resolve))
    const last = Number(said.trim().split('\n').at(-1))
    store = await open()
    const kept = (await store.list({ limit: 10_000 }))
      .map((l) => l.offset)
      .toSorted((a, b) => a - b)
    expect(last).toBeGreaterThan(40)
    expect(kept.length).toBeGreaterThanOrEqual(last + 1)
    expect(kept).toEqual(kept.map((_, index) => index))
  })
})

describe('API keys', () => {
  test('are kept by hash, named once, and revoked', async () => {
    expect(
      await store.addKey({ name: 'ci', hash: 'sha256:00', role: 'read', recordsPerSecondMax: 10 }),
    ).toBe(true)
    expect(
      await store.addKey({
        name: 'ci',
        hash: 'sha256:11',
        role: 'read',
        recordsPerSecondMax: null,
      }),
    ).toBe(false)
    expect(await store.revokeKey('ci')).toBe(true)
    expect(await store.revokeKey('ci')).toBe(false)
    expect((await store.keys()).map((k) => [k.name, k.hash, k.revokedMs === null])).toEqual([
      ['ci', 'sha256:00', false],
    ])
  })
})

test('a state file from before there were runs is brought up to date, and read as it is meanwhile', async () => {
  await (await open()).close()
  const database = new DatabaseSync(file())
  const tables = [
    'runs',
    'run_tasks',
    'run_logs',
    'leases',
    'schedules',
    'backfills',
    'backfill_parts',
  ]
  for (const table of tables) database.exec(`DROP TABLE ${table}`)
  withoutAccess(database)
  database.exec('PRAGMA user_version = 1')
  database.close()
  const reader = await openStateStore({ file: file(), clock: systemClock, readOnly: true })
  expect(await runStore(reader.runDatabase()).list({})).toEqual([])
  await reader.close()
  const upgraded = await open()
  const runs = runStore(upgraded.runDatabase())
  expect(await runs.leases.acquire(['a'], { runner: 'r', holder: 'h', leaseMs: 1_000 })).toBe(true)
  expect(await runs.list({})).toEqual([])
  await upgraded.close()
})

/** A file as it was before there were roles, sessions and an audit log. */
function withoutAccess(database: DatabaseSync): void {
  database.exec('ALTER TABLE api_keys DROP COLUMN role; DROP TABLE sessions; DROP TABLE audit')
}

test('keys from before there were roles may do what they could: operate', async () => {
  await store.addKey({ name: 'old', hash: 'sha256:00', role: 'admin', recordsPerSecondMax: null })
  await store.close()
  const database = new DatabaseSync(file())
  withoutAccess(database)
  database.exec('PRAGMA user_version = 2')
  database.close()
  const reader = await openStateStore({ file: file(), clock: systemClock, readOnly: true })
  expect(await reader.audit()).toEqual([])
  await reader.close()
  store = await open()
  expect((await store.keys()).map(({ name, role }) => [name, role])).toEqual([['old', 'operate']])
  expect(await store.sessions()).toEqual([])
})
