import { assert } from '../../model/errors.ts'
import type { SyncCursor, VectorsCollection, VersionedItem } from '../../model/sync.ts'
import type { SyncTarget } from '../sync-target.ts'
import type { EmbedPort } from '../vector-store.ts'
import type { LanceStore } from './client.ts'
import {
  lanceRow,
  lanceSchema,
  metadataColumns,
  OWN_COLUMNS,
  quoted,
  valuesAsStored,
  valuesOf,
} from './encode.ts'
import { optimizeByNeed } from './optimize.ts'
import type { LanceTable } from './package.ts'

export interface LanceTargetOptions {
  /** The store, which others use as well; closing the target leaves it open. */
  readonly connect: () => Promise<LanceStore>
  readonly consumer: string
  readonly collections: readonly VectorsCollection[]
  readonly embedder: EmbedPort
}

const NOT_NEWER = 'target.batch_version <= source.batch_version'

/** Tables of vectors that follow lake tables. Texts are embedded as they are written. */
export function lanceSyncTarget(options: LanceTargetOptions): SyncTarget {
  const { consumer, collections, embedder } = options
  let store: LanceStore | undefined
  /** Tables written to since they were last looked at for optimising, each with its version before. */
  const written = new Map<LanceTable, number>()
  const at = () => {
    assert(store !== undefined, 'a target is opened before it is used')
    return store
  }
  const collection = (name: string) => collections.find((each) => each.name === name)!
  const tableOf = (name: string) => at().table(collection(name), embedder.dimensions)
  const toWrite = async (opening: Promise<LanceTable>) => {
    const table = await opening
    if (!written.has(table)) written.set(table, await table.version())
    return table
  }

  const put = async (name: string, items: readonly VersionedItem[], signal?: AbortSignal) => {
    const of = collection(name)
    const texts = items.map(({ item }) => item.text ?? '')
    const { vectors, computed } = await embedder.embed(texts, 'passage', signal)
    const rows = items.map(({ item, version }, index) =>
      lanceRow(of, item, version, vectors[index]!),
    )
    const { lance, arrow } = at()
    const schema = lanceSchema(arrow, of, embedder.dimensions)
    const table = await toWrite(tableOf(name))
    await table
      .mergeInsert('id')
      .whenMatchedUpdateAll({ where: NOT_NEWER })
      .whenNotMatchedInsertAll()
      .execute(lance.makeArrowTable(rows, { schema }))
    return computed
  }

  return {
    async open() {
      store ??= await options.connect()
    },

    async cursor(table) {
      const notes = await at().notes()
      const where = `name = ${quoted(`${consumer}/${table}`)}`
      const [row] = await notes.query().where(where).toArray()
      return row === undefined ? undefined : (JSON.parse(String(row.note)) as SyncCursor)
    },

    async saveCursor(table, cursor) {
      const row = { name: `${consumer}/${table}`, note: JSON.stringify(cursor) }
      const notes = await toWrite(at().notes())
      const { arrow, lance } = at()
      const { Schema, Field, Utf8 } = arrow
      const fields = ['name', 'note'].map((name) => new Field(name, new Utf8(), false))
      await notes
        .mergeInsert('name')
        .whenMatchedUpdateAll()
        .whenNotMatchedInsertAll()
        .execute(lance.makeArrowTable([row], { schema: new Schema(fields) }))
      if (cursor.pending !== undefined) return
      // The table's changes are through.
      for (const [table, since] of written) await optimizeByNeed(table, since)
      written.clear()
    },

    async write({ puts, removes }, signal) {
      for (const [name, items] of Map.groupBy(removes, ({ item }) => item.collection)) {
        const table = await toWrite(tableOf(name))
        for (const [version, group] of Map.groupBy(items, (each) => each.version)) {
          const ids = group.map(({ item }) => quoted(item.id)).join(', ')
          await table.delete(`id IN (${ids}) AND batch_version <= ${version}`)
        }
      }
      let embedded = 0
      for (const [name, items] of Map.groupBy(puts, ({ item }) => item.collection))
        embedded += await put(name, items, signal)
      return { embedded, embeddings_saved: puts.length - embedded }
    },

    async *items(name, { from, to }) {
      const of = collection(name)
      const query = (await tableOf(name))
        .query()
        .select([...OWN_COLUMNS, ...metadataColumns(of)])
        .where(`entity >= ${from} AND entity < ${to}`)
      for await (const batch of query) {
        for (const each of batch.toArray()) {
          const row = each.toJSON()
          yield {
            item: {
              collection: name,
              id: String(row.id),
              entity: Number(row.entity),
              text: String(row.text),
              values: valuesOf(of, row),
            },
            version: Number(row.batch_version),
          }
        }
      }
    },

    asStored: (item) => ({
      ...item,
      text: item.text ?? '',
      values: valuesAsStored(collection(item.collection), item.values),
    }),

    async clear() {
      written.clear()
      for (const { name } of collections) await at().drop(name)
      const notes = await at().notes()
      await notes.delete(`name LIKE ${quoted(`${consumer}/%`)}`)
    },

    async close() {
      store = undefined
    },
  }
}
