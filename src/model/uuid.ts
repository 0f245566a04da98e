import type { Clock, Randomness } from './clock.ts'

/** The character codes of the sixteen hex digits. */
const DIGITS = Buffer.from('0123456789abcdef')

/**
 * A maker of UUIDs of version 7, strictly increasing within one maker, so that ids sort by arrival.
 * Layout: 48 bits of milliseconds, 12 bits of counter, 62 bits of chance (RFC 9562, 5.7 and 6.2 method 1).
 */
export function uuidV7Maker(clock: Clock, randomness: Randomness): () => string {
  const pool = new Uint8Array(8 * 512)
  let poolIndex = pool.length
  let lastMs = 0
  let counter = 0
  // Written as bytes and read out at once: joining pieces of text would leave a tree of small strings behind for
  // every id, and batches of a hundred thousand records hold that many ids at one time.
  const text = Buffer.from('00000000-0000-7000-8000-000000000000')
  const write = (at: number, byte: number) => {
    text[at] = DIGITS[byte >>> 4]!
    text[at + 1] = DIGITS[byte & 15]!
  }
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
    write(0, (high >>> 24) & 255)
    write(2, (high >>> 16) & 255)
    write(4, (high >>> 8) & 255)
    write(6, high & 255)
    write(9, low >>> 8)
    write(11, low & 255)
    write(14, 0x70 | (counter >>> 8))
    write(16, counter & 255)
    write(19, 0x80 | (pool[poolIndex]! & 0x3f))
    write(21, pool[poolIndex + 1]!)
    for (let index = 2; index < 8; index += 1) write(20 + 2 * index, pool[poolIndex + index]!)
    poolIndex += 8
    return text.toString('latin1')
  }
}
