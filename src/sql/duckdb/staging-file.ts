import { isUtf8 } from 'node:buffer'
import { type FileHandle, open, readdir, rm } from 'node:fs/promises'
import path from 'node:path'
import {
  type BytesColumn,
  bytesAt,
  bytesColumn,
  type RecordBatch,
} from '../../model/record-batch.ts'
import { throwIfInterrupted, turnTaker } from './engine.ts'
import { fileErrorOf } from './errors.ts'
import { type PlainColumn, PlainParquetFile } from './plain-parquet.ts'
import { quoteText } from './quote-identifier.ts'

// Records reach the engine through a file, because handing over half a million strings a second one by one costs more than writing them
// out and letting the engine's own reader run over them. The file is Parquet of the plainest kind: the columns of a batch go to the disk
// as they lie in memory (`plain-parquet.ts`). Only text can go this way; records with a cell that is none stay behind (`odd`).

/** A file ends after so many bytes, so that the engine reads one while the next is written. */
export const SLICE_BYTES_TARGET = 8 * 1024 * 1024
/** Looked at between two chances to stop. */
const GROUP_BYTES_TARGET = 2 * 1024 * 1024

/** Where a record is within the batches handed over. */
export interface RecordPlace {
  readonly batchIndex: number
  readonly recordIndex: number
}

/** One staging file, complete. */
export interface StagingSlice {
  readonly path: string
  readonly recordCount: number
}

/** The file as an SQL table source with the columns `s_topic, s_partition, s_offset, s_arrived, s_id, s_key, s_headers, s_value`. */
export function stagingSource({ path: file }: StagingSlice): string {
  return (
    `(SELECT s_topic, s_partition, s_offset::BIGINT AS s_offset, trunc(s_arrived)::BIGINT AS s_arrived, s_id, ` +
    `nullif(s_key, '') AS s_key, nullif(s_headers, '') AS s_headers, s_value FROM read_parquet(${quoteText(file)}))`
  )
}

/** One byte for each record of a batch: 1 where something is said of it, 0 elsewhere. */
export type RecordMarks = Uint8Array

/**
 * The records that may not travel as text, marked: some byte of theirs is NUL, or some cell is not UTF-8. Looks at whole columns first, so
 * a clean batch costs nearly nothing.
 */
export async function oddRecords(
  batches: readonly RecordBatch[],
  signal?: AbortSignal,
): Promise<readonly RecordMarks[]> {
  const turn = turnTaker(signal)
  const marks: RecordMarks[] = []
  for (const batch of batches) {
    const odd = new Uint8Array(batch.offsets.length)
    for (const column of [batch.ids, batch.keys, batch.headers, batch.values])
      await markOdd(column, odd, turn)
    marks.push(odd)
  }
  return marks
}

/** So many cells are looked at between two looks at the clock. */
const CELL_COUNT = 16_384

async function markOdd(
  { data, ends }: BytesColumn,
  odd: RecordMarks,
  turn: () => Promise<void>,
): Promise<void> {
  for (let first = 0; first < ends.length; first += CELL_COUNT) {
    const last = Math.min(first + CELL_COUNT, ends.length)
    const begin = first === 0 ? 0 : ends[first - 1]!
    // As a Buffer, whose search runs many bytes at a time.
    const part = Buffer.from(data.buffer, data.byteOffset + begin, ends[last - 1]! - begin)
    let at = part.indexOf(0)
    while (at >= 0) {
      const index = cellAt(ends, begin + at)
      odd[index] = 1
      at = part.indexOf(0, ends[index]! - begin)
    }
    markTorn({ data, ends }, { first, last, whole: isUtf8(part) }, odd)
    await turn()
  }
}

/** The whole can be UTF-8 while a character is cut between two cells; then the second begins in its middle. */
function markTorn(
  { data, ends }: BytesColumn,
  { first, last, whole }: { first: number; last: number; whole: boolean },
  odd: RecordMarks,
): void {
  let start = first === 0 ? 0 : ends[first - 1]!
  for (let index = first; index < last; index += 1) {
    const end = ends[index]!
    const torn = end > start && (data[start]! & 0xc0) === 0x80
    if (torn || (!whole && !isUtf8(data.subarray(start, end)))) {
      odd[index] = 1
      if (torn && index > 0) odd[index - 1] = 1
    }
    start = end
  }
}

/** The cell that holds byte `at`. */
function cellAt(ends: Uint32Array, at: number): number {
  let low = 0
  let high = ends.length - 1
  while (low < high) {
    const middle = (low + high) >>> 1
    if (ends[middle]! > at) high = middle
    else low = middle + 1
  }
  return low
}

/**
 * Write all records but the odd ones into files, one after another; each is handed out when it is complete.
 * @throws EngineIoError when the disk does not take them
 */
export async function* writeStagingFiles(options: {
  readonly batches: readonly RecordBatch[]
  readonly odd: readonly RecordMarks[]
  readonly directory: string
  readonly name: string
  readonly signal?: AbortSignal | undefined
}): AsyncGenerator<StagingSlice> {
  const { batches, odd, directory, name, signal } = options
  const topics = [...new Set(batches.map((batch) => batch.topic))]
  const pieces = batches.flatMap((batch, index) =>
    piecesOf(withoutOdd(batch, odd[index]!), topics.indexOf(batch.topic)),
  )
  for (let next = 0, sliceIndex = 0; next < pieces.length; sliceIndex += 1) {
    const file = path.join(directory, `${name}-${sliceIndex}.parquet`)
    yield await writeSlice(file).catch((error) => {
      throw fileErrorOf(error, `write the batch into ${file}`)
    })

    async function writeSlice(file: string): Promise<StagingSlice> {
      await using handle = await open(file, 'w')
      const parquet = new PlainParquetFile()
      while (next < pieces.length && parquet.bytes < SLICE_BYTES_TARGET) {
        throwIfInterrupted(signal)
        await writeAll(handle, parquet.rowGroup(columnsOf(pieces[next]!)))
        next += 1
      }
      await writeAll(handle, parquet.footer())
      return { path: file, recordCount: parquet.rowCount }
    }
  }
}

/** Some records of a batch that go into one row group: `[start, end)`. */
interface Piece {
  readonly batch: RecordBatch
  readonly topicIndex: number
  readonly start: number
  readonly end: number
}

/** Cut by bytes, never within a record. */
function piecesOf(batch: RecordBatch, topicIndex: number): Piece[] {
  const { ends } = batch.values
  const pieces: Piece[] = []
  let start = 0
  while (start < ends.length) {
    const from = start === 0 ? 0 : ends[start - 1]!
    const last = cellAt(ends, Math.min(from + GROUP_BYTES_TARGET, ends.at(-1)! - 1))
    const end = Math.max(start, last) + 1
    pieces.push({ batch, topicIndex, start, end })
    start = end
  }
  return pieces
}

function columnsOf({ batch, topicIndex, start, end }: Piece): PlainColumn[] {
  const count = end - start
  const text = (name: string, cells: BytesColumn) =>
    ({ name, type: 'text', cells, start, end }) as const
  return [
    { name: 's_topic', type: 'int32', values: new Int32Array(count).fill(topicIndex) },
    { name: 's_partition', type: 'int32', values: new Int32Array(count).fill(batch.partition) },
    { name: 's_offset', type: 'float64', values: batch.offsets.subarray(start, end) },
    { name: 's_arrived', type: 'float64', values: batch.arrivedMs.subarray(start, end) },
    text('s_id', batch.ids),
    text('s_key', batch.keys),
    text('s_headers', batch.headers),
    text('s_value', batch.values),
  ]
}

/** The batch itself, or a copy without its odd records. */
function withoutOdd(batch: RecordBatch, odd: RecordMarks): RecordBatch {
  if (!odd.includes(1)) return batch
  const kept = [...odd.keys()].filter((index) => odd[index] === 0)
  const numbers = (values: Float64Array) => Float64Array.from(kept, (index) => values[index]!)
  const cells = (column: BytesColumn) => bytesColumn(kept.map((index) => bytesAt(column, index)))
  return {
    ...batch,
    offsets: numbers(batch.offsets),
    arrivedMs: numbers(batch.arrivedMs),
    ids: cells(batch.ids),
    keys: cells(batch.keys),
    headers: cells(batch.headers),
    values: cells(batch.values),
  }
}

/** One call may take less than it is given, such as the last bytes that a disk has room for, and say so without an error. */
async function writeAll(handle: FileHandle, parts: readonly Uint8Array[]): Promise<void> {
  for (const bytes of parts) {
    for (let at = 0; at < bytes.length; )
      at += (await handle.write(bytes, at, bytes.length - at)).bytesWritten
  }
}

/** Remove what `writeStagingFiles` left under `name`, when reading stopped before the end. */
export async function removeStagingFiles(directory: string, name: string): Promise<void> {
  for (const file of await readdir(directory)) {
    if (file.startsWith(`${name}-`)) await rm(path.join(directory, file), { force: true })
  }
}
