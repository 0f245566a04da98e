import { assert } from '../../model/errors.ts'
import type { BytesColumn } from '../../model/record-batch.ts'

// The plainest Parquet files there are: uncompressed, no nulls, one page for each column of a row group. Made for handing columns that lie in
// memory to the engine: numbers and bytes go out as they are, and only the lengths of byte strings are computed.
//
// Source: Apache Parquet format, "File format", "Data Pages" and Encodings.md (PLAIN = 0, DELTA_BINARY_PACKED = 5,
// DELTA_LENGTH_BYTE_ARRAY = 6); structures in Thrift's compact protocol, parquet.thrift.

/** The columns of one row group. All have as many cells. */
export type PlainColumn =
  | { readonly name: string; readonly type: 'int32'; readonly values: Int32Array }
  | { readonly name: string; readonly type: 'float64'; readonly values: Float64Array }
  /** Valid UTF-8. Cells `[start, end)` of the column. */
  | {
      readonly name: string
      readonly type: 'text'
      readonly cells: BytesColumn
      readonly start: number
      readonly end: number
    }

/** Where a page lies, for the footer. */
interface WrittenPage {
  readonly column: PlainColumn
  readonly valueCount: number
  readonly offset: number
  readonly bytes: number
}

const MAGIC = Buffer.from('PAR1')
const PHYSICAL = { int32: 1, float64: 5, text: 6 } as const
const ENCODING = { int32: 0, float64: 0, text: 6 } as const
const RLE = 3
const UTF8 = 0

/** Puts a file together; the parts are to be written one after another. */
export class PlainParquetFile {
  readonly #groups: (readonly WrittenPage[])[] = []
  #length = 0
  #rowCount = 0

  get bytes(): number {
    return this.#length
  }

  get rowCount(): number {
    return this.#rowCount
  }

  /** The parts of the file that hold a row group. They are views where they can be: nothing may change before they are written. */
  rowGroup(columns: readonly PlainColumn[]): Uint8Array[] {
    const parts: Uint8Array[] = []
    const put = (part: Uint8Array) => {
      parts.push(part)
      this.#length += part.length
    }
    if (this.#length === 0) put(MAGIC)
    const rowCount = cellCount(columns[0]!)
    const pages = columns.map((column): WrittenPage => {
      assert(cellCount(column) === rowCount, 'the columns of a row group have as many cells')
      const body = pageBody(column)
      const bodyBytes = body.reduce((sum, part) => sum + part.length, 0)
      const offset = this.#length
      put(pageHeader(column, rowCount, bodyBytes))
      body.forEach(put)
      return { column, valueCount: rowCount, offset, bytes: this.#length - offset }
    })
    this.#groups.push(pages)
    this.#rowCount += rowCount
    return parts
  }

  /** The end of the file. */
  footer(): Uint8Array[] {
    const metadata = fileMetadata(this.#groups, this.#rowCount)
    const length = Buffer.alloc(4)
    length.writeUInt32LE(metadata.length)
    return [metadata, length, MAGIC]
  }
}

function cellCount(column: PlainColumn): number {
  return column.type === 'text' ? column.end - column.start : column.values.length
}

function pageBody(column: PlainColumn): Uint8Array[] {
  if (column.type !== 'text') {
    const { buffer, byteOffset, byteLength } = column.values
    return [new Uint8Array(buffer, byteOffset, byteLength)]
  }
  const { cells, start, end } = column
  const from = start === 0 ? 0 : cells.ends[start - 1]!
  const to = end === 0 ? 0 : cells.ends[end - 1]!
  return [packedLengths(cells.ends, start, end), cells.data.subarray(from, to)]
}

const BLOCK_COUNT = 1024
const MINI_BLOCKS_PER_BLOCK = 4
const MINI_BLOCK_COUNT = BLOCK_COUNT / MINI_BLOCKS_PER_BLOCK

/**
 * Lengths of cells, DELTA_BINARY_PACKED. Widths are whole bytes, 0, 1, 2 or 4 of them, so that packing is storing: a few bits more than need
 * be in a file that lives for a moment.
 */
function packedLengths(ends: Uint32Array, start: number, end: number): Uint8Array {
  const count = end - start
  const deltaCount = Math.max(0, count - 1)
  const blockCount = Math.ceil(deltaCount / BLOCK_COUNT)
  const out = Buffer.allocUnsafe(32 + blockCount * (16 + 4 * BLOCK_COUNT))
  const first = start === 0 ? 0 : ends[start - 1]!
  let length = count === 0 ? 0 : ends[start]! - first
  let at = varint(out, 0, BLOCK_COUNT)
  at = varint(out, at, MINI_BLOCKS_PER_BLOCK)
  at = varint(out, at, count)
  at = varint(out, at, zigzag(length))
  const deltas = new Float64Array(BLOCK_COUNT)
  for (let done = 0; done < deltaCount; done += BLOCK_COUNT) {
    const some = Math.min(BLOCK_COUNT, deltaCount - done)
    let least = Number.POSITIVE_INFINITY
    for (let index = 0; index < some; index += 1) {
      const cell = start + done + index + 1
      const next = ends[cell]! - ends[cell - 1]!
      const delta = next - length
      length = next
      deltas[index] = delta
      if (delta < least) least = delta
    }
    at = varint(out, at, zigzag(least))
    at = putMiniBlocks(out, at, deltas, { some, least })
  }
  return out.subarray(0, at)
}

function putMiniBlocks(
  out: Buffer,
  widthsAt: number,
  deltas: Float64Array,
  { some, least }: { readonly some: number; readonly least: number },
): number {
  let at = widthsAt + MINI_BLOCKS_PER_BLOCK
  for (let block = 0; block < MINI_BLOCKS_PER_BLOCK; block += 1) {
    const from = block * MINI_BLOCK_COUNT
    const to = Math.min(from + MINI_BLOCK_COUNT, some)
    let most = 0
    for (let index = from; index < to; index += 1) most = Math.max(most, deltas[index]! - least)
    const width = most === 0 ? 0 : most < 0x100 ? 1 : most < 0x10000 ? 2 : 4
    // A mini block without values has a width all the same, and nothing else.
    out[widthsAt + block] = to > from ? width * 8 : 0
    if (to <= from || width === 0) continue
    const bytes = width * MINI_BLOCK_COUNT
    if (to - from < MINI_BLOCK_COUNT) out.fill(0, at, at + bytes)
    for (let index = from; index < to; index += 1) {
      let rest = deltas[index]! - least
      const place = at + (index - from) * width
      for (let byte = 0; byte < width; byte += 1) {
        out[place + byte] = rest & 0xff
        rest = Math.floor(rest / 0x100)
      }
    }
    at += bytes
  }
  return at
}

const zigzag = (value: number) => (value < 0 ? -2 * value - 1 : 2 * value)

function varint(out: Buffer, at: number, value: number): number {
  let rest = value
  let place = at
  while (rest >= 0x80) {
    out[place++] = (rest % 0x80) | 0x80
    rest = Math.floor(rest / 0x80)
  }
  out[place++] = rest
  return place
}

function pageHeader(column: PlainColumn, valueCount: number, bytes: number): Uint8Array {
  const out = new CompactWriter()
  out.int(1, 0) // DATA_PAGE
  out.int(2, bytes)
  out.int(3, bytes)
  out.struct(5, () => {
    out.int(1, valueCount)
    out.int(2, ENCODING[column.type])
    out.int(3, RLE)
    out.int(4, RLE)
  })
  return out.finish()
}

function fileMetadata(groups: readonly (readonly WrittenPage[])[], rowCount: number): Uint8Array {
  const columns = groups[0]!.map(({ column }) => column)
  const out = new CompactWriter()
  out.int(1, 2)
  out.structs(2, [undefined, ...columns], (column) => {
    if (column !== undefined) {
      out.int(1, PHYSICAL[column.type])
      out.int(3, 0) // REQUIRED
    }
    out.text(4, column?.name ?? 'root')
    if (column === undefined) out.int(5, columns.length)
    else if (column.type === 'text') out.int(6, UTF8)
  })
  out.long(3, rowCount)
  out.structs(4, groups, (pages) => {
    out.structs(1, pages, (page) => columnChunk(out, page))
    out.long(
      2,
      pages.reduce((sum, { bytes }) => sum + bytes, 0),
    )
    out.long(3, pages[0]!.valueCount)
  })
  return out.finish()
}

function columnChunk(out: CompactWriter, { column, valueCount, offset, bytes }: WrittenPage): void {
  out.long(2, offset)
  out.struct(3, () => {
    out.int(1, PHYSICAL[column.type])
    out.ints(2, [ENCODING[column.type]])
    out.texts(3, [column.name])
    out.int(4, 0) // UNCOMPRESSED
    out.long(5, valueCount)
    out.long(6, bytes)
    out.long(7, bytes)
    out.long(9, offset)
  })
}

const TYPE = { i32: 5, i64: 6, binary: 8, list: 9, struct: 12 } as const

/** Thrift's compact protocol, as far as Parquet's metadata needs it. Fields must come in ascending order. */
class CompactWriter {
  #out = Buffer.alloc(256)
  #at = 0
  #field = 0

  int(field: number, value: number): void {
    this.#head(field, TYPE.i32)
    this.#varint(zigzag(value))
  }

  long(field: number, value: number): void {
    this.#head(field, TYPE.i64)
    this.#varint(zigzag(value))
  }

  text(field: number, text: string): void {
    this.#head(field, TYPE.binary)
    this.#text(text)
  }

  ints(field: number, values: readonly number[]): void {
    this.#list(field, TYPE.i32, values.length)
    for (const value of values) this.#varint(zigzag(value))
  }

  texts(field: number, values: readonly string[]): void {
    this.#list(field, TYPE.binary, values.length)
    for (const value of values) this.#text(value)
  }

  struct(field: number, write: () => void): void {
    this.#head(field, TYPE.struct)
    this.#nested(write)
  }

  structs<T>(field: number, items: readonly T[], write: (item: T) => void): void {
    this.#list(field, TYPE.struct, items.length)
    for (const item of items) this.#nested(() => write(item))
  }

  finish(): Uint8Array {
    this.#byte(0)
    return this.#out.subarray(0, this.#at)
  }

  #nested(write: () => void): void {
    const outer = this.#field
    this.#field = 0
    write()
    this.#byte(0)
    this.#field = outer
  }

  #head(field: number, type: number): void {
    assert(field > this.#field && field - this.#field < 16, 'fields come in order and near')
    this.#byte(((field - this.#field) << 4) | type)
    this.#field = field
  }

  #list(field: number, type: number, count: number): void {
    this.#head(field, TYPE.list)
    if (count < 15) this.#byte((count << 4) | type)
    else {
      this.#byte(0xf0 | type)
      this.#varint(count)
    }
  }

  #text(text: string): void {
    const bytes = Buffer.from(text)
    this.#varint(bytes.length)
    this.#reserve(bytes.length)
    this.#at += bytes.copy(this.#out, this.#at)
  }

  #varint(value: number): void {
    this.#reserve(10)
    this.#at = varint(this.#out, this.#at, value)
  }

  #byte(byte: number): void {
    this.#reserve(1)
    this.#out[this.#at++] = byte
  }

  #reserve(bytes: number): void {
    if (this.#at + bytes <= this.#out.length) return
    const larger = Buffer.alloc(2 * (this.#at + bytes))
    this.#out.copy(larger)
    this.#out = larger
  }
}
