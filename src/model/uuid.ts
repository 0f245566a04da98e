import type { Clock, Randomness } from './clock.ts'

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/**
 * A maker of UUIDs of version 7, strictly increasing within one maker, so that ids sort by arrival.
 * Layout: 48 bits of milliseconds, 12 bits of counter, 62 bits of chance (RFC 9562, 5.7 and 6.2 method 1).
 */
export function uuidV7Maker(clock: Clock, randomness: Randomness): () => string {
  const pool = new Uint8Array(8 * 512)
  let poolIndex = pool.length
  let lastMs = 0
  let counter = 0
  return () => {
    const nowMs = clock.nowMs()
    if (nowMs > lastMs) {
      lastMs = nowMs
      counter = 0
    } else if (++counter > 0xfff) {
      // The counter is spent, or the clock stepped back: borrow the next millisecond, stay increasing.
      lastMs += 1
      counter = 0
    }
    if (poolIndex === pool.length) {
      randomness.bytes(pool)
      poolIndex = 0
    }
    const high = Math.floor(lastMs / 0x10000)
    const low = lastMs % 0x10000
    const r = poolIndex
    poolIndex += 8
    return (
      `${HEX[(high >>> 24) & 255]}${HEX[(high >>> 16) & 255]}${HEX[(high >>> 8) & 255]}${HEX[high & 255]}-` +
      `${HEX[low >>> 8]}${HEX[low & 255]}-` +
      `${HEX[0x70 | (counter >>> 8)]}${HEX[counter & 255]}-` +
      `${HEX[0x80 | (pool[r]! & 0x3f)]}${HEX[pool[r + 1]!]}-` +
      `${HEX[pool[r + 2]!]}${HEX[pool[r + 3]!]}${HEX[pool[r + 4]!]}${HEX[pool[r + 5]!]}${HEX[pool[r + 6]!]}${HEX[pool[r + 7]!]}`
    )
  }
}
