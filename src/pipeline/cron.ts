import { Cron } from 'croner'
import { messageOf } from '../model/errors.ts'

/** When something is due: five fields of cron (minute, hour, day, month, weekday), or a nickname such as `@hourly`. */
export interface CronTimes {
  readonly cron: string
  /** IANA name of the zone in which the fields are read, such as `Asia/Ho_Chi_Minh`. */
  readonly zone: string
}

/** What is wrong with it, or `undefined`. */
export function cronProblem({ cron, zone }: CronTimes): string | undefined {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone })
  } catch {
    return `"${zone}" is no time zone`
  }
  try {
    return nextTickMs({ cron, zone }, Date.UTC(2000, 0, 1)) === undefined
      ? `"${cron}" is never due`
      : undefined
  } catch (error) {
    return `"${cron}" is no cron expression: ${messageOf(error)}`
  }
}

/**
 * The first moment after `afterMs` at which it is due, milliseconds since 1970; `undefined` when there is none any more. In the hour that a
 * change to summer time leaves out, a fixed time is due right after the gap; in the hour that comes twice, it is due once.
 */
export function nextTickMs({ cron, zone }: CronTimes, afterMs: number): number | undefined {
  return parsed(cron, zone).nextRun(new Date(afterMs))?.getTime()
}

/** The last moment up to and including `nowMs` at which it was due; `undefined` when there is none. */
export function lastTickMs({ cron, zone }: CronTimes, nowMs: number): number | undefined {
  // The reference is exclusive, and moments of cron are whole seconds.
  return parsed(cron, zone)
    .previousRuns(1, new Date(Math.floor(nowMs / 1_000) * 1_000 + 1_000))[0]
    ?.getTime()
}

const parsed = (cron: string, zone: string) =>
  new Cron(cron, { paused: true, timezone: zone, mode: '5-part' })
