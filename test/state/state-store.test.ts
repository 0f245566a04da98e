import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  DeadLetterAmbiguousError,
  DeadLetterMissingError,
  DeadLetterStatusError,
  StateLayoutError,
  StateLimitError,
  StateUnavailableError,
} from '../../src/state/errors.ts'
import {
  openStateReader,
  openStateStore,
  PENDING_CALL_COUNT_MAX,
  type StateStore,
} from '../../src/state/state-store.ts'
import { letterOf } from './letters.ts'

let folder: string
let file: string
let store: StateStore
let nowMs: number

const open = () => openStateStore({ path: file, clock: { nowMs: () => nowMs } })

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'mekong-state-'))
  file = path.join(folder, 'home', 'state.sqlite')
  nowMs = 1_000
  store = await open()
})

afterEach(async () => {
  await store.close()
  rmSync(folder, { recursive: true })
})

describe('dead letters', () => {
  test('a letter is kept whole, and a second time changes nothing', async () => {
    const letter = letterOf({ offset: 7, key: 'k', value: 'bytes \0 é' })
    await store.record([letter])
    nowMs = 2_000
    await store.record([letter, letter])
    const { letters, next } = await store.read.listLetters()
    expect(next).toBeNull()
    expect(letters).toHaveLength(1)
    const shown = await store.read.showLetter(letters[0]!.id)
    const { value, headers, ...rest } = letter
    expect(shown).toMatchObject({ ...rest, headers, status: 'open', attempts: 1, fixed: null })
    expect(shown).toMatchObject({ firstSeenMs: 1_000, lastSeenMs: 1_000, valueBytes: value.length })
    expect(Buffer.from(shown.value).equals(Buffer.from(value))).toBe(true)
    expect(await store.read.rejectedCounts()).toEqual([])
  })

  test('the gateway’s letters are numbered here; the same bytes are one letter, every arrival counts', async () => {
    const at = (value: string, topic = 'user-events') =>
      letterOf({ hop: 'gateway', partition: -1, offset: 0, topic, value })
    await store.record([at('a'), at('b'), at('a')])
    nowMs = 5_000
    await store.record([at('a'), at('a', 'other')])
    const { letters } = await store.read.listLetters({ hop: 'gateway' })
    expect(letters.map((l) => [l.topic, l.partition, l.offset, l.attempts, l.lastSeenMs])).toEqual([
      ['other', -1, 0, 1, 5_000],
      ['user-events', -1, 1, 1, 1_000],
      ['user-events', -1, 0, 3, 5_000],
    ])
    expect(await store.read.rejectedCounts()).toEqual([
      { topic: 'other', rejected: 1 },
      { topic: 'user-events', rejected: 4 },
    ])
  })

  test('lists are filtered and paged', async () => {
    await store.record(
      Array.from({ length: 25 }, (_, offset) =>
        letterOf({ offset, reason: offset % 2 === 0 ? 'wrong_type' : 'missing_field' }),
      ),
    )
    const seen: number[] = []
    let before: number | undefined
    do {
      const page = await store.read.listLetters({ reason: 'wrong_type' }, { count: 5, before })
      seen.push(...page.letters.map((letter) => letter.offset))
      before = page.next ?? undefined
    } while (before !== undefined)
    expect(seen).toEqual([24, 22, 20, 18, 16, 14, 12, 10, 8, 6, 4, 2, 0])
    expect((await store.read.listLetters({ pipeline: 'none' })).letters).toEqual([])
    expect(await store.read.countLetters()).toEqual([
      {
        pipeline: 'user-events',
        hop: 'bronze.user_events',
        reason: 'missing_field',
        status: 'open',
        count: 12,
      },
      {
        pipeline: 'user-events',
        hop: 'bronze.user_events',
        reason: 'wrong_type',
        status: 'open',
        count: 13,
      },
    ])
  })

  test('ids are stable, short, and may be abbreviated while only one letter answers', async () => {
    await store.record(Array.from({ length: 40 }, (_, offset) => letterOf({ offset })))
    const { letters } = await store.read.listLetters()
    const [letter] = letters
    expect(letter!.id).toMatch(/^[0-9a-hjkmnp-tv-z]{12}$/)
    expect((await store.read.showLetter(letter!.id.slice(0, 8).toUpperCase())).id).toBe(letter!.id)
    const twice = letters.find((a) => letters.some((b) => b !== a && b.id[0] === a.id[0]))!
    await expect(store.read.showLetter(twice.id[0]!)).rejects.toThrow(DeadLetterAmbiguousError)
    for (const id of ['', '%', 'nosuchid', "'"])
      await expect(store.read.showLetter(id)).rejects.toThrow(DeadLetterMissingError)
    const other = await openStateStore({ path: path.join(folder, 'other.sqlite') })
    await other.record([letterOf({ offset: letter!.offset })])
    expect((await other.read.listLetters()).letters[0]!.id).toBe(letter!.id)
    await other.close()
  })

  test('fixed, replayed, and then at its end', async () => {
    await store.record([letterOf()])
    const { id } = (await store.read.listLetters()).letters[0]!
    const fixed = await store.fix(id, Buffer.from('{"n":1}'), 'n was a text')
    expect(fixed).toMatchObject({ status: 'fixed', note: 'n was a text' })
    expect(Buffer.from(fixed.fixed!).toString()).toBe('{"n":1}')
    const position = { partition: 2, offset: 17 }
    expect(await store.markReplayed(id, position)).toMatchObject({
      status: 'replayed',
      replayPosition: position,
    })
    expect(await store.markReplayed(id, position)).toMatchObject({ replayPosition: position })
    await expect(store.markReplayed(id, { partition: 2, offset: 18 })).rejects.toThrow(
      DeadLetterStatusError,
    )
    await expect(store.drop(id)).rejects.toThrow(DeadLetterStatusError)
    await expect(store.fix(id, Buffer.from('x'))).rejects.toThrow(DeadLetterStatusError)
    const shown = await store.read.showLetter(id)
    expect(Buffer.from(shown.fixed!).toString()).toBe('{"n":1}')
  })

  test('a failing call harms no other in the same commit', async () => {
    const large = { ...letterOf({ offset: 5 }), value: new Uint8Array(5 * 1024 * 1024) }
    const [before, failed, after] = await Promise.allSettled([
      store.record([letterOf({ offset: 1 })]),
      store.record([letterOf({ offset: 2 }), large]),
      store.record([letterOf({ offset: 3 })]),
    ])
    expect(before.status).toBe('fulfilled')
    expect(failed).toMatchObject({ status: 'rejected', reason: expect.any(StateLimitError) })
    expect(after.status).toBe('fulfilled')
    const { letters } = await store.read.listLetters()
    expect(letters.map((letter) => letter.offset)).toEqual([3, 1])
  })

  test('past the limit of waiting calls the answer is to come later', async () => {
    const calls = Array.from({ length: PENDING_CALL_COUNT_MAX + 5 }, () =>
      store.putSetting('k', '1'),
    )
    const results = await Promise.allSettled(calls)
    const refused = results.filter((result) => result.status === 'rejected')
    expect(refused).toHaveLength(5)
    expect(refused[0]).toMatchObject({ reason: { code: 'STATE_LIMIT', retry: 'later' } })
  })
})

describe('settings, plans, keys', () => {
  test('are kept across a restart', async () => {
    await store.putSetting('a', '{"x":1}')
    await store.putSetting('a', '{"x":2}')
    expect(await store.applyPlan('p', '{"v":1}')).toMatchObject({ version: 1, appliedMs: 1_000 })
    nowMs = 9_000
    expect(await store.applyPlan('p', '{"v":1}')).toMatchObject({ version: 1, appliedMs: 1_000 })
    expect(await store.applyPlan('p', '{"v":2}')).toMatchObject({ version: 2, appliedMs: 9_000 })
    await store.addApiKey({ hash: 'h1', name: 'ci', roles: ['ingest'] })
    await store.addApiKey({ hash: 'h2', name: 'me', roles: ['ingest', 'query'] })
    expect(await store.revokeApiKey('h1')).toBe(true)
    expect(await store.revokeApiKey('h1')).toBe(false)
    await store.close()
    store = await open()
    expect(await store.read.getSetting('a')).toBe('{"x":2}')
    expect(await store.read.getSetting('b')).toBeUndefined()
    expect(await store.read.appliedPlan('p')).toMatchObject({ version: 2, plan: '{"v":2}' })
    expect(await store.read.appliedPlan('q')).toBeUndefined()
    expect(await store.read.apiKeys()).toEqual([
      { hash: 'h1', name: 'ci', roles: ['ingest'], createdMs: 9_000, revokedMs: 9_000 },
      { hash: 'h2', name: 'me', roles: ['ingest', 'query'], createdMs: 9_000, revokedMs: null },
    ])
  })
})

describe('the file', () => {
  test('is readable while the store writes, and only readable', async () => {
    const reader = openStateReader({ path: file })
    await store.record([letterOf()])
    expect((await reader.read.listLetters()).letters).toHaveLength(1)
    await store.record([letterOf({ offset: 1 })])
    const { letters } = await reader.read.listLetters()
    expect(letters).toHaveLength(2)
    await expect(reader.read.showLetter('zzz')).rejects.toThrow(DeadLetterMissingError)
    expect(Object.keys(reader)).toEqual(['read', 'close'])
    reader.close()
  })

  test('of a newer release, or of another program, is left alone', async () => {
    await store.close()
    const newer = new DatabaseSync(file)
    newer.exec('PRAGMA user_version = 99')
    newer.close()
    await expect(open()).rejects.toThrow(StateLayoutError)
    expect(() => openStateReader({ path: file })).toThrow(StateLayoutError)
    const foreign = path.join(folder, 'foreign.sqlite')
    const database = new DatabaseSync(foreign)
    database.exec('CREATE TABLE theirs (a)')
    database.close()
    await expect(openStateStore({ path: foreign })).rejects.toThrow(StateLayoutError)
    const text = path.join(folder, 'text.sqlite')
    writeFileSync(text, 'not a database at all, but long enough to be looked at'.repeat(40))
    await expect(openStateStore({ path: text })).rejects.toThrow(StateUnavailableError)
    expect(() => openStateReader({ path: path.join(folder, 'none') })).toThrow(
      StateUnavailableError,
    )
  })

  test('after closing, calls are refused and earlier ones were answered', async () => {
    const calls = [store.putSetting('a', '1'), store.record([letterOf()])]
    await store.close()
    await Promise.all(calls)
    await expect(store.putSetting('a', '2')).rejects.toThrow(StateUnavailableError)
    await store.close()
  })

  test('keeps everything it said it kept when the process is killed', async () => {
    await store.close()
    for (let round = 0; round < 3; round += 1) {
      const child = spawn(
        process.execPath,
        [path.join(import.meta.dirname, 'record-letters.ts'), file],
        {
          stdio: ['ignore', 'pipe', 'inherit'],
        },
      )
      let said = ''
      child.stdout.on('data', (bytes) => {
        said += bytes
        if (said.split('\n').length > 20) child.kill('SIGKILL')
      })
      await new Promise((resolve) => child.once('close', resolve))
      const durable = Number(said.slice(0, said.lastIndexOf('\n')).split('\n').at(-1))
      expect(durable).toBeGreaterThanOrEqual(20)
      const reader = openStateReader({ path: file })
      const { letters } = await reader.read.listLetters(
        { hop: 'bronze.user_events' },
        { count: 1000 },
      )
      const offsets = new Set(letters.map((letter) => letter.offset))
      for (let offset = 0; offset < 2 * durable; offset += 1) expect(offsets).toContain(offset)
      // A call is whole or absent: letters come in pairs.
      expect(letters.length % 2).toBe(0)
      const gateway = await reader.read.listLetters({ hop: 'gateway' })
      const attempts = gateway.letters.reduce((sum, letter) => sum + letter.attempts, 0)
      expect(gateway.letters).toHaveLength(10)
      expect(await reader.read.rejectedCounts()).toEqual([
        { topic: 'user-events', rejected: attempts },
      ])
      reader.close()
    }
    store = await open()
  })
})
