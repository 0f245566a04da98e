import type { DuckDBBlobValue } from '@duckdb/node-api'
import type { Columns, ColumnType } from '../../model/column.ts'
import type { LogRecord } from '../../model/record-batch.ts'
import type { Relation } from '../../model/relation.ts'
import type { ComputeEngine, EngineConnection } from './engine.ts'
import { quoteIdentifier, quoteText } from './quote-identifier.ts'
import { cellReader, nullable } from './row-values.ts'

// Rows leave the engine here, for serving stores: as CSV bytes made inside the engine, or as JavaScript values. Fills the
// `RowSet` of `serve/sink.ts`. The order is that of topic, partition and offset, so row 17 is the same record in every
// call and in every process that staged the same batch.

/** The rows of a relation, in the form of the sink's `RowSet`. Calls may overlap; each has a connection of its own. */
export interface RelationRows {
  readonly columns: Columns
  readonly count: number
  /**
   * CSV as `RowSet` documents it. Texts are always quoted; instants are `2023-11-29 05:09:27.89+00`; lists, structs and maps are JSON.
   * Stop reading any time.
   */
  csv(range?: RowRange): AsyncIterable<Uint8Array>
  /** Rows as arrays in the order of `columns`, in chunks of up to 2,048. */
  chunks(range?: RowRange): AsyncIterable<readonly (readonly unknown[])[]>
  /** The records that rows came from, in the order asked for; for dead letters. */
  records(indexes: readonly number[]): Promise<readonly LogRecord[]>
}

/** `[start, end)`. */
export interface RowRange {
  readonly start: number
  readonly end: number
}

export interface RelationRowsOptions {
  readonly relation: Relation
  /** The target's columns; the relation has one of each name. */
  readonly columns: Columns
  readonly signal?: AbortSignal | undefined
}

/** Rows of CSV are handed out in pieces of so many. */
const CSV_ROW_COUNT = 4096
/** Rows in one piece of a whole relation, about: a megabyte or so, made in a few milliseconds. */
const PIECE_ROW_COUNT = 16_384
const INDEX = quoteIdentifier('?index')

/** The rows of a relation that has record columns. Valid until the relation is released. */
export function relationRows(
  engine: ComputeEngine,
  { relation, columns, signal }: RelationRowsOptions,
): RelationRows {
  const numbered =
    `(SELECT *, row_number() OVER (ORDER BY _topic, _partition, _offset) - 1 AS ${INDEX} ` +
    `FROM ${relation.name})`
  const within = (range: RowRange | undefined) =>
    range === undefined ? '' : `WHERE ${INDEX} >= ${range.start} AND ${INDEX} < ${range.end}`

  return Object.freeze({
    columns,
    count: relation.rowCount,

    async *csv(range?: RowRange) {
      const cells = columns.map((column) => csvCell(quoteIdentifier(column.name), column.type))
      const line = cells.length === 0 ? `chr(10)` : `${cells.join(` || ',' || `)} || chr(10)`
      if (range === undefined) {
        yield* inPieces(
          (rows) => `SELECT encode(string_agg(${line}, '' ORDER BY _offset)) FROM ${rows}`,
        )
        return
      }
      const sql =
        `SELECT encode(string_agg(line, '' ORDER BY i)) FROM ` +
        `(SELECT ${INDEX} AS i, ${line} AS line FROM ${numbered} ${within(range)}) ` +
        `GROUP BY i // ${CSV_ROW_COUNT} ORDER BY i // ${CSV_ROW_COUNT}`
      for await (const chunk of streamOf(sql)) {
        for (const piece of chunk.getColumnValues(0)) yield (piece as DuckDBBlobValue).bytes
      }
    },

    async *chunks(range?: RowRange) {
      const names = columns.map((column) => quoteIdentifier(column.name)).join(', ') || '1'
      const readers = columns.map((column) => nullable(cellReader(column.type)))
      const sql = `SELECT ${names} FROM ${numbered} ${within(range)} ORDER BY ${INDEX}`
      for await (const chunk of streamOf(sql)) {
        yield chunk.getRows().map((row) => readers.map((read, index) => read(row[index]!)))
      }
    },

    async records(indexes: readonly number[]) {
      const found = new Map<number, LogRecord>()
      if (indexes.length === 0) return []
      const sql =
        `SELECT ${INDEX}, _topic, _partition, _offset, _id, _key, epoch_ms(_arrived_at), _headers, encode(_raw) ` +
        `FROM ${numbered} WHERE ${INDEX} IN (${indexes.map(Number).join(', ')})`
      for await (const chunk of streamOf(sql)) {
        for (const [
          index,
          topic,
          partition,
          offset,
          id,
          key,
          arrivedMs,
          headers,
          raw,
        ] of chunk.getRows()) {
          found.set(Number(index), {
            topic: topic as string,
            partition: partition as number,
            offset: Number(offset),
            arrivedMs: Number(arrivedMs),
            id: id as string,
            key: key as string | null,
            headers: headers === null ? {} : JSON.parse(headers as string),
            value: (raw as DuckDBBlobValue).bytes,
          })
        }
      }
      return indexes.map((index) => {
        const record = found.get(index)
        if (record === undefined)
          throw new RangeError(`No row ${index} among ${relation.rowCount}.`)
        return record
      })
    },
  })

  /**
   * All rows in their order, a stretch of offsets at a time, the next one made while this one is taken: whoever takes them begins at once
   * and not after the whole relation was sorted.
   */
  async function* inPieces(sqlOf: (rows: string) => string): AsyncGenerator<Uint8Array> {
    const connection = await engine.connection()
    const make = async (piece: OffsetPiece): Promise<Uint8Array | null> => {
      const rows =
        `${relation.name} WHERE _topic = ${quoteText(piece.topic)} AND _partition = ${piece.partition} ` +
        `AND _offset >= ${piece.start} AND _offset < ${piece.end}`
      const [row] = await connection.rows(sqlOf(rows), signal)
      return (row![0] as DuckDBBlobValue | null)?.bytes ?? null
    }
    let next: Promise<Uint8Array | null> | undefined
    try {
      const pieces = await offsetPieces(connection, relation)
      next = pieces.length === 0 ? undefined : make(pieces[0]!)
      for (let index = 0; next !== undefined; index += 1) {
        const bytes = await next
        const following = pieces[index + 1]
        next = following === undefined ? undefined : make(following)
        next?.catch(() => {})
        if (bytes !== null) yield bytes
      }
    } finally {
      // A taker that stops early leaves a piece in the making; the connection must outlive it.
      await next?.catch(() => {})
      connection.close()
    }
  }

  async function* streamOf(sql: string) {
    const connection = await engine.connection()
    try {
      yield* connection.stream(sql, signal)
    } finally {
      connection.close()
    }
  }
}

/** Offsets `[start, end)` of one partition. */
interface OffsetPiece {
  readonly topic: string
  readonly partition: number
  readonly start: number
  readonly end: number
}

/** Stretches that hold all rows of a relation, in order, each of about as many as go into one piece of CSV. */
async function offsetPieces(
  connection: EngineConnection,
  { name }: Relation,
): Promise<readonly OffsetPiece[]> {
  const spans = await connection.rows(
    `SELECT _topic, _partition, min(_offset), max(_offset), count(*) FROM ${name} GROUP BY ALL ORDER BY ALL`,
  )
  return spans.flatMap(([topic, partition, first, last, count]) => {
    const pieces: OffsetPiece[] = []
    // By the rows there are, so that gaps between offsets make pieces wider and not more.
    const pieceCount = Math.ceil(Number(count) / PIECE_ROW_COUNT)
    const width = Math.ceil((Number(last) - Number(first) + 1) / pieceCount)
    for (let start = Number(first); start <= Number(last); start += width) {
      const end = start + width
      pieces.push({ topic: topic as string, partition: partition as number, start, end })
    }
    return pieces
  })
}

/** One cell of CSV as SQL. A null is the bare `\N`; a text that reads `\N` is quoted like every text. */
export function csvCell(name: string, type: ColumnType): string {
  return `coalesce(${csvText(name, type)}, '\\N')`
}

function csvText(name: string, type: ColumnType): string {
  const quoted = (text: string) => `'"' || replace(${text}, '"', '""') || '"'`
  if (typeof type !== 'string')
    return type.kind === 'decimal' ? `${name}::VARCHAR` : quoted(`to_json(${name})::VARCHAR`)
  if (type === 'string') return quoted(name)
  if (type === 'binary') return `'\\x' || lower(hex(${name}))`
  return `${name}::VARCHAR`
}
