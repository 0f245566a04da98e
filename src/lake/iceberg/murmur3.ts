/**
 * The 32-bit Murmur3 hash, x86 variant, seed 0, as a signed number (table spec, "Appendix B: 32-bit Hash Requirements").
 * Four bytes at a time, little-endian; the one to three left over are mixed in without the rotation of the state.
 */
export function murmur3(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const wholeEnd = bytes.length & ~3
  let hash = 0
  for (let at = 0; at < wholeEnd; at += 4) {
    hash ^= scrambled(view.getInt32(at, true))
    hash = rotated(hash, 13)
    hash = (Math.imul(hash, 5) + 0xe6546b64) | 0
  }
  let rest = 0
  for (let at = bytes.length - 1; at >= wholeEnd; at -= 1) rest = (rest << 8) | bytes[at]!
  hash ^= scrambled(rest)
  hash ^= bytes.length
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return hash ^ (hash >>> 16)
}

const scrambled = (block: number) =>
  Math.imul(rotated(Math.imul(block, 0xcc9e2d51), 15), 0x1b873593)

const rotated = (value: number, bits: number) => (value << bits) | (value >>> (32 - bits))
