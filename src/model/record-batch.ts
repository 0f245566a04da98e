/**
 * Byte strings laid end to end: cell `i` is `data[ends[i - 1] .. ends[i])`, the first starting at 0.
 * One buffer instead of many small ones, so that half a million records a second stay cheap.
 */
export interface BytesColumn {
  readonly data: Uint8Array
  readonly ends: Uint32Array
}

/** Cell `index` of a bytes column, a view and not a copy. */
export function bytesAt(column: BytesColumn, index: number): Uint8Array {
  return column.data.subarray(index === 0 ? 0 : column.ends[index - 1]!, column.ends[index]!)
}

/** Lay byte strings end to end. */
export function bytesColumn(cells: readonly Uint8Array[]): BytesColumn {
  let total = 0
  for (const cell of cells) total += cell.length
  const data = new Uint8Array(total)
  const ends = new Uint32Array(cells.length)
  let end = 0
  for (let index = 0; index < cells.length; index += 1) {
    data.set(cells[index]!, end)
    end += cells[index]!.length
    ends[index] = end
  }
  return { data, ends }
}

/**
 * Records of one partition, in offset order, as they were appended. Columns all have `offsets.length`
 * cells. `ids`, `keys` and `headers` are UTF-8; an empty key or header cell means there is none.
 */
export interface RecordBatch {
  readonly topic: string
  readonly partition: number
  /** Offset of each record, ascending. Contiguous unless the log compacted or aborted something between. */
  readonly offsets: Float64Array
  /** Exclusive: where the next read starts. */
  readonly offsetEnd: number
  /** When the log took each record, in milliseconds since 1970. */
  readonly arrivedMs: Float64Array
  readonly ids: BytesColumn
  readonly keys: BytesColumn
  /** A JSON object of strings per record. */
  readonly headers: BytesColumn
  readonly values: BytesColumn
}

/** Cells of a batch copied out into a record of its own; for tests, dead letters and people, not for hot paths. */
export interface LogRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly arrivedMs: number
  readonly id: string
  readonly key: string | null
  readonly headers: Readonly<Record<string, string>>
  readonly value: Uint8Array
}

const text = new TextDecoder()

/** Record `index` of a batch, copied out. */
export function recordAt(batch: RecordBatch, index: number): LogRecord {
  const key = text.decode(bytesAt(batch.keys, index))
  const headers = text.decode(bytesAt(batch.headers, index))
  return {
    topic: batch.topic,
    partition: batch.partition,
    offset: batch.offsets[index]!,
    arrivedMs: batch.arrivedMs[index]!,
    id: text.decode(bytesAt(batch.ids, index)),
    key: key === '' ? null : key,
    headers: headers === '' ? {} : JSON.parse(headers),
    value: bytesAt(batch.values, index).slice(),
  }
}
