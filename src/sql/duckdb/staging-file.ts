import { isUtf8 } from 'node:buffer'
import { type FileHandle, open, readdir, rm } from 'node:fs/promises'
import path from 'node:path'
import type { BytesColumn, RecordBatch } from '../../model/record-batch.ts'
import { throwIfInterrupted, turnTaker } from './engine.ts'
import { fileErrorOf } from './errors.ts'
import { quoteText } from './quote-identifier.ts'

// Records reach the engine through a file, because handing over half a million strings a second one by one costs more
// than writing them out and letting DuckDB's own reader run over them. Nothing is quoted or escaped: a record whose
// bytes could be mistaken for the layout does not go this way (`odd`).
//
// One line for each record, tab-separated, no header:
//
//   topic-index \t partition \t offset \t arrivedMs \t id \t key \t headers \t value \n

/** Lines are gathered in buffers of this size; between two the event loop runs. About 3 ms of work. */
const BUFFER_BYTES = 1024 * 1024
/** A file ends after so many bytes, so that the engine reads one while the next is written. */
export const SLICE_BYTES_TARGET = 16 * 1024 * 1024

/** Where a record is within the batches handed over. */
export interface RecordPlace {
  readonly batchIndex: number
  readonly recordIndex: number
}

/** One staging file, complete. */
export interface StagingSlice {
  readonly path: string
  readonly recordCount: number
  readonly lineBytesMax: number
}

/** The file as an SQL table source with the columns `s_topic, s_partition, s_offset, s_arrived, s_id, s_key, s_headers, s_value`. */
export function stagingSource(slice: StagingSlice): string {
  const lineBytesMax = Math.max(slice.lineBytesMax + 1024, 2 * 1024 * 1024)
  // A buffer is one unit of parallel work; it must hold a line.
  const bufferBytes = Math.max(4 * 1024 * 1024, 2 * lineBytesMax)
  return (
    `read_csv(${quoteText(slice.path)}, delim = '\t', quote = '', escape = '', header = false, auto_detect = false, ` +
    `max_line_size = ${lineBytesMax}, buffer_size = ${bufferBytes}, columns = {` +
    `s_topic: 'INTEGER', s_partition: 'INTEGER', s_offset: 'BIGINT', s_arrived: 'BIGINT', ` +
    `s_id: 'VARCHAR', s_key: 'VARCHAR', s_headers: 'VARCHAR', s_value: 'VARCHAR'})`
  )
}

/** One byte for each record of a batch: 1 where something is said of it, 0 elsewhere. */
export type RecordMarks = Uint8Array

/**
 * The records that may not travel in lines, marked: some byte of theirs is a tab, a line end or NUL, or some cell is not
 * UTF-8. Looks at whole columns first, so a clean batch costs nearly nothing.
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

const LAYOUT_BYTES = [0, 9, 10, 13]
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
    for (const byte of LAYOUT_BYTES) {
      let at = part.indexOf(byte)
      while (at >= 0) {
        const index = cellAt(ends, begin + at)
        odd[index] = 1
        at = part.indexOf(byte, ends[index]! - begin)
      }
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
  const place = { batchIndex: 0, recordIndex: 0 }
  for (let sliceIndex = 0; place.batchIndex < batches.length; sliceIndex += 1) {
    const file = path.join(directory, `${name}-${sliceIndex}.tsv`)
    const slice = await writeSlice(file, place).catch((error) => {
      throw fileErrorOf(error, `write the batch into ${file}`)
    })
    if (slice.recordCount > 0) yield slice
    else await rm(slice.path)
  }

  async function writeSlice(file: string, from: typeof place): Promise<StagingSlice> {
    await using handle = await open(file, 'w')
    let filling = new LineBuffer()
    let writing = new LineBuffer()
    let written: Promise<unknown> = Promise.resolve()
    let bytes = 0
    let recordCount = 0
    while (from.batchIndex < batches.length && bytes < SLICE_BYTES_TARGET) {
      throwIfInterrupted(signal)
      const batch = batches[from.batchIndex]!
      const topicIndex = topics.indexOf(batch.topic)
      const before = from.recordIndex
      from.recordIndex = filling.fill(batch, topicIndex, before, odd[from.batchIndex]!)
      recordCount += filling.takeLineCount()
      if (from.recordIndex < batch.offsets.length) {
        await written
        bytes += filling.length
        written = writeAll(handle, filling.bytes.subarray(0, filling.length))
        // Heard at the next `await written`, or not at all when we are interrupted before.
        written.catch(() => {})
        ;[filling, writing] = [writing, filling]
        filling.length = 0
      } else {
        from.batchIndex += 1
        from.recordIndex = 0
      }
    }
    await written
    await writeAll(handle, filling.bytes.subarray(0, filling.length))
    const lineBytesMax = Math.max(filling.lineBytesMax, writing.lineBytesMax)
    return { path: file, recordCount, lineBytesMax }
  }
}

/** One call may take less than it is given, such as the last bytes that a disk has room for, and say so without an error. */
async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; )
    at += (await handle.write(bytes, at, bytes.length - at)).bytesWritten
}

/** Remove what `writeStagingFiles` left under `name`, when reading stopped before the end. */
export async function removeStagingFiles(directory: string, name: string): Promise<void> {
  for (const file of await readdir(directory)) {
    if (file.startsWith(`${name}-`)) await rm(path.join(directory, file), { force: true })
  }
}

/** A buffer that lines are put into until it is full. */
class LineBuffer {
  bytes: Buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES)
  length = 0
  lineBytesMax = 0
  #lineCount = 0

  /** Put records in from `recordIndex` on; returns where it stopped. Takes at least one when the buffer is empty. */
  fill(batch: RecordBatch, topicIndex: number, recordIndex: number, odd: RecordMarks): number {
    const { offsets, arrivedMs, ids, keys, headers, values } = batch
    const { partition } = batch
    let index = recordIndex
    for (; index < offsets.length; index += 1) {
      if (odd[index] === 1) continue
      const lineBytesMax =
        // Four numbers of at most 20 digits, and eight separators.
        90 +
        cellBytes(ids, index) +
        cellBytes(keys, index) +
        cellBytes(headers, index) +
        cellBytes(values, index)
      if (this.length + lineBytesMax > this.bytes.length && !this.#makeRoom(lineBytesMax)) break
      if (lineBytesMax > this.lineBytesMax) this.lineBytesMax = lineBytesMax
      this.#number(topicIndex)
      this.#number(partition)
      this.#number(offsets[index]!)
      this.#number(Math.trunc(arrivedMs[index]!))
      this.#cell(ids, index, TAB)
      this.#cell(keys, index, TAB)
      this.#cell(headers, index, TAB)
      this.#cell(values, index, LINE_FEED)
      this.#lineCount += 1
    }
    return index
  }

  takeLineCount(): number {
    const count = this.#lineCount
    this.#lineCount = 0
    return count
  }

  /** Only an empty buffer grows, for the one line that is larger than any buffer. */
  #makeRoom(lineBytes: number): boolean {
    if (this.length > 0) return false
    this.bytes = Buffer.allocUnsafeSlow(lineBytes)
    return true
  }

  #number(value: number): void {
    const { bytes } = this
    let rest = value
    if (rest < 0) {
      bytes[this.length++] = 45
      rest = -rest
    }
    let digitCount = 1
    for (let power = 10; power <= rest; power *= 10) digitCount += 1
    let at = this.length + digitCount
    this.length = at
    // Whole numbers of 32 bits divide much faster, so the upper digits of long ones are split off first.
    while (rest > 0x7fffffff) {
      const upper = Math.floor(rest / 1e6)
      let lower = (rest - upper * 1e6) | 0
      for (let digit = 0; digit < 6; digit += 1) {
        const next = (lower / 10) | 0
        bytes[--at] = 48 + lower - next * 10
        lower = next
      }
      rest = upper
    }
    let small = rest | 0
    do {
      const next = (small / 10) | 0
      bytes[--at] = 48 + small - next * 10
      small = next
    } while (small > 0)
    bytes[this.length++] = TAB
  }

  #cell(column: BytesColumn, index: number, separator: number): void {
    const { data, ends } = column
    const { bytes } = this
    const start = index === 0 ? 0 : ends[index - 1]!
    const end = ends[index]!
    let at = this.length
    if (end - start <= COPY_BY_HAND_BYTES_MAX) {
      for (let from = start; from < end; from += 1) bytes[at++] = data[from]!
    } else {
      bytes.set(data.subarray(start, end), at)
      at += end - start
    }
    bytes[at] = separator
    this.length = at + 1
  }
}

const TAB = 9
const LINE_FEED = 10
/** Up to here a loop beats the call that copies a view. */
const COPY_BY_HAND_BYTES_MAX = 48

function cellBytes({ ends }: BytesColumn, index: number): number {
  return ends[index]! - (index === 0 ? 0 : ends[index - 1]!)
}
