import { crc32 } from 'node:zlib'

// The stored form of consecutive records of one partition: a batch blob. Numbers are little-endian;
// columns lie one after another, each aligned for a typed-array view, so that writing and reading
// move whole columns and never single records. Read by `batch-decode.ts`; described for other
// programs in docs/PROTOCOL.md, "Batch blob".
//
//   byte      type        what
//   0         u8          version, 1
//   1         u8          flags; bit 0: ids of this batch are in the id index
//   2         u16         0
//   4         u32         CRC-32 (IEEE 802.3) of bytes 8 to the end
//   8         u32 u32     offset of the first record, low half first
//   16        u32         number of the partition among all partitions of the file
//   20        u32         record count, n
//   24        u32         bytes of all ids
//   28        u32         bytes of all keys
//   32        u32         bytes of all headers
//   36        u32         bytes of all values
//   40        f64 × n     arrived, milliseconds since 1970
//   40 +  8n  u32 × n     end of each id, key, header, value in its column: four arrays
//   40 + 24n  bytes       ids, keys, headers, values: UTF-8 text, text, JSON object, anything

export const BATCH_VERSION = 1
export const BATCH_HEADER_BYTES = 40
/** Of the fixed-width columns: one f64 and four u32. */
export const BATCH_RECORD_BYTES = 24
export const FLAG_INDEXED_IDS = 1

/**
 * Texts or byte strings on their way into one column. Grows; is emptied and used again, so that a
 * steady load allocates nothing.
 */
class ColumnBuilder {
  #data = Buffer.allocUnsafeSlow(1024)
  #ends = new Uint32Array(64)
  #bytes = 0

  get bytes(): number {
    return this.#bytes
  }

  /** Cell `index`, which must be the next one. */
  text(index: number, text: string): void {
    const { length } = text
    let at = this.#bytes
    if (length > 0) {
      this.#reserve(3 * length)
      const data = this.#data
      const start = at
      let unit = 0
      // For short ASCII text a loop beats the call into native code.
      for (; unit < length && length <= 96; unit += 1) {
        const code = text.charCodeAt(unit)
        if (code > 127) break
        data[at] = code
        at += 1
      }
      if (unit < length) at = start + data.write(text, start)
      this.#bytes = at
    }
    this.#end(index, at)
  }

  /** Cell `index` equal to the one before it. */
  repeat(index: number): void {
    const end = this.#ends[index - 1]!
    const start = index < 2 ? 0 : this.#ends[index - 2]!
    this.#reserve(end - start)
    this.#data.copyWithin(end, start, end)
    this.#bytes = end + end - start
    this.#end(index, this.#bytes)
  }

  copyTo(target: Uint8Array, at: number, endsAt: number, count: number): void {
    target.set(this.#data.subarray(0, this.#bytes), at)
    new Uint32Array(target.buffer, target.byteOffset + endsAt, count).set(
      this.#ends.subarray(0, count),
    )
  }

  clear(): void {
    this.#bytes = 0
    // One huge batch must not hold its memory for ever.
    if (this.#data.length > 1 << 20) this.#data = Buffer.allocUnsafeSlow(1024)
    if (this.#ends.length > 1 << 16) this.#ends = new Uint32Array(64)
  }

  #end(index: number, end: number): void {
    if (index >= this.#ends.length) {
      const ends = new Uint32Array(this.#ends.length * 2)
      ends.set(this.#ends)
      this.#ends = ends
    }
    this.#ends[index] = end
  }

  #reserve(bytes: number): void {
    const needed = this.#bytes + bytes
    if (needed <= this.#data.length) return
    const data = Buffer.allocUnsafeSlow(Math.max(needed, this.#data.length * 2))
    data.set(this.#data.subarray(0, this.#bytes))
    this.#data = data
  }
}

/**
 * Gathers records of one partition and lays them out as a batch blob. Used again and again for the
 * same partition.
 */
export class BatchBuilder {
  readonly #ids = new ColumnBuilder()
  readonly #keys = new ColumnBuilder()
  readonly #headers = new ColumnBuilder()
  #values: Uint8Array[] = []
  #valueBytes = 0
  #arrived = new Float64Array(64)
  #headersBefore: object | undefined
  #count = 0

  get count(): number {
    return this.#count
  }

  /** Bytes of the blob as it stands, a multiple of 8 so that blobs can lie one after another. */
  get alignedBytes(): number {
    return (this.#bytes + 7) & ~7
  }

  get #bytes(): number {
    const data = this.#ids.bytes + this.#keys.bytes + this.#headers.bytes + this.#valueBytes
    return BATCH_HEADER_BYTES + BATCH_RECORD_BYTES * this.#count + data
  }

  add(
    id: string,
    key: string | null,
    headers: Readonly<Record<string, string>> | undefined,
    value: Uint8Array,
    arrivedMs: number,
  ): void {
    const index = this.#count
    this.#ids.text(index, id)
    this.#keys.text(index, key ?? '')
    // Records of one request usually share one headers object; it is spelled out once.
    if (index > 0 && headers !== undefined && headers === this.#headersBefore)
      this.#headers.repeat(index)
    else this.#headers.text(index, headersText(headers))
    this.#headersBefore = headers
    this.#values.push(value)
    this.#valueBytes += value.length
    if (index >= this.#arrived.length) {
      const arrived = new Float64Array(this.#arrived.length * 2)
      arrived.set(this.#arrived)
      this.#arrived = arrived
    }
    this.#arrived[index] = arrivedMs
    this.#count = index + 1
  }

  /**
   * Write the blob at `at` (a multiple of 8) and become empty. Returns its exact length. First
   * offset, partition, flags and checksum are left to `sealBatch`, on the thread that knows them.
   */
  layOut(buffer: ArrayBuffer, at: number): number {
    const count = this.#count
    const bytes = this.#bytes
    const target = new Uint8Array(buffer, at, bytes)
    const header = new Uint32Array(buffer, at, BATCH_HEADER_BYTES / 4)
    header[0] = BATCH_VERSION
    header[5] = count
    header[6] = this.#ids.bytes
    header[7] = this.#keys.bytes
    header[8] = this.#headers.bytes
    header[9] = this.#valueBytes
    new Float64Array(buffer, at + BATCH_HEADER_BYTES, count).set(this.#arrived.subarray(0, count))
    let endsAt = BATCH_HEADER_BYTES + 8 * count
    let dataAt = BATCH_HEADER_BYTES + BATCH_RECORD_BYTES * count
    for (const column of [this.#ids, this.#keys, this.#headers]) {
      column.copyTo(target, dataAt, endsAt, count)
      endsAt += 4 * count
      dataAt += column.bytes
      column.clear()
    }
    const ends = new Uint32Array(buffer, at + endsAt, count)
    let end = 0
    for (let index = 0; index < count; index += 1) {
      const value = this.#values[index]!
      target.set(value, dataAt + end)
      end += value.length
      ends[index] = end
    }
    this.#values = []
    this.#valueBytes = 0
    this.#headersBefore = undefined
    this.#count = 0
    return bytes
  }
}

/** What JSON writes as it is. */
const PLAIN_TEXT = /^[ !#-[\]-~]*$/

/** Names that need no look; one of them is on every record. */
const PLAIN_NAMES: ReadonlySet<string> = new Set(['traceparent'])

/** The stored text of headers: empty when there are none. */
export function headersText(headers: Readonly<Record<string, string>> | undefined): string {
  if (headers === undefined) return ''
  let text = ''
  // Put together by hand, because every request has its own `traceparent` and little else.
  for (const name in headers) {
    const value = headers[name]!
    if (!(PLAIN_NAMES.has(name) || PLAIN_TEXT.test(name)) || !PLAIN_TEXT.test(value))
      return JSON.stringify(headers)
    text += `${text === '' ? '{' : ','}"${name}":"${value}"`
  }
  return text === '' ? '' : `${text}}`
}

/** Complete a blob in place: where it stands, and the checksum over everything that follows it. */
export function sealBatch(
  blob: Uint8Array,
  { offset, partitionNumber, flags }: { offset: number; partitionNumber: number; flags: number },
): void {
  const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength)
  view.setUint8(1, flags)
  view.setUint32(8, offset % 0x1_0000_0000, true)
  view.setUint32(12, Math.floor(offset / 0x1_0000_0000), true)
  view.setUint32(16, partitionNumber, true)
  view.setUint32(4, crc32(blob.subarray(8)), true)
}
