import { createHash } from 'node:crypto'

/** Crockford's base 32: no i, l, o, u, so that an id can be read aloud and typed. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'

/** 60 bits: a million letters share one with a chance below one in a million, and prefixes are accepted anyway. */
export const SHORT_ID_LENGTH = 12

/** A short name for what `parts` identify: always the same for the same parts. */
export function shortId(parts: readonly (string | number)[]): string {
  const hash = createHash('sha256').update(JSON.stringify(parts)).digest()
  let bits = hash.readBigUInt64BE(0)
  let id = ''
  for (let index = 0; index < SHORT_ID_LENGTH; index += 1) {
    id += ALPHABET[Number(bits >> 59n)]
    bits = BigInt.asUintN(64, bits << 5n)
  }
  return id
}
