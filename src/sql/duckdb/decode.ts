import { rm } from 'node:fs/promises'
import type { Columns } from '../../model/column.ts'
import { assert } from '../../model/errors.ts'
import { bytesAt, type RecordBatch } from '../../model/record-batch.ts'
import { RECORD_COLUMNS, type Relation } from '../../model/relation.ts'
import { columnsOf, type RecordSchema } from '../../model/schema.ts'
import { type CarefulRow, insertCarefully } from './decode-careful.ts'
import { recordDecoder } from './decode-record.ts'
import { type DecoderSql, decoderSql, type Signature } from './decode-sql.ts'
import { type EngineConnection, turnTaker } from './engine.ts'
import { quoteIdentifier, quoteText } from './quote-identifier.ts'
import {
  oddRecords,
  type RecordMarks,
  type RecordPlace,
  removeStagingFiles,
  type StagingSlice,
  stagingSource,
  writeStagingFiles,
} from './staging-file.ts'
import { duckdbType } from './type-mapping.ts'

// Bytes become typed rows here. In: record batches as the log keeps them, and a schema. Out: a relation of the engine
// with one row for every record that the schema accepts, and the list of those that it does not. Every record is
// in exactly one of the two: read = rows + dead. Nothing survives a crash; the same batch decodes to the same again.
//
// Two decoders, one judgement. SQL takes everything that is plainly right, millions of records a second. Whatever it
// hesitates over is decoded in TypeScript by the gateway's own check, which alone says what is wrong and why.

/** A record that the schema does not accept. */
export interface UndecodableRecord extends RecordPlace {
  /** `malformed_json`, `not_an_object`, `invalid_utf8`, or a `ProblemCode` such as `wrong_type`. */
  readonly reason: string
  readonly message: string
}

export interface DecodedBatch {
  /** The schema's columns, then `RECORD_COLUMNS`. A set: rows are in no order. */
  readonly relation: Relation
  /** By batch, then by place in it. */
  readonly undecodable: readonly UndecodableRecord[]
  /** Frees the relation; calling it twice is fine. */
  release(): Promise<void>
}

export interface BatchDecoderOptions {
  readonly schema: RecordSchema
  /**
   * DuckDB's JSON reader lets a comma before a closing bracket pass, and `NaN` or `Infinity` as a value; in fields that the schema does
   * not name these would not be noticed. `true` looks for them, at about a quarter of the speed. Not needed behind the
   * gateway, which has parsed every value already.
   */
  readonly strictJson?: boolean
  /** From so many records on, frequent shapes are looked for first; below, it costs more than it saves. */
  readonly sampledRecordCountMin?: number
}

export const DEFAULT_BATCH_DECODER_OPTIONS = Object.freeze({
  strictJson: false,
  sampledRecordCountMin: 10_000,
})

/** Decodes batches of one schema. The same object may serve many batches, one at a time for each connection. */
export interface BatchDecoder {
  /** The relation's columns. */
  readonly columns: Columns
  /** @throws EngineInterruptedError, EngineMemoryError, EngineIoError; nothing is left behind then */
  decode(
    connection: EngineConnection,
    batches: readonly RecordBatch[],
    signal?: AbortSignal,
  ): Promise<DecodedBatch>
}

const SIGNATURE_SAMPLE_COUNT = 64
/** Large batches between two looks. */
const SIGNATURE_USES = 16
/** With many small batches every one of them gives a sample. */
const SAMPLE_COUNT_MAX = 128
/** Longer records say as little about the others and cost more. */
const SAMPLE_BYTES_MAX = 32 * 1024
const SIGNATURE_COUNT_MAX = 8

const DOUBTFUL = quoteIdentifier('?doubtful')
const LENIENT_JSON = '(?i)[:,\\[ -](nan|inf)|,[ ]*[\\]}]'

/** Make a decoder for a schema. */
export function batchDecoder(options: BatchDecoderOptions): BatchDecoder {
  const { schema, strictJson, sampledRecordCountMin } = {
    ...DEFAULT_BATCH_DECODER_OPTIONS,
    ...options,
  }
  const columns: Columns = [...columnsOf(schema), ...RECORD_COLUMNS]
  const names = new Set(columns.map((column) => column.name.toLowerCase()))
  assert(names.size === columns.length, 'column names are unique, and none is a record column’s')
  const sql = decoderSql(schema, { parsed: 'j', kinds: 't' })
  const decodeCarefully = recordDecoder(schema)
  const strict = strictJson ? `AND NOT regexp_matches(s_value, ${quoteText(LENIENT_JSON)})` : ''

  async function decode(
    connection: EngineConnection,
    batches: readonly RecordBatch[],
    signal?: AbortSignal,
  ): Promise<DecodedBatch> {
    const name = connection.engine.relationName('decoded')
    const types = columns.map((c) => `${quoteIdentifier(c.name)} ${duckdbType(c.type)}`)
    await connection.run(`CREATE TABLE ${name} (${types.join(', ')}, ${DOUBTFUL} BOOLEAN)`)
    const release = async () => {
      await connection.run(`DROP TABLE IF EXISTS ${name}`)
    }
    try {
      const marks = await oddRecords(batches, signal)
      await insertPlain(connection, { name, batches, marks, signal })
      await takeDoubtful(connection, { name, batches, marks, signal })
      const undecodable = await insertMarked(connection, { name, batches, marks, signal })
      const readCount = countRecords(batches)
      const rowCount = await countRows(connection, name)
      assert(
        rowCount + undecodable.length === readCount,
        `${readCount} records became ${rowCount} rows and ${undecodable.length} dead letters`,
      )
      return { relation: { name, columns, rowCount }, undecodable, release }
    } catch (error) {
      await removeStagingFiles(connection.engine.spillDirectory, name)
      await release()
      throw error
    }
  }

  // Records of one topic are much alike from batch to batch, so a look now and then is enough.
  let known: readonly Signature[] = []
  let useCount = 0
  async function signaturesOf(
    connection: EngineConnection,
    batches: readonly RecordBatch[],
    marks: readonly RecordMarks[],
  ): Promise<readonly Signature[]> {
    if (useCount % SIGNATURE_USES === 0)
      known = await frequentSignatures(connection, sql, batches, marks)
    useCount += 1
    return known
  }

  async function insertPlain(connection: EngineConnection, request: BatchRequest): Promise<void> {
    const { name, batches, marks, signal } = request
    const { spillDirectory } = connection.engine
    const recordCount = countRecords(batches)
    const signatures =
      recordCount < sampledRecordCountMin ? [] : await signaturesOf(connection, batches, marks)
    const accept = `${sql.accept(signatures)} ${strict}`
    const slices = writeStagingFiles({
      batches,
      odd: marks,
      directory: spillDirectory,
      name,
      signal,
    })
    const insert = async (slice: StagingSlice, lane: EngineConnection) => {
      try {
        await lane.run(
          `INSERT INTO ${name} SELECT ${columnValues(sql, batches)}, NOT (${accept}) FROM (` +
            `SELECT *, ${sql.parsed('s_value')} AS j, ${sql.kinds('s_value')} AS t FROM ${stagingSource(slice)})`,
          { signal },
        )
      } finally {
        await rm(slice.path, { force: true })
      }
    }
    // Two statements at once, each on its own connection and thread, while the file of the next is written.
    const second = await connection.engine.connection()
    try {
      await inTurns(slices, [connection, second], insert)
    } finally {
      second.close()
    }
  }

  async function insertMarked(
    connection: EngineConnection,
    { name, batches, marks, signal }: BatchRequest,
  ): Promise<readonly UndecodableRecord[]> {
    if (!marks.some((marked) => marked.includes(1))) return []
    const undecodable: UndecodableRecord[] = []
    const turn = turnTaker(signal)
    async function* rows(): AsyncGenerator<CarefulRow> {
      for (const [batchIndex, marked] of marks.entries()) {
        const batch = batches[batchIndex]!
        let recordIndex = marked.indexOf(1)
        for (; recordIndex >= 0; recordIndex = marked.indexOf(1, recordIndex + 1)) {
          const place = { batchIndex, recordIndex }
          const decoded = decodeCarefully(bytesAt(batch.values, recordIndex))
          if (decoded.status === 'decoded') yield { ...place, batch, document: decoded.document }
          else undecodable.push({ ...place, reason: decoded.reason, message: decoded.message })
          await turn()
        }
      }
    }
    const refused = await insertCarefully(connection, {
      into: name,
      rows: rows(),
      values: columnValues(sql, batches),
      sql,
      topics: topicsOf(batches),
    })
    // Both decoders follow one specification, so this is not expected; if it happens, the record is set aside and not the batch.
    const message = 'The value fits the schema, but the compute engine could not store it.'
    for (const place of refused) undecodable.push({ ...place, reason: 'bad_format', message })
    return refused.length === 0 ? undecodable : undecodable.sort(byPlace)
  }

  return Object.freeze({ columns, decode })
}

/**
 * Give items to lanes by turns, each lane one at a time. Returns when all are done; after a failure nothing more is begun, and what was is
 * waited for.
 */
async function inTurns<T, Lane>(
  items: AsyncIterable<T>,
  lanes: readonly Lane[],
  work: (item: T, lane: Lane) => Promise<void>,
): Promise<void> {
  const busy: Promise<void>[] = lanes.map(() => Promise.resolve())
  try {
    let turn = 0
    for await (const item of items) {
      await busy[turn]
      busy[turn] = work(item, lanes[turn]!)
      busy[turn]!.catch(() => undefined)
      turn = (turn + 1) % lanes.length
    }
    await Promise.all(busy)
  } finally {
    await Promise.allSettled(busy)
  }
}

interface BatchRequest {
  readonly name: string
  readonly batches: readonly RecordBatch[]
  /** The records that are left to the careful decoder. */
  readonly marks: readonly RecordMarks[]
  readonly signal: AbortSignal | undefined
}

const byPlace = (a: RecordPlace, b: RecordPlace) =>
  a.batchIndex - b.batchIndex || a.recordIndex - b.recordIndex

const topicsOf = (batches: readonly RecordBatch[]) => [
  ...new Set(batches.map((batch) => batch.topic)),
]

const countRecords = (batches: readonly RecordBatch[]) =>
  batches.reduce((sum, batch) => sum + batch.offsets.length, 0)

/** The relation's columns over a staging source's and `j`. */
function columnValues(sql: DecoderSql, batches: readonly RecordBatch[]): string {
  const topics = topicsOf(batches)
  const cases = topics.map((topic, index) => `WHEN ${index} THEN ${quoteText(topic)}`)
  const topic =
    topics.length === 1 ? quoteText(topics[0]!) : `CASE s_topic ${cases.join(' ')} ELSE '' END`
  return [
    ...sql.columns.map((column) => column.value),
    topic,
    's_partition',
    's_offset',
    's_id',
    's_key',
    'make_timestamptz(s_arrived * 1000)',
    's_headers',
    's_value',
  ].join(', ')
}

/** The kinds of a few records from all over the batch, most frequent first. */
async function frequentSignatures(
  connection: EngineConnection,
  sql: DecoderSql,
  batches: readonly RecordBatch[],
  marks: readonly RecordMarks[],
): Promise<readonly Signature[]> {
  const recordCount = countRecords(batches)
  const samples = batches.flatMap((batch, batchIndex) => {
    const count = batch.offsets.length
    const share = Math.min(Math.ceil((SIGNATURE_SAMPLE_COUNT * count) / recordCount), count)
    const indexes = Array.from({ length: share }, (_, n) => Math.floor((n * count) / share))
    return indexes
      .filter((index) => marks[batchIndex]![index] === 0)
      .map((index) => bytesAt(batch.values, index))
      .filter((value) => value.length <= SAMPLE_BYTES_MAX)
      .map((value) => `(${quoteText(Buffer.from(value).toString())})`)
  })
  if (samples.length === 0) return []
  const rows = await connection.rows(
    `SELECT to_json(t)::VARCHAR FROM (SELECT ${sql.kinds('v')} AS t FROM (VALUES ${samples.slice(0, SAMPLE_COUNT_MAX).join(', ')}) samples(v)) ` +
      `WHERE t IS NOT NULL GROUP BY t ORDER BY count(*) DESC, t LIMIT ${SIGNATURE_COUNT_MAX}`,
  )
  return rows.map(([kinds]) => JSON.parse(kinds as string) as Signature)
}

/** Take the rows out again that SQL did not accept, and mark their records. */
async function takeDoubtful(
  connection: EngineConnection,
  { name, batches, marks, signal }: BatchRequest,
): Promise<void> {
  let any = false
  const rows = `SELECT _topic, _partition, _offset FROM ${name} WHERE ${DOUBTFUL}`
  for await (const chunk of connection.stream(rows, signal)) {
    any = true
    for (const [topic, partition, offset] of chunk.getRows()) {
      const place = placeOf(batches, topic as string, partition as number, Number(offset))
      marks[place.batchIndex]![place.recordIndex] = 1
    }
  }
  if (any) await connection.run(`DELETE FROM ${name} WHERE ${DOUBTFUL}`)
  await connection.run(`ALTER TABLE ${name} DROP COLUMN ${DOUBTFUL}`)
}

/** Where in `batches` the record at an offset is. @throws RangeError when it is in none of them */
export function placeOf(
  batches: readonly RecordBatch[],
  topic: string,
  partition: number,
  offset: number,
): RecordPlace {
  for (const [batchIndex, batch] of batches.entries()) {
    if (batch.topic !== topic || batch.partition !== partition) continue
    let low = 0
    let high = batch.offsets.length - 1
    while (low <= high) {
      const middle = (low + high) >>> 1
      const found = batch.offsets[middle]!
      if (found === offset) return { batchIndex, recordIndex: middle }
      if (found < offset) low = middle + 1
      else high = middle - 1
    }
  }
  throw new RangeError(`No record at ${topic}/${partition}/${offset} in the batch.`)
}

async function countRows(connection: EngineConnection, name: string): Promise<number> {
  const [row] = await connection.rows(`SELECT count(*) FROM ${name}`)
  return Number(row![0])
}
