import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { DocumentChange, DocumentStore } from '../../src/serve/document-store.ts'

// What every store of documents must do, embedded or real. Each run has collections of its own.

export interface DocumentStoreUnderTest {
  readonly store: DocumentStore
  close(): Promise<void>
}

const text = (fields: object) => JSON.stringify(fields)
const change = (id: string, version: number, fields: object | null): DocumentChange => ({
  ...{ id, version, document: fields === null ? null : text(fields) },
})
async function* oneBatch(...changes: DocumentChange[]) {
  yield changes
}

export function describeDocumentStore(
  name: string,
  open: () => Promise<DocumentStoreUnderTest | undefined>,
): void {
  describe(`documents in ${name}`, { timeout: 120_000 }, () => {
    const run = `t${Date.now()}`
    const orders = { name: `${run}_orders`, indexes: [['customer', 'at']] }
    const list = { name: `${run}_list`, indexes: [] }
    const collection = orders.name
    let held: DocumentStoreUnderTest | undefined
    beforeAll(async () => {
      held = await open()
      await held?.store.open([orders, list])
    }, 300_000)
    afterAll(() => held?.close())
    const it = (what: string, work: (store: DocumentStore) => Promise<void>) =>
      test(what, async (context) => {
        if (held === undefined) return context.skip()
        await work(held.store)
      })
    const all = (store: DocumentStore) => store.find({ collection, limit: 100 })

    it('documents arrive with the cursor, and the same again changes nothing', async (store) => {
      expect(await store.cursor(run)).toBe(-1)
      const changes = () =>
        oneBatch(change('a', 3, { customer: 1, at: 5 }), change('b', 3, { customer: 2, at: 6 }))
      await store.take(run, changes(), { collection, version: 3 })
      await store.take(run, changes(), { collection, version: 3 })
      expect(await all(store)).toEqual([
        { _id: 'a', customer: 1, at: 5 },
        { _id: 'b', customer: 2, at: 6 },
      ])
      expect([await store.cursor(run), await store.count(collection)]).toEqual([3, 2])
    })

    it("an older version never takes a newer one's place, also beside new documents", async (store) => {
      await store.take(run, oneBatch(change('a', 5, { customer: 1, at: 50 })), {
        collection,
        version: 5,
      })
      const late = oneBatch(
        change('a', 4, { customer: 1, at: 40 }),
        change('c', 4, { customer: 1, at: 7 }),
      )
      await store.take(run, late, { collection, version: 4 })
      expect(await all(store)).toEqual([
        { _id: 'a', customer: 1, at: 50 },
        { _id: 'b', customer: 2, at: 6 },
        { _id: 'c', customer: 1, at: 7 },
      ])
      expect(await store.cursor(run)).toBe(5)
    })

    it('documents that are gone are gone', async (store) => {
      const gone = oneBatch(change('b', 6, null), change('a', 2, null))
      await store.take(run, gone, { collection, version: 6 })
      expect((await all(store)).map(({ _id }) => _id)).toEqual(['a', 'c'])
    })

    it('documents are found by fields, in order, a page at a time', async (store) => {
      const where = { customer: 1 }
      const orderBy = { field: 'at', descending: true }
      const ids = async (limit: number, skip = 0) =>
        (await store.find({ collection, where, orderBy, limit, skip })).map(({ _id }) => _id)
      expect([await ids(10), await ids(1), await ids(1, 1)]).toEqual([['a', 'c'], ['a'], ['c']])
      expect(await store.find({ collection, where: { customer: 99 }, limit: 5 })).toEqual([])
    })

    it('a collection that nothing was put into is empty', async (store) => {
      const missing = `${run}_nothing`
      expect(await store.find({ collection: missing, limit: 5 })).toEqual([])
      expect(await store.count(missing)).toBe(0)
    })

    it('a collection is replaced at once, also by nothing; readers see one of both', async (store) => {
      const documents = (count: number, generation: number) =>
        Array.from({ length: count }, (_, index) => ({
          ...{ id: String(index).padStart(5, '0'), document: text({ generation }) },
        }))
      await store.replace(list, documents(300, 1), 1)
      let reading = true
      const seen = new Set<string>()
      const reader = (async () => {
        while (reading) {
          const found = await store.find({ collection: list.name, limit: 1_000 })
          seen.add(`${found.length} of ${[...new Set(found.map((d) => d.generation))].join('+')}`)
        }
      })()
      await store.replace(list, documents(400, 2), 2).finally(() => {
        reading = false
      })
      await reader
      expect([...seen].filter((look) => !['300 of 1', '400 of 2'].includes(look))).toEqual([])
      await store.replace(list, documents(1, 1), 1)
      expect(await store.count(list.name)).toBe(400)
      await store.replace(list, [], 3)
      expect(await store.count(list.name)).toBe(0)
    })
  })
}
