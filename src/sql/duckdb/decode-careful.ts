import { BIGINT, DuckDBDataChunk, type DuckDBValue, INTEGER, VARCHAR } from '@duckdb/node-api'
import { bytesAt, type RecordBatch } from '../../model/record-batch.ts'
import type { DecoderSql } from './decode-sql.ts'
import type { EngineConnection } from './engine.ts'
import { engineErrorOf } from './errors.ts'
import type { RecordPlace } from './staging-file.ts'

/** A record that was decoded in TypeScript: where it is, and its plain JSON. */
export interface CarefulRow extends RecordPlace {
  readonly batch: RecordBatch
  readonly document: string
}

export interface CarefulInsert {
  /** The relation; it has the columns that `values` yields. */
  readonly into: string
  readonly rows: AsyncIterable<CarefulRow>
  /** The relation's columns over the staging columns and `j`. */
  readonly values: string
  readonly sql: DecoderSql
  readonly topics: readonly string[]
}

/** The most rows a chunk of DuckDB holds. */
const CHUNK_ROW_COUNT = 2048

const TYPES = [
  ...[INTEGER, INTEGER, INTEGER, INTEGER, BIGINT, BIGINT],
  ...[VARCHAR, VARCHAR, VARCHAR, VARCHAR, VARCHAR],
]
const COLUMNS =
  's_batch INTEGER, s_index INTEGER, s_topic INTEGER, s_partition INTEGER, s_offset BIGINT, s_arrived BIGINT, ' +
  's_id VARCHAR, s_key VARCHAR, s_headers VARCHAR, s_value VARCHAR, s_document VARCHAR'

/**
 * Put records into the relation by way of chunks instead of lines, so that their bytes may be anything. Returns the places of
 * those whose document the engine does not accept; they are not in the relation.
 */
export async function insertCarefully(
  connection: EngineConnection,
  { into, rows, values, sql, topics }: CarefulInsert,
): Promise<readonly RecordPlace[]> {
  const table = connection.engine.relationName('careful')
  await connection.run(`CREATE TEMP TABLE ${table} (${COLUMNS})`)
  try {
    if (!(await appendAll(connection, table, rows, topics))) return []
    const judged = `SELECT *, ${sql.kinds('s_document')} AS t, ${sql.parsed('s_document')} AS j FROM ${table}`
    const accept = sql.accept([])
    await connection.run(`INSERT INTO ${into} SELECT ${values} FROM (${judged}) WHERE ${accept}`)
    const refused = await connection.rows(
      `SELECT s_batch, s_index FROM (${judged}) WHERE NOT (${accept})`,
    )
    return refused.map(([batchIndex, recordIndex]) => ({
      batchIndex: batchIndex as number,
      recordIndex: recordIndex as number,
    }))
  } finally {
    await connection.run(`DROP TABLE ${table}`)
  }
}

/** Returns whether there was any. */
async function appendAll(
  connection: EngineConnection,
  table: string,
  rows: AsyncIterable<CarefulRow>,
  topics: readonly string[],
): Promise<boolean> {
  const appender = await connection.driver.createAppender(table, 'main', 'temp')
  let any = false
  let waiting: DuckDBValue[][] = []
  const append = () => {
    const chunk = DuckDBDataChunk.create(TYPES)
    chunk.setRows(waiting)
    appender.appendDataChunk(chunk)
    waiting = []
  }
  try {
    for await (const row of rows) {
      any = true
      waiting.push(cells(row, topics))
      if (waiting.length === CHUNK_ROW_COUNT) append()
    }
    if (waiting.length > 0) append()
    appender.flushSync()
  } catch (error) {
    throw error instanceof Error && error.name === 'Error' ? engineErrorOf(error, table) : error
  } finally {
    appender.closeSync()
  }
  return any
}

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true })

function cells(row: CarefulRow, topics: readonly string[]): DuckDBValue[] {
  const { batch, batchIndex, recordIndex } = row
  return [
    batchIndex,
    recordIndex,
    topics.indexOf(batch.topic),
    batch.partition,
    BigInt(batch.offsets[recordIndex]!),
    BigInt(Math.trunc(batch.arrivedMs[recordIndex]!)),
    utf8.decode(bytesAt(batch.ids, recordIndex)),
    utf8.decode(bytesAt(batch.keys, recordIndex)) || null,
    utf8.decode(bytesAt(batch.headers, recordIndex)) || null,
    utf8.decode(bytesAt(batch.values, recordIndex)),
    row.document,
  ]
}
