import type { CronTimes } from './cron.ts'

/**
 * Which moments that were missed (nothing ran, or the run before was still under way) are made up for: none of them, only the latest, or
 * every one in order.
 */
export type CatchUp = 'none' | 'latest' | 'all'

/** What runs when. */
export interface SchedulePlan extends CronTimes {
  /** Unique within the pipeline. */
  readonly name: string
  /** Selectors among the tasks of the pipeline, such as `tag:hourly`. */
  readonly run: readonly string[]
  readonly catchUp: CatchUp
  /** Attempts of a task after its first. */
  readonly retries: number
  /** Before the first retry; it doubles with each. */
  readonly retryDelayMs: number
  /** For one attempt of a task. */
  readonly timeoutMs: number
}

export interface ScheduleOptions {
  /** `minute hour day month weekday`, or a nickname such as `@hourly`. */
  readonly cron: string
  /** Default `UTC`. */
  readonly zone?: string
  /** Ids of tasks, with `+` before for what they need and after for what needs them; `tag:…`, `kind:…`. */
  readonly run: readonly string[]
  readonly catchUp?: CatchUp
  readonly retries?: number
  readonly retryDelayMs?: number
  readonly timeoutMs?: number
}

/** Of a schedule that does not say. */
export const DEFAULT_SCHEDULE = {
  zone: 'UTC',
  /** Models read everything that is new, so one run makes up for all that were missed. */
  catchUp: 'latest',
  retries: 3,
  /** Long enough for a store to be restarted. */
  retryDelayMs: 30_000,
  timeoutMs: 6 * 3_600_000,
} as const satisfies Partial<SchedulePlan>

/** A schedule with its defaults filled in. */
export const schedulePlan = (name: string, options: ScheduleOptions): SchedulePlan => ({
  ...DEFAULT_SCHEDULE,
  ...options,
  name,
})
