import { describe, expect, test } from 'vitest'
import {
  itemText,
  type SyncCollection,
  type SyncItem,
  type VersionedItem,
} from '../../src/model/sync.ts'
import type { SyncTarget } from '../../src/serve/sync-target.ts'

// What every target of a sync must do, whatever it keeps its items in. See `SyncTarget` for the words.

export interface SyncTargetSubject {
  readonly name: string
  /** Declared by every target of the suite; items come from `item`. */
  readonly collections: readonly SyncCollection[]
  /** An item of the collection under test, for an entity; another `word` is another content. */
  item(entity: number, word: string): SyncItem
  /** Items that must be there for those to be kept, such as the ends of edges. */
  readonly before?: readonly SyncItem[]
  /** A new handle on one and the same empty store. */
  open(): Promise<SyncTarget>
}

const EVERYTHING = { from: 0, to: Number.MAX_SAFE_INTEGER }
const CURSOR = { tableId: 'table', version: 3, shape: 'shape' }

/** Why the store cannot be had here instead of a subject skips the suite, saying so. */
export function describeSyncTarget(
  name: string,
  subjectOf: () => Promise<SyncTargetSubject | { readonly skip: string }>,
): void {
  describe(`sync target: ${name}`, { timeout: 120_000 }, () => {
    let subject: SyncTargetSubject | undefined
    let target: SyncTarget

    const ready = async (skip: () => never) => {
      if (subject === undefined) {
        const found = await subjectOf()
        if ('skip' in found) {
          console.log(`skipped: ${name}: ${found.skip}`)
          return skip()
        }
        subject = found
      }
      target = await subject.open()
      await target.open()
      await target.clear()
      await target.open()
      await put(subject.before ?? [], 1)
      return subject
    }
    const versioned = (items: readonly SyncItem[], version: number): VersionedItem[] =>
      items.map((item) => ({ item, version }))
    const put = (items: readonly SyncItem[], version: number) =>
      target.write({ puts: versioned(items, version), removes: [] })
    const remove = (items: readonly SyncItem[], version: number) =>
      target.write({ puts: [], removes: versioned(items, version) })
    const held = async (collection: string, range = EVERYTHING) => {
      const found: [string, string, number][] = []
      for await (const { item, version } of target.items(collection, range))
        found.push([item.id, itemText(item), version])
      return found.sort(([a], [b]) => (a < b ? -1 : 1))
    }
    const expected = (items: readonly SyncItem[], version: number) =>
      items
        .map((item): [string, string, number] => [
          item.id,
          itemText(target.asStored(item)),
          version,
        ])
        .sort(([a], [b]) => (a < b ? -1 : 1))

    test('gives back what was put, equal to the last character', async ({ skip }) => {
      const { item } = await ready(skip)
      const items = [
        item(1, 'plain'),
        item(2, `quotes ' " \` \\ and ünïcödé 漢字 🎬\nlines\ttabs`),
        item(3, ''),
      ]
      await put(items, 5)
      expect(await held(items[0]!.collection)).toEqual(expected(items, 5))
    })

    test('writing the same twice leaves the same', async ({ skip }) => {
      const { item } = await ready(skip)
      const items = [item(1, 'one'), item(2, 'two')]
      await put(items, 5)
      await put(items, 5)
      expect(await held(items[0]!.collection)).toEqual(expected(items, 5))
      await remove([items[0]!], 6)
      await remove([items[0]!], 6)
      expect(await held(items[0]!.collection)).toEqual(expected([items[1]!], 5))
    })

    test('a newer item replaces an older one, and an older one does not come back', async ({
      skip,
    }) => {
      const { item } = await ready(skip)
      await put([item(1, 'old')], 5)
      await put([item(1, 'new')], 7)
      await put([item(1, 'old')], 6)
      expect(await held(item(1, '').collection)).toEqual(expected([item(1, 'new')], 7))
    })

    test('an old removal does not take a newer item away', async ({ skip }) => {
      const { item } = await ready(skip)
      await put([item(1, 'old')], 5)
      await put([item(1, 'new')], 7)
      await remove([item(1, 'old')], 6)
      expect(await held(item(1, '').collection)).toEqual(expected([item(1, 'new')], 7))
      await remove([item(1, 'new')], 7)
      expect(await held(item(1, '').collection)).toEqual([])
    })

    test('a range holds its entities and no others', async ({ skip }) => {
      const { item } = await ready(skip)
      const items = [10, 11, 12].map((entity) => item(entity, 'x'))
      await put(items, 1)
      const range = { from: 11, to: 12 }
      expect(await held(items[0]!.collection, range)).toEqual(expected([items[1]!], 1))
    })

    test('many items in one batch', async ({ skip }) => {
      const { item } = await ready(skip)
      const items = Array.from({ length: 300 }, (_, index) => item(100 + index, `n${index}`))
      await put(items, 2)
      expect(await held(items[0]!.collection)).toEqual(expected(items, 2))
      await target.write({
        puts: versioned([item(100, 'again')], 3),
        removes: versioned(items.slice(1), 3),
      })
      expect(await held(items[0]!.collection)).toEqual(expected([item(100, 'again')], 3))
    })

    test('many items change and go in one batch, each by its own version', async ({ skip }) => {
      const { item } = await ready(skip)
      const old = Array.from({ length: 60 }, (_, index) => item(100 + index, `n${index}`))
      await target.write({
        puts: old.map((each, index) => ({ item: each, version: 10 + (index % 3) })),
        removes: [],
      })
      const changed = old.slice(0, 30).map((_, index) => item(100 + index, `changed ${index}`))
      const by = (index: number) => 9 + ((index * 7) % 5)
      await target.write({
        puts: changed.map((each, index) => ({ item: each, version: by(index) })),
        removes: old.slice(30).map((each, index) => ({ item: each, version: by(30 + index) })),
      })
      const left = old.flatMap((each, index) => {
        const version = 10 + (index % 3)
        if (version > by(index)) return expected([each], version)
        return index < 30 ? expected([changed[index]!], by(index)) : []
      })
      expect(await held(old[0]!.collection)).toEqual(left)
    })

    test('cursors are kept for each table, and seen by the next handle', async ({ skip }) => {
      const { open } = await ready(skip)
      expect(await target.cursor('silver.a')).toBeUndefined()
      await target.saveCursor('silver.a', { ...CURSOR, pending: 9 })
      await target.saveCursor('silver.b', { ...CURSOR, version: 1 })
      await target.saveCursor('silver.a', CURSOR)
      const other = await open()
      await other.open()
      expect(await other.cursor('silver.a')).toEqual(CURSOR)
      expect(await other.cursor('silver.b')).toEqual({ ...CURSOR, version: 1 })
      await other.close()
    })

    test('clear forgets items and cursors', async ({ skip }) => {
      const { item } = await ready(skip)
      await put([item(1, 'x')], 1)
      await target.saveCursor('silver.a', CURSOR)
      await target.clear()
      await target.open()
      expect(await held(item(1, '').collection)).toEqual([])
      expect(await target.cursor('silver.a')).toBeUndefined()
    })
  })
}
