import type { Clock, Randomness } from '../../model/clock.ts'

const BASE32 = '0123456789abcdefghjkmnpqrstvwxyz'
const TIME_DIGITS = 9
const CHANCE_DIGITS = 6

/** A maker of ids that sort by their second and can be typed: nine digits of time and six of chance, in Crockford's base 32. */
export function runIdMaker(clock: Clock, randomness: Randomness): () => string {
  return () => {
    let time = Math.floor(clock.nowMs())
    let text = ''
    for (let index = 0; index < TIME_DIGITS; index += 1) {
      text = BASE32[time % 32]! + text
      time = Math.floor(time / 32)
    }
    const chance = randomness.bytes(new Uint8Array(CHANCE_DIGITS))
    return text + [...chance].map((byte) => BASE32[byte & 31]!).join('')
  }
}
