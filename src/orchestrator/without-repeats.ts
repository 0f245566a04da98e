import type { Clock } from '../model/clock.ts'

export interface WithoutRepeatsOptions {
  readonly clock: Clock
  /** The same line is said again after this. Default: a minute. */
  readonly intervalMs?: number
}

/** So many different lines are remembered; whoever says more has more to say than repeats. */
const LINE_COUNT_MAX = 100

/**
 * Say each line once in a while and not each time, so that a fault which meets every request is one line in the log and not one for
 * each of them.
 */
export function withoutRepeats(
  say: (line: string) => void,
  { clock, intervalMs = 60_000 }: WithoutRepeatsOptions,
): (line: string) => void {
  const saidMs = new Map<string, number>()
  return (line) => {
    const nowMs = clock.nowMs()
    if (nowMs - (saidMs.get(line) ?? Number.NEGATIVE_INFINITY) < intervalMs) return
    if (saidMs.size >= LINE_COUNT_MAX) saidMs.clear()
    saidMs.set(line, nowMs)
    say(line)
  }
}
