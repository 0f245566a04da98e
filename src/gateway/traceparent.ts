import type { Randomness } from '../model/clock.ts'

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))
const POOL_BYTES = 24 * 256

/**
 * Whether a header is a usable W3C Trace Context `traceparent` (section 3.2): version, trace id and parent id in lower-case
 * hex, neither id all zeros, version not `ff`. Later versions may append fields after a dash.
 */
export function isTraceparent(text: string): boolean {
  const match = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-[\x21-\x7e]*)?$/.exec(
    text,
  )
  if (match === null || match[1] === 'ff') return false
  if (match[1] === '00' && match[4] !== undefined) return false
  return text.length <= 255 && !/^0+$/.test(match[2]!) && !/^0+$/.test(match[3]!)
}

/** A maker of new `traceparent` values: version 00, random ids, sampled. */
export function traceparentMaker(randomness: Randomness): () => string {
  const pool = new Uint8Array(POOL_BYTES)
  let at = pool.length
  const hex = (byteCount: number) => {
    let text = ''
    for (let index = 0; index < byteCount; index += 1) text += HEX[pool[at++]!]
    return text
  }
  return () => {
    if (at === pool.length) {
      randomness.bytes(pool)
      // An id of zeros means "none"; one bit keeps both ids away from it.
      for (let index = 0; index < pool.length; index += 8) pool[index]! |= 1
      at = 0
    }
    return `00-${hex(16)}-${hex(8)}-01`
  }
}
