/** How long to wait before trying again. */
export interface BackOff {
  readonly firstMs: number
  readonly maxMs: number
}

/** A minute's outage is met again within seconds, an hour's does not fill the log. */
export const DEFAULT_BACK_OFF: BackOff = { firstMs: 100, maxMs: 5_000 }

/**
 * The wait before attempt `attempt` (from 1), in milliseconds: doubling up to the maximum, of which the upper half is
 * chance, so that many do not come back at once. `chance` is in [0, 1).
 */
export function backOffMs({ firstMs, maxMs }: BackOff, attempt: number, chance: number): number {
  const whole = Math.min(maxMs, firstMs * 2 ** Math.min(attempt - 1, 30))
  return Math.round(whole / 2 + (whole / 2) * chance)
}
