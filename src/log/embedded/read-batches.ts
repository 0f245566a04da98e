import type { DatabaseSync } from 'node:sqlite'
import { assert } from '../../model/errors.ts'
import type { BytesColumn, RecordBatch } from '../../model/record-batch.ts'
import { decodeBatch, type StoredBatch } from './batch-decode.ts'
import { OFFSET_BITS } from './log-file.ts'

// Reading joins the stored batches that a request covers into one set of columns, on the log's
// thread, in one buffer that moves to the main thread without a copy; there it is only looked at
// through views.

export interface ReadBatchesRequest {
  readonly partitionNumber: number
  readonly offset: number
  readonly recordCountMax: number
  readonly bytesMax: number
}

/**
 * Joined columns in one buffer: f64 offsets and arrival times, four u32 arrays of ends (ids, keys,
 * headers, values), then the bytes of the four.
 */
export interface JoinedColumns {
  readonly buffer: ArrayBuffer
  readonly recordCount: number
  readonly offsetEnd: number
  /** Bytes of ids, keys, headers, values. */
  readonly dataBytes: readonly [number, number, number, number]
}

/** Part of a stored batch: records `[from, to)`. */
interface Piece {
  readonly batch: StoredBatch
  readonly from: number
  readonly to: number
}

/** @throws LogCorruptError */
export function readBatches(database: DatabaseSync, request: ReadBatchesRequest): JoinedColumns {
  return joinPieces(choosePieces(database, request), request.offset)
}

function choosePieces(database: DatabaseSync, request: ReadBatchesRequest): readonly Piece[] {
  const { partitionNumber, offset } = request
  // The batch that holds `offset` begins at or before it; then come its successors.
  const rows = database
    .prepare(
      `SELECT blob FROM batch
       WHERE place >= coalesce(
           (SELECT place FROM batch
            WHERE place <= ((?1 << ${OFFSET_BITS}) | ?2) AND place >= (?1 << ${OFFSET_BITS})
            ORDER BY place DESC LIMIT 1),
           (?1 << ${OFFSET_BITS}) | ?2)
         AND place < ((?1 + 1) << ${OFFSET_BITS})
       ORDER BY place`,
    )
    .iterate(partitionNumber, offset)
  const pieces: Piece[] = []
  let countLeft = request.recordCountMax
  let bytesLeft = request.bytesMax
  for (const row of rows) {
    const batch = decodeBatch((row as { blob: Uint8Array }).blob)
    assert(batch.partitionNumber === partitionNumber, 'a batch lies where its header says')
    const from = Math.max(0, offset - batch.offset)
    if (from >= batch.recordCount) continue
    const to = endWithin(batch, from, countLeft, bytesLeft, pieces.length === 0)
    if (to === from) break
    pieces.push({ batch, from, to })
    countLeft -= to - from
    bytesLeft -= cellStart(batch.values, to) - cellStart(batch.values, from)
    if (to < batch.recordCount || countLeft <= 0 || bytesLeft <= 0) break
  }
  return pieces
}

/** How far records from `from` on fit; at least one when `atLeastOne`. */
function endWithin(
  batch: StoredBatch,
  from: number,
  countMax: number,
  bytesMax: number,
  atLeastOne: boolean,
): number {
  const limit = cellStart(batch.values, from) + bytesMax
  let low = from
  let high = Math.min(batch.recordCount, from + countMax)
  while (low < high) {
    const middle = (low + high + 1) >>> 1
    if (cellStart(batch.values, middle) <= limit) low = middle
    else high = middle - 1
  }
  return low === from && atLeastOne ? from + 1 : low
}

const cellStart = (column: BytesColumn, index: number): number =>
  index === 0 ? 0 : column.ends[index - 1]!

const COLUMNS = ['ids', 'keys', 'headers', 'values'] as const

function joinPieces(pieces: readonly Piece[], offsetAsked: number): JoinedColumns {
  const recordCount = pieces.reduce((sum, { from, to }) => sum + to - from, 0)
  const dataBytes = COLUMNS.map((name) =>
    pieces.reduce(
      (sum, { batch, from, to }) => sum + cellStart(batch[name], to) - cellStart(batch[name], from),
      0,
    ),
  ) as [number, number, number, number]
  const fixed = recordCount * 32
  const buffer = new ArrayBuffer(dataBytes.reduce((sum, bytes) => sum + bytes, fixed))
  const bytes = new Uint8Array(buffer)
  const offsets = new Float64Array(buffer, 0, recordCount)
  const arrivedMs = new Float64Array(buffer, 8 * recordCount, recordCount)
  let index = 0
  for (const { batch, from, to } of pieces) {
    arrivedMs.set(batch.arrivedMs.subarray(from, to), index)
    for (let at = from; at < to; at += 1, index += 1) offsets[index] = batch.offset + at
  }
  let dataAt = fixed
  for (const [number, name] of COLUMNS.entries()) {
    const ends = new Uint32Array(buffer, (16 + 4 * number) * recordCount, recordCount)
    let cell = 0
    let end = 0
    for (const { batch, from, to } of pieces) {
      const column = batch[name]
      const start = cellStart(column, from)
      bytes.set(column.data.subarray(start, cellStart(column, to)), dataAt + end)
      const shift = end - start
      for (let at = from; at < to; at += 1, cell += 1) ends[cell] = column.ends[at]! + shift
      end = cellStart(column, to) + shift
    }
    dataAt += end
  }
  const offsetEnd = recordCount === 0 ? offsetAsked : offsets[recordCount - 1]! + 1
  return { buffer, recordCount, offsetEnd, dataBytes }
}

/** Views over joined columns, on the thread that received them. */
export function viewColumns(
  topic: string,
  partition: number,
  { buffer, recordCount, offsetEnd, dataBytes }: JoinedColumns,
): RecordBatch {
  let dataAt = recordCount * 32
  const column = (number: number): BytesColumn => {
    const length = dataBytes[number]!
    const data = new Uint8Array(buffer, dataAt, length)
    dataAt += length
    return { data, ends: new Uint32Array(buffer, (16 + 4 * number) * recordCount, recordCount) }
  }
  return {
    topic,
    partition,
    offsets: new Float64Array(buffer, 0, recordCount),
    offsetEnd,
    arrivedMs: new Float64Array(buffer, 8 * recordCount, recordCount),
    ids: column(0),
    keys: column(1),
    headers: column(2),
    values: column(3),
  }
}

/**
 * The first offset of a partition whose record arrived at or after `timeMs`, or `null` when there
 * is none.
 */
export function offsetAt(
  database: DatabaseSync,
  partitionNumber: number,
  timeMs: number,
): number | null {
  // Arrival times follow the machine's clock, which may step back; so batches are looked at in
  // order rather than searched by halves. Their rows are small to pass over, since SQLite does not
  // touch a blob's overflow pages unless asked for.
  const row = database
    .prepare(
      `SELECT blob FROM batch
       WHERE place >= (?1 << ${OFFSET_BITS}) AND place < ((?1 + 1) << ${OFFSET_BITS}) AND arrived_ms_max >= ?2
       ORDER BY place LIMIT 1`,
    )
    .get(partitionNumber, timeMs) as { blob: Uint8Array } | undefined
  if (row === undefined) return null
  const batch = decodeBatch(row.blob)
  return batch.offset + batch.arrivedMs.findIndex((arrivedMs) => arrivedMs >= timeMs)
}
