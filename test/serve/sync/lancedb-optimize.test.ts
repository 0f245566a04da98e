import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type LanceStore, openLance } from '../../../src/serve/lancedb/client.ts'
import { OPTIMIZE_DEFAULTS } from '../../../src/serve/lancedb/optimize.ts'
import { lanceSyncTarget } from '../../../src/serve/lancedb/sync-target.ts'
import type { SyncTarget } from '../../../src/serve/sync-target.ts'
import { embedder, VECTORS, vectorItem } from './subjects.ts'

// Rows wait outside the text index until there are enough of them. A search must not notice.

const ROW_COUNT = 1_000
const CURSOR = { tableId: 'table', shape: 'shape' }

let folder: string
let store: LanceStore
let target: SyncTarget
beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'mekong-lance-optimize-'))
  await reopen()
  await run({ put: numbers(0, ROW_COUNT), word: 'forest' }, 1)
})
afterEach(() => {
  store.close()
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
})

async function reopen() {
  store = await openLance({ folder }, [VECTORS])
  target = lanceSyncTarget({
    ...{ connect: async () => store, consumer: 'suite/vectors', embedder, collections: [VECTORS] },
  })
  await target.open()
}

const numbers = (from: number, count: number) => Array.from({ length: count }, (_, i) => from + i)

/** One run of a sync. */
async function run(
  {
    put = [],
    word = '',
    remove = [],
  }: Partial<Record<'put' | 'remove', number[]>> & { word?: string },
  version: number,
) {
  const items = (entities: number[]) =>
    entities.map((entity) => ({ item: vectorItem(entity, word), version }))
  await target.write({ puts: items(put), removes: items(remove) })
  await target.saveCursor('silver.movies', { ...CURSOR, version })
}

async function state() {
  const table = await store.table(VECTORS, embedder.dimensions)
  const [text] = await table.listIndices()
  const unindexed = (await table.indexStats(text!.name))!.numUnindexedRows
  return { unindexed, version: await table.version() }
}

const question = { collection: VECTORS.name, filter: {}, limit: 2 * ROW_COUNT }
const matching = async (text: string) =>
  (await store.matching!({ ...question, text })).map(({ id }) => Number(id)).sort((a, b) => a - b)
async function nearest(text: string) {
  const { vectors } = await embedder.embed([text], 'query')
  return Number((await store.nearest({ ...question, vector: vectors[0]!, limit: 1 }))[0]!.id)
}

test('after the first fill all rows are in the index', async () => {
  expect((await state()).unindexed).toBe(0)
  expect(await matching('forest')).toHaveLength(ROW_COUNT)
})

test('a small change stays outside the index, and is found; what it replaced is not', async () => {
  await run({ put: numbers(100, 10), word: 'zeppelin' }, 2)
  await run({ put: numbers(ROW_COUNT, 2), word: 'zeppelin' }, 3)
  await run({ put: numbers(105, 1), word: 'walrus', remove: [100, 500] }, 4)
  expect((await state()).unindexed).toBeGreaterThan(0)
  for (const isReopened of [false, true]) {
    if (isReopened) {
      store.close()
      await reopen()
    }
    const zeppelins = [101, 102, 103, 104, 106, 107, 108, 109, ROW_COUNT, ROW_COUNT + 1]
    expect(await matching('zeppelin')).toEqual(zeppelins)
    expect(await matching('walrus')).toEqual([105])
    const forest = numbers(0, ROW_COUNT).filter((id) => (id < 100 || id > 109) && id !== 500)
    expect(await matching('forest')).toEqual(forest)
    expect(await nearest('Film 105 | walrus')).toBe(105)
  }
})

test('many changed rows are taken into the index, by one run or by several', async () => {
  await run({ put: numbers(0, ROW_COUNT / 20), word: 'zeppelin' }, 2)
  expect((await state()).unindexed).toBe(ROW_COUNT / 20)
  await run({ put: numbers(200, ROW_COUNT / 10), word: 'zeppelin' }, 3)
  expect((await state()).unindexed).toBe(0)
  expect(await matching('zeppelin')).toHaveLength(ROW_COUNT / 20 + ROW_COUNT / 10)
})

test('many small runs are packed in the end, whatever they did', async () => {
  const bound = OPTIMIZE_DEFAULTS.commitCountMax
  await run({ put: [1], word: 'zeppelin' }, 2)
  const before = await state()
  expect(before.unindexed).toBe(1)
  for (const entity of numbers(100, bound)) await run({ remove: [entity] }, entity)
  const after = await state()
  expect(after.unindexed).toBe(0)
  expect(after.version - before.version).toBeGreaterThan(bound)
  expect(await matching('forest')).toHaveLength(ROW_COUNT - 1 - bound)
})

test('a collection that got nothing is left alone', async () => {
  const before = await state()
  for (const version of numbers(2, 3)) await run({}, version)
  expect(await state()).toEqual(before)
})
