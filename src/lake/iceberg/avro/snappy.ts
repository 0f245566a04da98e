/**
 * Snappy's raw format, reading only (https://github.com/google/snappy/blob/main/format_description.txt).
 *
 *   varint uncompressed length, then elements, each with a tag byte:
 *     xxxxxx00            literal: length - 1 in the upper six bits; 60 to 63 say that 1 to 4 bytes with it follow
 *     ooolll01 oooooooo   copy of lll + 4 bytes from offset (11 bits) back
 *     llllll10 u16        copy of llllll + 1 bytes from offset back
 *     llllll11 u32        copy of llllll + 1 bytes from offset back
 *
 * @throws RangeError when the bytes are not that
 */
export function unsnappy(from: Uint8Array): Uint8Array {
  let at = 0
  const next = (): number => {
    const byte = from[at++]
    if (byte === undefined) throw new RangeError('snappy data ends too early')
    return byte
  }
  const little = (count: number): number => {
    let value = 0
    for (let index = 0; index < count; index += 1) value += next() * 2 ** (8 * index)
    return value
  }
  let length = 0
  for (let scale = 1; ; scale *= 128) {
    const byte = next()
    length += (byte & 0x7f) * scale
    if (byte < 0x80) break
  }
  // No element yields more than 64 bytes for its three, literals aside.
  if (length > from.length * 64) throw new RangeError('snappy data is too short for its length')
  const to = new Uint8Array(length)
  let end = 0
  while (at < from.length) {
    const tag = next()
    if ((tag & 3) === 0) {
      const short = tag >> 2
      const count = (short < 60 ? short : little(short - 59)) + 1
      if (at + count > from.length || end + count > length)
        throw new RangeError('a snappy literal is too long')
      to.set(from.subarray(at, at + count), end)
      at += count
      end += count
      continue
    }
    const isShort = (tag & 3) === 1
    const count = isShort ? ((tag >> 2) & 7) + 4 : (tag >> 2) + 1
    const offset = isShort ? (tag >> 5) * 256 + next() : little((tag & 3) === 2 ? 2 : 4)
    if (offset === 0 || offset > end || end + count > length)
      throw new RangeError('a snappy copy is out of bounds')
    // Byte by byte, because a copy may reach into what it writes itself.
    for (let step = 0; step < count; step += 1, end += 1) to[end] = to[end - offset]!
  }
  if (end !== length) throw new RangeError('snappy data is shorter than it says')
  return to
}
