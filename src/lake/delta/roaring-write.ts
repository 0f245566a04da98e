/**
 * Writing 64-bit Roaring bitmaps in their portable form; the layout is in `roaring.ts`. Containers are arrays up to 4,096
 * numbers and bitmaps above; runs are never written, which every reader takes.
 */
const COOKIE_PLAIN = 12_346
const ARRAY_CARDINALITY_MAX = 4096
const BITMAP_BYTES = 8192

interface Container {
  /** The number's upper part: everything but the lowest 16 bits. */
  readonly key: number
  readonly start: number
  readonly end: number
}

/** @param values ascending, each once, whole, from 0 to 2^53 - 1 */
export function writeRoaring64(values: Float64Array): Uint8Array {
  const buckets = new Map<number, Container[]>()
  for (const container of containersOf(values)) {
    const high = Math.floor(container.key / 65_536)
    const containers = buckets.get(high)
    if (containers === undefined) buckets.set(high, [container])
    else containers.push(container)
  }
  let size = 8
  for (const containers of buckets.values()) {
    size += 4 + 8 + 8 * containers.length
    for (const container of containers) size += containerBytes(container)
  }
  const bytes = new Uint8Array(size)
  const view = new DataView(bytes.buffer)
  view.setBigUint64(0, BigInt(buckets.size), true)
  let at = 8
  for (const [high, containers] of buckets) {
    view.setUint32(at, high, true)
    at = writeBitmap32(view, at + 4, containers, values)
  }
  return bytes
}

function* containersOf(values: Float64Array): Iterable<Container> {
  for (let start = 0; start < values.length; ) {
    const key = Math.floor(values[start]! / 65_536)
    const limit = (key + 1) * 65_536
    let end = start + 1
    while (end < values.length && values[end]! < limit) end += 1
    yield { key, start, end }
    start = end
  }
}

function containerBytes({ start, end }: Container): number {
  const count = end - start
  return count <= ARRAY_CARDINALITY_MAX ? 2 * count : BITMAP_BYTES
}

/** @returns where the bitmap ends */
function writeBitmap32(
  view: DataView,
  begin: number,
  containers: readonly Container[],
  values: Float64Array,
): number {
  view.setUint32(begin, COOKIE_PLAIN, true)
  view.setUint32(begin + 4, containers.length, true)
  const positionsAt = begin + 8 + 4 * containers.length
  let at = positionsAt + 4 * containers.length
  for (const [index, container] of containers.entries()) {
    const { key, start, end } = container
    view.setUint16(begin + 8 + 4 * index, key % 65_536, true)
    view.setUint16(begin + 10 + 4 * index, end - start - 1, true)
    view.setUint32(positionsAt + 4 * index, at - begin, true)
    if (end - start <= ARRAY_CARDINALITY_MAX) {
      for (let value = start; value < end; value += 1)
        view.setUint16(at + 2 * (value - start), values[value]! % 65_536, true)
    } else
      for (let value = start; value < end; value += 1) {
        const low = values[value]! % 65_536
        const byte = at + (low >> 3)
        view.setUint8(byte, view.getUint8(byte) | (1 << (low & 7)))
      }
    at += containerBytes(container)
  }
  return at
}
