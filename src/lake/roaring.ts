/**
 * Reading 64-bit Roaring bitmaps in their portable form (https://github.com/RoaringBitmap/RoaringFormatSpec, with its
 * extension for 64 bits). All numbers are little-endian.
 *
 * 64 bits:   u64 bucket count, then for each bucket: u32 key (the upper half), a 32-bit bitmap (the lower halves)
 * 32 bits:   cookie 12347 | (container count - 1) << 16, run flags (1 bit per container, whole bytes),
 *              or cookie 12346, u32 container count
 *            per container: u16 key, u16 cardinality - 1
 *            without run flags, or with 4 containers and more: per container u32 position
 *            per container: runs   u16 run count, then u16 start, u16 length - 1 each
 *                           array  u16 each, when cardinality <= 4096
 *                           bitmap 8192 bytes otherwise
 */
const COOKIE_RUNS = 12_347
const COOKIE_PLAIN = 12_346
const OFFSETS_WITH_RUNS_FROM = 4
const ARRAY_CARDINALITY_MAX = 4096
const BITMAP_BYTES = 8192

/** All numbers in the bitmap, ascending. @throws RangeError when the bytes are no such bitmap */
export function readRoaring64(bytes: Uint8Array): Float64Array {
  const reader = new Reader(bytes)
  const bucketCount = reader.u32() + reader.u32() * 2 ** 32
  const chunks: Float64Array[] = []
  let count = 0
  for (let bucket = 0; bucket < bucketCount; bucket += 1) {
    const base = reader.u32() * 2 ** 32
    count += readRoaring32(reader, base, chunks)
  }
  const all = new Float64Array(count)
  let end = 0
  for (const chunk of chunks) {
    all.set(chunk, end)
    end += chunk.length
  }
  return all
}

function readRoaring32(reader: Reader, base: number, into: Float64Array[]): number {
  const cookie = reader.u32()
  let containerCount: number
  let runFlags: Uint8Array | undefined
  if ((cookie & 0xffff) === COOKIE_RUNS) {
    containerCount = (cookie >>> 16) + 1
    runFlags = reader.bytes((containerCount + 7) >> 3)
  } else if (cookie === COOKIE_PLAIN) {
    containerCount = reader.u32()
    if (containerCount > 65_536) throw new RangeError('too many containers')
  } else throw new RangeError(`unknown cookie ${cookie}`)
  const headers: { key: number; cardinality: number }[] = []
  for (let index = 0; index < containerCount; index += 1)
    headers.push({ key: reader.u16(), cardinality: reader.u16() + 1 })
  if (runFlags === undefined || containerCount >= OFFSETS_WITH_RUNS_FROM)
    reader.bytes(4 * containerCount)
  let count = 0
  for (const [index, { key, cardinality }] of headers.entries()) {
    const isRuns = runFlags !== undefined && ((runFlags[index >> 3]! >> (index & 7)) & 1) === 1
    const values = readContainer(reader, base + key * 65_536, cardinality, isRuns)
    into.push(values)
    count += values.length
  }
  return count
}

function readContainer(
  reader: Reader,
  base: number,
  cardinality: number,
  isRuns: boolean,
): Float64Array {
  const values = new Float64Array(cardinality)
  let end = 0
  if (isRuns) {
    const runCount = reader.u16()
    for (let run = 0; run < runCount; run += 1) {
      const start = base + reader.u16()
      const length = reader.u16() + 1
      if (end + length > cardinality) throw new RangeError('runs exceed their cardinality')
      for (let step = 0; step < length; step += 1) values[end++] = start + step
    }
  } else if (cardinality <= ARRAY_CARDINALITY_MAX) {
    while (end < cardinality) values[end++] = base + reader.u16()
  } else {
    const bits = reader.bytes(BITMAP_BYTES)
    for (let byte = 0; byte < BITMAP_BYTES; byte += 1)
      for (let rest = bits[byte]!; rest !== 0; rest &= rest - 1) {
        if (end === cardinality) throw new RangeError('more bits than the cardinality says')
        values[end++] = base + byte * 8 + (31 - Math.clz32(rest & -rest))
      }
  }
  if (end !== cardinality) throw new RangeError('fewer values than the cardinality says')
  return values
}

class Reader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  u16(): number {
    this.#at += 2
    return this.#view.getUint16(this.#at - 2, true)
  }

  u32(): number {
    this.#at += 4
    return this.#view.getUint32(this.#at - 4, true)
  }

  bytes(count: number): Uint8Array {
    if (this.#at + count > this.#bytes.length) throw new RangeError('the bitmap ends too early')
    this.#at += count
    return this.#bytes.subarray(this.#at - count, this.#at)
  }
}
