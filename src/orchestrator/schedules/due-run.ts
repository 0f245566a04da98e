import { type CronTimes, lastTickMs, nextTickMs } from '../../pipeline/cron.ts'
import type { CatchUp } from '../../pipeline/schedule.ts'

/** What a schedule owes at a moment. */
export interface DueRun {
  /** The moment to run for now; `undefined` when there is none. */
  readonly runMs: number | undefined
  /** Everything up to here is dealt with, once the run is begun. */
  readonly handledMs: number
}

/** A schedule that makes up for nothing still runs for a moment that is only so long past: looks are seconds apart. */
export const LATE_MS_MAX = 60_000

/** What a schedule owes that was dealt with up to `handledMs`. Pure. */
export function dueRun(
  times: CronTimes,
  { catchUp, handledMs, nowMs }: { catchUp: CatchUp; handledMs: number; nowMs: number },
): DueRun {
  const next = nextTickMs(times, handledMs)
  if (next === undefined || next > nowMs) return { runMs: undefined, handledMs }
  if (catchUp === 'all') return { runMs: next, handledMs: next }
  const latest = Math.max(next, lastTickMs(times, nowMs) ?? next)
  const isMissed = catchUp === 'none' && nowMs - latest > LATE_MS_MAX
  return { runMs: isMissed ? undefined : latest, handledMs: latest }
}

/** The next moments after `nowMs`, fewer where there are no more. Pure. */
export function nextRuns(times: CronTimes, nowMs: number, count: number): readonly number[] {
  const moments: number[] = []
  for (let at = nextTickMs(times, nowMs); at !== undefined; at = nextTickMs(times, at)) {
    if (moments.length === count) break
    moments.push(at)
  }
  return moments
}
