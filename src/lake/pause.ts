import type { Randomness } from '../model/clock.ts'

/** Pauses between attempts at one commit: from nothing up to the first, doubled each time until the last. */
const PAUSE_FIRST_MS = 4
const PAUSE_MAX_MS = 500

/** Full jitter: anything from nothing up to a doubling limit, so that writers that collided part. */
export function pauseMs(attempt: number, randomness: Randomness): number {
  const limitMs = Math.min(PAUSE_MAX_MS, PAUSE_FIRST_MS * 2 ** attempt)
  const [high, low] = randomness.bytes(new Uint8Array(2))
  return (limitMs * (high! * 256 + low!)) / 65_536
}
