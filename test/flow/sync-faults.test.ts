import { fork } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { hashedNgrams } from '../../src/enrich/embedding/hashed-ngrams.ts'
import { loadChdb } from '../../src/serve/clickhouse/embedded.ts'
import { SinkUnavailableError } from '../../src/serve/errors.ts'
import type { StoredItem, SyncTarget } from '../../src/serve/sync-target.ts'
import { type PineconeStandIn, startPinecone } from '../serve/sync/pinecone-stand-in.ts'
import {
  CatalogLake,
  type CatalogRow,
  film,
  gone,
  openTarget,
  PINECONE_KEY,
  personRow,
  STORES,
  type Store,
} from './catalog-lake.ts'

// Every fault at every target: away, slow, half a batch, stopped before or after a cursor moved, killed between and within. Afterwards the target equals
// silver, by what `mekong sync check` asks, and the others never noticed.

const SEED = Number(process.env.MEKONG_SEED ?? 20261120)
const FAULTS = ['away', 'slow', 'half a batch', 'before the cursor', 'after the intent'] as const
type Fault = (typeof FAULTS)[number]

/** By so much an answer comes too late. */
const SLOW_MS = 200

/** A target that fails once, in a certain way. */
function failing(target: SyncTarget, fault: Fault): SyncTarget {
  let armed = true
  /** What is still on its way when its caller has stopped waiting; it lands before the store takes anything else. */
  let late: Promise<unknown> = Promise.resolve()
  const fail = () => {
    armed = false
    return new SinkUnavailableError(`The store is away (${fault}).`)
  }
  return {
    ...target,
    async open(signal) {
      await late
      await target.open(signal)
    },
    async write(batch, signal) {
      if (armed && fault === 'slow') {
        late = setTimeout(SLOW_MS).then(() => target.write(batch))
        throw fail()
      }
      if (armed && fault === 'away') throw fail()
      if (armed && fault === 'half a batch') {
        const half = Math.ceil(batch.puts.length / 2)
        await target.write({ puts: batch.puts.slice(0, half), removes: batch.removes }, signal)
        throw fail()
      }
      return target.write(batch, signal)
    },
    async saveCursor(table, cursor) {
      if (armed && fault === 'before the cursor' && cursor.pending === undefined) throw fail()
      await target.saveCursor(table, cursor)
      if (armed && fault === 'after the intent' && cursor.pending !== undefined) throw fail()
    },
  }
}

describe.each([...STORES, 'pinecone'] as const)(
  'faults at %s',
  { timeout: 240_000 },
  (store: Store) => {
    let home: string
    let pinecone: PineconeStandIn
    beforeEach(async () => {
      home = mkdtempSync(path.join(tmpdir(), 'mekong-sync-faults-'))
      pinecone = await startPinecone(hashedNgrams.dimensions, PINECONE_KEY)
      // Seen by the processes that are killed, too.
      process.env.PINECONE_STAND_IN = pinecone.url
    })
    afterEach(async () => {
      await pinecone.close()
      rmSync(home, { recursive: true, force: true, maxRetries: 5 })
    })

    test('the target equals silver after each of them', async ({ skip }) => {
      if (store === 'clickhouse' && (await loadChdb()) === undefined) skip('chdb is not installed')
      console.log(`seed ${SEED} (MEKONG_SEED)`)
      const random = randomFrom(SEED)
      const lake = await CatalogLake.open(home)
      const { target, close } = await openTarget(home, store)
      try {
        await lake.record(
          [1, 2, 3, 4, 5].map((id) => personRow(id)),
          0,
        )
        for (const [round, fault] of FAULTS.entries()) {
          await lake.record(someRows(random, round), 2 * round + 1)
          const faulty = failing(target, fault)
          await expect(lake.sync(store, faulty)).rejects.toThrow(SinkUnavailableError)
          // Something comes and goes while the target is behind: it must not stay.
          await lake.record([film(7, 'came', [1, 2]), ...someRows(random, round)], 2 * round + 2)
          await lake.record([gone('movie', 7)], 2 * round + 2)
          await lake.sync(store, faulty)
          expect(await lake.differences(store, target)).toEqual([])
        }
        expect((await lake.sync(store, target)).sent).toBe(0)
      } finally {
        await close()
        lake.close()
      }
    })

    test('killed between write and cursor, it goes on as if nothing had happened', async ({
      skip,
    }) => {
      if (store === 'clickhouse' && (await loadChdb()) === undefined) skip('chdb is not installed')
      const lake = await CatalogLake.open(home)
      try {
        await lake.record([personRow(1), personRow(2), film(1, 'one', [1, 2])], 1)
        expect(await killedSync(home, store, 'cursor')).toBe('SIGKILL')
        await lake.record([film(1, 'two', [2]), film(2, 'new', [1])], 2)
        const { target, close } = await openTarget(home, store)
        await lake.sync(store, target)
        expect(await lake.differences(store, target)).toEqual([])
        await close()
      } finally {
        lake.close()
      }
    })

    test('killed between two halves of a batch, it goes on as if nothing had happened', async ({
      skip,
    }) => {
      if (store === 'clickhouse' && (await loadChdb()) === undefined) skip('chdb is not installed')
      const lake = await CatalogLake.open(home)
      try {
        const people = [1, 2, 3].map((id) => personRow(id))
        const films = [1, 2, 3, 4].map((id) => film(id, 'one', [1, 2, 3]))
        await lake.record([...people, ...films], 1)
        expect(await killedSync(home, store, 'never')).toBeNull()
        // Titles and credits go, come and change in one batch, of which a half arrives.
        await lake.record(
          [film(1, 'two', [2]), gone('movie', 2), gone('movie', 3), film(5, 'new', [1, 3])],
          2,
        )
        expect(await killedSync(home, store, 'half')).toBe('SIGKILL')
        await lake.record([film(3, 'back', [3]), gone('movie', 5)], 3)
        const { target, close } = await openTarget(home, store)
        expect((await lake.differences(store, target)).length).toBeGreaterThan(0)
        await lake.sync(store, target)
        expect(await lake.differences(store, target)).toEqual([])
        await close()
      } finally {
        lake.close()
      }
    })

    test('repair mends what somebody else broke', async ({ skip }) => {
      if (store === 'clickhouse' && (await loadChdb()) === undefined) skip('chdb is not installed')
      const lake = await CatalogLake.open(home)
      const { target, close } = await openTarget(home, store)
      try {
        await lake.record(
          [personRow(1), personRow(2), film(1, 'one', [1, 2]), film(2, 'x', [1])],
          1,
        )
        await lake.sync(store, target)
        const vectors = 'movie_namespace'
        const collection = { clickhouse: 'movie', graph: 'Movie', vectors, pinecone: vectors }[
          store
        ]
        const everything = { from: 0, to: Number.MAX_SAFE_INTEGER }
        const items: StoredItem[] = []
        for await (const item of target.items(collection, everything)) items.push(item)
        const [lost, changed] = items
        await target.write({
          puts: [
            {
              ...changed!,
              item: { ...changed!.item, values: { ...changed!.item.values, title: 'Wrong' } },
            },
          ],
          removes: [lost!],
        })
        expect((await lake.differences(store, target)).length).toBeGreaterThan(0)
        await lake.repair(store, target)
        expect(await lake.differences(store, target)).toEqual([])
      } finally {
        await close()
        lake.close()
      }
    })
  },
)

/** Films that appear, change and go, with casts that do. */
function someRows(random: () => number, round: number): CatalogRow[] {
  const rows = new Map<string, CatalogRow>()
  for (let index = 0; index < 8; index += 1) {
    const id = 10 + Math.floor(random() * 12)
    const people = [1, 2, 3, 4, 5, 6].filter(() => random() < 0.5)
    const row =
      random() < 0.2 ? gone('movie', id) : film(id, `round ${round} ${random() < 0.5}`, people)
    rows.set(`movie ${id}`, row)
  }
  const person = 1 + Math.floor(random() * 6)
  const row = random() < 0.3 ? gone('person', person) : personRow(person, `Person ${round}`)
  rows.set(`person ${person}`, row)
  return [...rows.values()]
}

function killedSync(
  home: string,
  store: Store,
  moment: 'half' | 'cursor' | 'never',
): Promise<NodeJS.Signals | null> {
  const child = fork(path.join(import.meta.dirname, 'killed-sync.ts'), [home, store, moment], {
    stdio: 'inherit',
  })
  return new Promise((resolve) => child.once('exit', (_code, signal) => resolve(signal)))
}

function randomFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}
