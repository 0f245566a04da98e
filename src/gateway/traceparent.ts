import type { Randomness } from '../model/clock.ts'

const POOL_COUNT = 256
/** Random bytes of one value: 16 of the trace id, 8 of the parent id. */
const ID_BYTES = 24
const TEXT_LENGTH = 55

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

/**
 * A maker of new `traceparent` values: version 00, random ids, sampled. Many are spelled out at once and cut off one by one: made singly, they
 * were a tenth of what a request costs.
 */
export function traceparentMaker(randomness: Randomness): () => string {
  const bytes = Buffer.alloc(POOL_COUNT * ID_BYTES)
  let pool = ''
  let at = 0
  return () => {
    if (at === pool.length) {
      randomness.bytes(bytes)
      // An id of zeros means "none"; one bit keeps both ids away from it.
      for (let index = 0; index < bytes.length; index += 8) bytes[index]! |= 1
      pool = bytes.toString('hex').replace(/(.{32})(.{16})/g, '00-$1-$2-01')
      at = 0
    }
    at += TEXT_LENGTH
    return pool.slice(at - TEXT_LENGTH, at)
  }
}
