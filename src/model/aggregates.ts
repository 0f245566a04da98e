import { assert } from './errors.ts'

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
export const ALL_TIME = 'all' as const

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

/**
 * What is counted, by the name of a measure or series and the steps it is counted in. A sum or a count of a period is the sum of its
 * steps, so it is kept once for each grain. Distinct values are not: each period counts a value at the step that first saw it.
 */
export function countersOf({ measures, series }: AggregatesShape): readonly string[] {
  return [
    ...Object.entries(measures).flatMap(([name, { kind }]) =>
      [...(kind === 'distinct' ? PERIODS : GRAINS), ALL_TIME].map((by) => counterName(name, by)),
    ),
    ...Object.entries(series).flatMap(([name, { grains }]) =>
      grains.map((grain) => counterName(name, grain)),
    ),
  ]
}

export const counterName = (name: string, by: Period | Grain | typeof ALL_TIME) => `${name}/${by}`

/** The counter that has the steps of a measure's periods. */
export function counterOfPeriod(
  name: string,
  { kind }: Measure,
  period: Period | typeof ALL_TIME,
): string {
  return counterName(
    name,
    kind === 'distinct' || period === ALL_TIME ? period : STEP_OF_PERIOD[period],
  )
}

/**
 * Changes to kept aggregates, as a compute engine finds them and a store adds them, each a JSON array of arrays: as text, because there are
 * about as many as rows, and nobody between the two looks at them. Minutes and steps are counted from 1970.
 */
export interface AggregateDeltas {
  /** `[minute, change of each measure of `summedMeasures`]`, in order of minutes. */
  readonly measures: string
  /** By series: `[step of its finest grain, label, change]`, in order of steps. */
  readonly series: Readonly<Record<string, string>>
  /** By distinct measure: `[member, minute, rows that came less rows that went]`, by month, then member, then minute. */
  readonly members: Readonly<Record<string, string>>
}

/** Measures whose value of a period is the sum of its steps' values. */
export const summedMeasures = ({ measures }: AggregatesShape): readonly string[] =>
  Object.keys(measures).filter((name) => measures[name]!.kind !== 'distinct')

/** The shortest of a series' steps; its longer ones are sums of those. */
export function finestGrain({ grains }: Series): Grain {
  const finest = GRAINS.find((grain) => grains.includes(grain))
  assert(finest !== undefined, 'a series has a grain')
  return finest
}
