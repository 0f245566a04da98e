import type { Clock } from '../model/clock.ts'

/** Keeps whoever tries keys from trying many. */
export interface SignInLimit {
  /** Milliseconds until this address may try again; 0 when it may now. */
  waitMs(address: string): number
  failed(address: string): void
  succeeded(address: string): void
}

/** Wrong keys in a row before an address waits. */
const FREE_FAILURES = 5
/** The first wait; each failure after it doubles it. */
const WAIT_MS_FIRST = 1_000
const WAIT_MS_MAX = 15 * 60_000
/** Failures are forgotten after so long without one. */
const FORGET_MS = 60 * 60_000
/** Addresses remembered; the one that failed longest ago goes first. */
const ADDRESS_COUNT_MAX = 10_000

/**
 * Failures by address, in memory: after five the address waits, each time twice as long. A key has 256 random bits, so this is not what
 * keeps guessers out; it keeps them from costing anything.
 */
export function createSignInLimit(clock: Clock): SignInLimit {
  const failures = new Map<string, { readonly count: number; readonly atMs: number }>()
  const recent = (address: string) => {
    const known = failures.get(address)
    if (known === undefined || clock.nowMs() - known.atMs < FORGET_MS) return known
    failures.delete(address)
    return undefined
  }
  return {
    waitMs(address) {
      const known = recent(address)
      if (known === undefined || known.count < FREE_FAILURES) return 0
      const waitMs = Math.min(WAIT_MS_MAX, WAIT_MS_FIRST * 2 ** (known.count - FREE_FAILURES))
      return Math.max(0, known.atMs + waitMs - clock.nowMs())
    },
    failed(address) {
      const count = (recent(address)?.count ?? 0) + 1
      // Put in anew, so that the map's order is that of the last failures.
      failures.delete(address)
      failures.set(address, { count, atMs: clock.nowMs() })
      if (failures.size > ADDRESS_COUNT_MAX) failures.delete(failures.keys().next().value!)
    },
    succeeded(address) {
      failures.delete(address)
    },
  }
}
