/**
 * Aggregates that are kept up to date row by row instead of being computed when somebody asks. Rows have an instant; everything is counted by
 * the calendar of UTC. All values are whole numbers of ten-thousandths, so that sums of money stay exact.
 */
export interface AggregatesShape {
  /** The rows' instant. */
  readonly at: string
  /** What is counted for each period, by name. */
  readonly measures: Readonly<Record<string, Measure>>
  /** What is counted over time by label, by name. */
  readonly series: Readonly<Record<string, Series>>
}

/** `distinct` counts the values of a column that a period has seen. */
export type Measure =
  | { readonly kind: 'count' }
  | { readonly kind: 'sum'; readonly column: string }
  | { readonly kind: 'distinct'; readonly column: string }

export interface Series {
  /** A list whose elements are counted, and whose fields `label` and `value` then name; otherwise they name columns. */
  readonly each?: string
  readonly label: string
  /** SQL over the fields or columns. */
  readonly value: string
  readonly grains: readonly Grain[]
}

/** Periods that are compared with the one before. Weeks begin on Monday. */
export const PERIODS = ['hour', 'day', 'week', 'month'] as const
export type Period = (typeof PERIODS)[number]

/** Steps of a series. */
export const GRAINS = ['minute', 'hour', 'day'] as const
export type Grain = (typeof GRAINS)[number]

/** A period is kept in steps of this, so that it can be compared with the same stretch of the one before. */
export const STEP_OF_PERIOD: Readonly<Record<Period, Grain>> = {
  hour: 'minute',
  day: 'hour',
  week: 'day',
  month: 'day',
}

/** The period of everything, beside `PERIODS`. */
export const ALL_TIME = 'all'

export const MINUTES_OF_GRAIN: Readonly<Record<Grain, number>> = { minute: 1, hour: 60, day: 1440 }

/** What a value of one is stored as. */
export const AGGREGATE_SCALE = 10_000

const DAY_MINUTES = 1440

/** The minute in which a period begins, counted from 1970, that holds a minute. */
export function periodStart(period: Period, minute: number): number {
  const day = Math.floor(minute / DAY_MINUTES)
  switch (period) {
    case 'hour':
      return Math.floor(minute / 60) * 60
    case 'day':
      return day * DAY_MINUTES
    case 'week': {
      // 1970-01-01 was a Thursday.
      const weekday = (((day + 3) % 7) + 7) % 7
      return (day - weekday) * DAY_MINUTES
    }
    case 'month': {
      const date = new Date(day * DAY_MINUTES * 60_000)
      return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1) / 60_000
    }
  }
}

/** The beginning of the period after, or before, the one that begins at `start`. */
export function periodBeside(period: Period, start: number, by: 1 | -1): number {
  if (period !== 'month') {
    const minutes = { hour: 60, day: DAY_MINUTES, week: 7 * DAY_MINUTES }[period]
    return start + by * minutes
  }
  const date = new Date(start * 60_000)
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + by, 1) / 60_000
}

/** Changes to kept aggregates, as a compute engine finds them and a store adds them. Minutes are counted from 1970. */
export interface AggregateDeltas {
  /** measure, period, start, step, change */
  readonly values: readonly (readonly [string, string, number, number, bigint])[]
  /** measure, period, start, member, its first step among rows that came, rows that came less rows that went */
  readonly members: readonly (readonly [string, string, number, string, number, number])[]
  /** series, grain, step, label, change */
  readonly series: readonly (readonly [string, string, number, string, bigint])[]
}
