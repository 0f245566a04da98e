import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { collector } from '../../pipelines/catalog/collector.ts'
import { Checkpoint } from '../../src/collect/checkpoint.ts'
import { type CollectReport, collect, type Delivered } from '../../src/collect/collect-run.ts'
import {
  CollectorBusyError,
  SourceAwayError,
  SourceRefusedError,
} from '../../src/collect/errors.ts'
import { type SourceLimits, sourceClient } from '../../src/collect/source-client.ts'
import type { CollectedEvent, CollectRequest } from '../../src/model/collect.ts'
import {
  ACCESS_TOKEN,
  API_KEY,
  dayOf,
  someMovie,
  startTmdb,
  type TmdbServer,
  variablesOf,
} from './tmdb-server.ts'

// The collector of the catalog against a server that behaves as TMDB does, and misbehaves as servers do.

const NOW_MS = Date.now()
let folder: string
let tmdb: TmdbServer

beforeEach(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'mekong-collect-'))
  tmdb = await startTmdb()
})
afterEach(async () => {
  await tmdb.close()
  rmSync(folder, { recursive: true, force: true })
})

const fillMovies = (count: number) => {
  for (let id = 1; id <= count; id += 1) tmdb.has.movie.set(id, someMovie(id))
}

interface Wish extends Partial<CollectRequest> {
  readonly itemCountMax?: number
  readonly outFolder?: string
  readonly limits?: Partial<SourceLimits>
  readonly variables?: Record<string, string>
  readonly requestsPerSecond?: number
  readonly deliver?: (events: readonly CollectedEvent[]) => Promise<Delivered>
  readonly signal?: AbortSignal
}

let sent: CollectedEvent[] = []
const keep = async (events: readonly CollectedEvent[]) => {
  sent.push(...events)
  return { accepted: events.length, duplicates: 0, rejected: 0 }
}

/** One run, with a checkpoint that lasts from run to run. */
async function run(wish: Wish = {}): Promise<CollectReport> {
  const { itemCountMax, outFolder, limits, variables, deliver = keep, ...more } = wish
  const checkpoint = new Checkpoint(path.join(folder, 'catalog.sqlite'))
  const signal = wish.signal ?? new AbortController().signal
  sent = []
  try {
    return await collect({
      collector: collector.open(variables ?? variablesOf(tmdb)),
      request: { types: ['movie'], way: 'all', ids: [], nowMs: Date.now(), ...more },
      source: sourceClient({
        requestsPerSecond: wish.requestsPerSecond ?? 1_000,
        signal,
        limits: { waitMsMin: 10, waitMsMax: 20, answerMsMax: 1_000, ...limits },
      }),
      ...{ checkpoint, requestsAtOnce: 4, itemCountMax, outFolder, signal, deliver },
    })
  } finally {
    checkpoint.close()
  }
}

const idsSent = () => sent.map(({ event }) => event.movie_id).sort((a, b) => Number(a) - Number(b))
const details = () => tmdb.asked.filter((each) => /^\/3\/movie\/\d/.test(each))

describe('what is collected', () => {
  test('everything of the newest export, most popular first, each in the shape that records have', async () => {
    fillMovies(5)
    const report = await run({ itemCountMax: 2 })
    expect(report).toMatchObject({ listed: 5, fetched: 2, accepted: 2, left: 3 })
    expect(idsSent()).toEqual([4, 5])
    expect(sent.find(({ event }) => event.movie_id === 5)).toMatchObject({
      path: '/catalog/movies',
      event: {
        ...{ data_type: 'movie', data_label: 'old', movie_id: 5 },
        movie_detail: { id: 5, title: 'Film 5' },
        casts_info: [{ person_id: 7, cast_id: 1, character: 'Hero', credit_id: 'c5' }],
        crews_info: [{ person_id: 8, department: 'Directing', job: 'Director', credit_id: 'w5' }],
      },
    })
    expect(details()[0]).toContain('append_to_response=credits%2Cvideos%2Cimages')
  })

  test('the next run fetches what is left and nothing else, and then only what is new', async () => {
    fillMovies(5)
    await run({ itemCountMax: 2 })
    expect(await run()).toMatchObject({ fetched: 3, left: 0 })
    expect(idsSent()).toEqual([1, 2, 3])
    fillMovies(6)
    const tomorrow = Date.now() + 86_400_000
    expect(await run({ nowMs: tomorrow })).toMatchObject({ listed: 1, fetched: 1 })
    expect(sent[0]!.event).toMatchObject({ movie_id: 6, data_label: 'new' })
    expect(details()).toHaveLength(6)
  })

  test('changes over more than fourteen days and many pages; what is as it was is not sent again, what is gone is a deletion', async () => {
    fillMovies(30)
    await run()
    const daysAgo = (days: number) => dayOf(NOW_MS - days * 86_400_000)
    tmdb.changed.movie.set(daysAgo(20), [1, 2, 3, 4, 5])
    tmdb.changed.movie.set(daysAgo(3), [3, 6, 7, 31])
    tmdb.changed.movie.set(daysAgo(40), [9])
    tmdb.pageSize = 2
    tmdb.has.movie.set(3, someMovie(3, { title: 'Film 3, recut' }))
    tmdb.has.movie.delete(6)
    tmdb.has.movie.set(31, someMovie(31))
    const report = await run({ way: 'changes', since: daysAgo(21) })
    expect(report).toMatchObject({ listed: 8, fetched: 8, unchanged: 5, gone: 1, accepted: 3 })
    expect(sent.map(({ event }) => [event.movie_id, event.data_label]).sort()).toEqual(
      [
        [3, 'change'],
        [6, 'delete'],
        [31, 'new'],
      ].sort(),
    )
    const again = await run({ way: 'changes' })
    expect(again).toMatchObject({ listed: 0, accepted: 0 })
    expect(tmdb.asked.at(-1)).toContain(`start_date=${daysAgo(0)}`)
  })

  test('named ids, of any type, also twice', async () => {
    tmdb.has.person.set(31, { id: 31, name: 'Tom Hanks' })
    const ids = { types: ['person'], way: 'ids', ids: ['31', '32'] } as const
    expect(await run(ids)).toMatchObject({ fetched: 2, gone: 1, accepted: 2 })
    expect(sent.map(({ path: door }) => door)).toEqual(['/catalog/people', '/catalog/people'])
    expect(await run(ids)).toMatchObject({ fetched: 2, unchanged: 2, accepted: 0 })
  })

  test('JSON lines that load again, one file for each type and run', async () => {
    fillMovies(300)
    const { files } = await run({ outFolder: folder, itemCountMax: 250 })
    const lines = readFileSync(files[0]!, 'utf8').trim().split('\n')
    expect(lines).toHaveLength(250)
    expect(JSON.parse(lines[0]!)).toMatchObject({
      data_type: 'movie',
      record_id: expect.any(String),
    })
    expect(path.basename(files[0]!)).toMatch(/^movie-\d{8}T\d{9}Z\.jsonl$/)
  })
})

describe('a source that misbehaves', () => {
  test('is asked again when it is busy, wrong, cut off or broken, and everything arrives once', async () => {
    fillMovies(40)
    const ways = [
      'too_many_requests',
      'error',
      'broken_json',
      'half_an_answer',
      'hangs_up',
    ] as const
    tmdb.behave = (asked, call) => {
      const id = Number(/\/movie\/(\d+)/.exec(asked)?.[1] ?? 0)
      return call <= 2 && id > 0 ? ways[(id + call) % ways.length]! : 'right'
    }
    const report = await run()
    expect(report).toMatchObject({ fetched: 40, failed: 0, accepted: 40, left: 0 })
    expect(idsSent()).toEqual(Array.from({ length: 40 }, (_, index) => index + 1))
    expect(details()).toHaveLength(120)
  })

  test('is left in peace by all for as long as Retry-After says, in seconds or as a date', async () => {
    fillMovies(8)
    tmdb.retryAfter = '1'
    let busyMs = 0
    const early: number[] = []
    tmdb.behave = (asked) => {
      if (!asked.startsWith('/3/')) return 'right'
      const nowMs = performance.now()
      if (busyMs === 0) {
        busyMs = nowMs
        return 'too_many_requests'
      }
      // What was on its way already may still come.
      if (nowMs - busyMs > 100 && nowMs - busyMs < 900) early.push(nowMs - busyMs)
      return 'right'
    }
    expect(await run({ requestsPerSecond: 50 })).toMatchObject({ fetched: 8, failed: 0 })
    expect(performance.now() - busyMs).toBeGreaterThan(900)
    expect(early).toEqual([])
    tmdb.has.movie.set(9, someMovie(9))
    tmdb.retryAfter = new Date(Date.now() + 1_500).toUTCString()
    busyMs = 0
    expect(await run({ way: 'ids', ids: ['9'] })).toMatchObject({ fetched: 1, failed: 0 })
  })

  test('is not asked faster than its rate', async () => {
    fillMovies(20)
    const startMs = performance.now()
    await run({ requestsPerSecond: 20 })
    expect(performance.now() - startMs).toBeGreaterThan(900)
  })

  test('one item that cannot be had holds up no other, and is tried again in the next run', async () => {
    fillMovies(10)
    tmdb.behave = (asked) => (asked.includes('/movie/7?') ? 'error' : 'right')
    const report = await run({ limits: { attemptCountMax: 2 } })
    expect(report).toMatchObject({ fetched: 9, failed: 1, left: 1 })
    expect(report.failures[0]).toMatchObject({ type: 'movie', key: '7' })
    tmdb.behave = () => 'right'
    expect(await run()).toMatchObject({ fetched: 1, failed: 0, left: 0 })
  })

  test('that is away altogether ends the run; the next one goes on', async () => {
    fillMovies(50)
    tmdb.behave = (asked) =>
      asked.startsWith('/3/') && details().length > 20 ? 'never_answers' : 'right'
    const away = run({ limits: { attemptCountMax: 2, answerMsMax: 100 } })
    await expect(away).rejects.toBeInstanceOf(SourceAwayError)
    const had = sent.length
    expect(had).toBeGreaterThan(10)
    tmdb.behave = () => 'right'
    expect(await run()).toMatchObject({ fetched: 50 - had, left: 0 })
  })

  test('that refuses the key ends the run at once, and no message shows the key', async () => {
    fillMovies(50)
    const wrong = { ...variablesOf(tmdb), TMDB_API_KEY: 'f'.repeat(32) }
    const error = await run({ variables: wrong }).catch((each: unknown) => each)
    expect(error).toBeInstanceOf(SourceRefusedError)
    expect(String(error)).toContain('401')
    expect(String(error)).not.toContain('ffff')
    expect(details().length).toBeLessThan(10)
    const token = { ...variablesOf(tmdb), TMDB_API_KEY: ACCESS_TOKEN }
    expect(await run({ variables: token })).toMatchObject({ fetched: 50 })
    expect(tmdb.asked.join()).not.toContain(API_KEY)
  })

  test('an export that is cut off lists nothing, and is read again by the next run', async () => {
    fillMovies(10)
    const whole = tmdb.has.movie
    tmdb.behave = (asked) => (asked.startsWith('/exports') ? 'broken_json' : 'right')
    await expect(run()).rejects.toThrow()
    tmdb.behave = () => 'right'
    expect(await run()).toMatchObject({ listed: whole.size, fetched: 10 })
  })
})

describe('a run that ends in the middle', () => {
  test('has lost nothing that was fetched: it is sent first, under the same names, and not fetched again', async () => {
    fillMovies(60)
    const first: CollectedEvent[] = []
    const deliver = async (events: readonly CollectedEvent[]) => {
      if (first.length > 5) throw new Error('the front door has gone')
      first.push(...events)
      return { accepted: events.length, duplicates: 0, rejected: 0 }
    }
    await expect(run({ deliver, outFolder: folder })).rejects.toThrow('front door')
    const fetchedBefore = details().length
    const report = await run({ outFolder: folder })
    expect(report.left).toBe(0)
    const names = [...first, ...sent].map(({ event }) => event.record_id)
    expect(new Set(names).size).toBe(60)
    expect(names).toHaveLength(60)
    // Those whose answers were on their way when the run ended are asked for again.
    expect(details().length).toBeLessThanOrEqual(60 + 8)
    expect(fetchedBefore).toBeGreaterThan(first.length)
    const written = readdirSync(folder)
      .filter((name) => name.endsWith('.jsonl'))
      .flatMap((name) => readFileSync(path.join(folder, name), 'utf8').trim().split('\n'))
      .map((line) => JSON.parse(line).record_id)
    expect(written.sort()).toEqual(names.sort())
  })

  test('two at once on one checkpoint are one too many', async () => {
    fillMovies(3)
    const checkpoint = new Checkpoint(path.join(folder, 'catalog.sqlite'))
    await expect(run()).rejects.toBeInstanceOf(CollectorBusyError)
    checkpoint.close()
    expect(await run()).toMatchObject({ fetched: 3 })
  })

  test('Ctrl+C keeps what was fetched', async () => {
    fillMovies(50)
    const stop = new AbortController()
    tmdb.behave = () => {
      if (details().length > 20) stop.abort(new Error('interrupted'))
      return 'right'
    }
    await expect(run({ signal: stop.signal })).rejects.toThrow('interrupted')
    const had = new Set(sent.map(({ event }) => event.record_id)).size
    tmdb.behave = () => 'right'
    const report = await run()
    expect(report.left).toBe(0)
    expect(had + sent.length).toBe(50)
  })
})
