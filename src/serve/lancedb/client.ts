import { mkdirSync } from 'node:fs'
import type { VectorsCollection } from '../../model/sync.ts'
import type { TextQuery, VectorHit, VectorQuery, VectorSearch } from '../vector-store.ts'
import type { LanceConfig } from './config.ts'
import { filterSql, lanceSchema, metadataColumns, valuesOf } from './encode.ts'
import { type ArrowPackage, type LanceRow, type LanceTable, loadLance } from './package.ts'

/** An open vector store: its tables for writing, and searches over them. */
export interface LanceStore extends VectorSearch {
  readonly lance: Awaited<ReturnType<typeof loadLance>>['lance']
  readonly arrow: ArrowPackage
  /** A namespace's table, made when it is not there; vectors of so many numbers. */
  table(of: VectorsCollection, dimensions: number): Promise<LanceTable>
  /** The platform's own small table of texts by name. */
  notes(): Promise<LanceTable>
  drop(name: string): Promise<void>
  close(): void
}

const NOTES = 'mekong_cursors'

/** @throws SinkConfigError without the package */
export async function openLance(
  { folder }: LanceConfig,
  collections: readonly VectorsCollection[],
): Promise<LanceStore> {
  const { lance, arrow } = await loadLance()
  mkdirSync(folder, { recursive: true })
  const database = await lance.connect(folder)
  const opened = new Map<string, Promise<LanceTable>>()
  const open = (name: string, make: () => Promise<LanceTable>) => {
    const known = opened.get(name) ?? make()
    opened.set(name, known)
    known.catch(() => opened.delete(name))
    return known
  }
  const reading = async (name: string) => {
    if (!(await database.tableNames()).includes(name)) return undefined
    return open(name, () => database.openTable(name))
  }
  const collection = (name: string) => collections.find((each) => each.name === name)!

  return {
    lance,
    arrow,
    table: (of, dimensions) =>
      open(of.name, async () => {
        const schema = lanceSchema(arrow, of, dimensions)
        const table = await database.createEmptyTable(of.name, schema, { existOk: true })
        const indexed = (await table.listIndices()).flatMap(({ columns }) => columns)
        if (!indexed.includes('text'))
          await table.createIndex('text', {
            config: lance.Index.fts({ stem: true, removeStopWords: true, asciiFolding: true }),
          })
        return table
      }),
    notes: () =>
      open(NOTES, () => {
        const { Schema, Field, Utf8 } = arrow
        const schema = new Schema([
          new Field('name', new Utf8(), false),
          new Field('note', new Utf8(), false),
        ])
        return database.createEmptyTable(NOTES, schema, { existOk: true })
      }),
    async drop(name) {
      opened.delete(name)
      if ((await database.tableNames()).includes(name)) await database.dropTable(name)
    },
    async nearest({ collection: name, vector, filter, limit }: VectorQuery) {
      const table = await reading(name)
      if (table === undefined) return []
      const of = collection(name)
      const query = table.query().nearestTo(vector).distanceType('cosine')
      const where = filterSql(filter)
      const rows = await (where === undefined ? query : query.where(where))
        .select([...shown(of), '_distance'])
        .limit(limit)
        .toArray()
      return rows.map((row) => hit(of, row, 1 - Number(row._distance)))
    },
    async matching({ collection: name, text, filter, limit }: TextQuery) {
      const table = await reading(name)
      if (table === undefined) return []
      const of = collection(name)
      const query = table.query().fullTextSearch(text, { columns: ['text'] })
      const where = filterSql(filter)
      const rows = await (where === undefined ? query : query.where(where))
        .select([...shown(of), '_score'])
        .limit(limit)
        .toArray()
      return rows.map((row) => hit(of, row, Number(row._score)))
    },
    close: () => database.close(),
  }
}

const shown = (of: VectorsCollection) => ['id', 'text', ...metadataColumns(of)]

const hit = (of: VectorsCollection, row: LanceRow, score: number): VectorHit => ({
  collection: of.name,
  id: String(row.id),
  score,
  values: valuesOf(of, row),
  text: String(row.text),
})
