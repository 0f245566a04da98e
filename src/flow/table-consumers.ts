import type { AggregatesPlan, DocumentsPlan } from '../pipeline/plan.ts'
import type { AggregateStore } from '../serve/aggregates/aggregate-store.ts'
import type { DocumentStore } from '../serve/document-store.ts'
import { aggregateDeltas } from '../sql/duckdb/aggregate-deltas.ts'
import { documentRows, documentSql } from '../sql/duckdb/document-rows.ts'
import { quoteIdentifier } from '../sql/duckdb/quote-identifier.ts'
import type { TableChanges, TableConsumer } from './follow-table.ts'

/** One document for each row of a table. The version of a document is that of the commit that last changed its row. */
export function documentConsumer(
  pipeline: string,
  { collection, id, columns: names }: DocumentsPlan,
  store: DocumentStore,
): TableConsumer {
  const name = `${pipeline}/documents/${collection.name}`
  let opened: Promise<void> | undefined
  const open = () => {
    opened ??= store.open([collection]).catch((error) => {
      opened = undefined
      throw error
    })
    return opened
  }
  return {
    name,
    async version() {
      await open()
      return store.cursor(name)
    },
    async take({ connection, relation, columns, to, anew }: TableChanges) {
      await open()
      const kept = names.map((column) => columns.find((known) => known.name === column)!)
      // Of one row the last change counts, and in one commit the new row rather than the old.
      const newest =
        `SELECT * FROM ${relation} WHERE _change_type <> 'update_preimage' ` +
        `QUALIFY row_number() OVER (PARTITION BY ${quoteIdentifier(id)} ORDER BY _commit_version DESC, _change_type = 'delete') = 1`
      const document = `CASE WHEN _change_type <> 'delete' THEN ${documentSql(kept, store.notation)} END`
      const sql = `SELECT ${quoteIdentifier(id)}::VARCHAR, _commit_version, ${document} FROM (${newest})`
      await store.take(name, documentRows(connection, sql), {
        collection: collection.name,
        version: to,
        anew,
      })
    },
  }
}

/** Rows whose deltas are in memory at once. */
const PIECE_ROW_COUNT = 100_000

/** Aggregates of a table, kept by adding what its rows' changes do to them. */
export function aggregateConsumer(
  pipeline: string,
  { name, shape }: AggregatesPlan,
  store: AggregateStore,
): TableConsumer {
  /** In pieces, so that memory is bounded; a crash in between leaves a beginner, who begins anew. */
  const takeWhole = async ({
    connection,
    relation,
    to,
  }: Omit<TableChanges, 'from' | 'anew' | 'columns'>) => {
    const [row] = await connection.rows(`SELECT count(*) FROM ${relation}`)
    const count = Number(row![0])
    for (let start = 0; start === 0 || start < count; start += PIECE_ROW_COUNT) {
      const end = start + PIECE_ROW_COUNT
      const piece = `(SELECT * FROM ${relation} WHERE rowid >= ${start} AND rowid < ${end})`
      const deltas = await aggregateDeltas(connection, piece, shape)
      await store.add({ deltas, from: -1, to: end >= count ? to : -1, anew: start === 0 })
    }
  }
  return {
    name: `${pipeline}/aggregates/${name}`,
    version: () => store.version(),
    async take({ connection, relation, from, to, anew }: TableChanges) {
      if (anew) return takeWhole({ connection, relation, to })
      await store.add({
        deltas: await aggregateDeltas(connection, relation, shape),
        from,
        to,
        anew,
      })
    },
  }
}
