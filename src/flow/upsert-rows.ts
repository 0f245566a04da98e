import type { EditOutcome } from '../lake/delta/edit-rows.ts'
import type { DeltaTable } from '../lake/delta/table.ts'
import type { TransactionUpdate } from '../lake/transaction.ts'
import type { Relation } from '../model/relation.ts'
import type { ComputeEngine } from '../sql/duckdb/engine.ts'
import { quoteIdentifier, quoteText } from '../sql/duckdb/quote-identifier.ts'

export interface UpsertRowsOptions {
  readonly engine: ComputeEngine
  /** One row of the table for each value. */
  readonly key: string
  /** Column that the table is partitioned by; a row never moves to another partition. */
  readonly partition: string | undefined
  /** Where rows that come again come from; what comes from there is newer than what does not. */
  readonly replayTopic: string
}

export type UpsertRows = (
  table: DeltaTable,
  relation: Relation,
  transactions: readonly TransactionUpdate[],
) => Promise<EditOutcome>

/** Rows into a table where an older row of the same key gives way. Of several in one batch the last one counts. */
export function upsertRows({ engine, key, partition, replayTopic }: UpsertRowsOptions): UpsertRows {
  return async (table, relation, transactions) => {
    const name = engine.relationName('newest')
    const connection = await engine.connection()
    try {
      const newest = `(_topic = ${quoteText(replayTopic)}) DESC, _offset DESC`
      await connection.run(
        `CREATE TABLE ${name} AS SELECT * FROM ${relation.name} ` +
          `QUALIFY row_number() OVER (PARTITION BY ${quoteIdentifier(key)} ORDER BY ${newest}) = 1`,
      )
      const [row] = await connection.rows(`SELECT count(*) FROM ${name}`)
      return await table.merge({
        source: { name, columns: relation.columns, rowCount: Number(row![0]) },
        on: { keys: partition === undefined ? [key] : [key, partition] },
        clauses: [
          { when: 'matched', do: 'update' },
          { when: 'not_matched', do: 'insert' },
        ],
        transactions,
      })
    } finally {
      await connection.run(`DROP TABLE IF EXISTS ${name}`)
      connection.close()
    }
  }
}
