/** A named performance question. */
export interface Bench {
  readonly name: string
  /** The question, in one line. */
  readonly question: string
  /** About how long its measuring takes when nobody says otherwise. */
  readonly secondsDefault: number
  run(context: BenchContext): Promise<BenchOutcome>
}

export interface BenchContext {
  /** Time to measure for; the bench divides it among its parts. */
  readonly seconds: number
  /** Size of the work, where the bench has one and somebody said it. */
  readonly rows?: number
  /** How often each contestant has its turn, where the bench has turns and somebody said it. */
  readonly times?: number
  /** Whether Spark may run, which takes the longest of all. */
  readonly withSpark: boolean
  /** An empty folder, removed afterwards. */
  readonly folder: string
  /** One line of progress. */
  say(line: string): void
}

export interface BenchOutcome {
  /** What was measured, named with its unit last. `null` where it could not be measured; `limits` says why. */
  readonly figures: Readonly<Record<string, number | null>>
  readonly goals: readonly Goal[]
  /** What keeps the figures from being better, and how they were measured, a sentence each. */
  readonly limits: readonly string[]
}

/** A bound on a figure. */
export interface Goal {
  readonly figure: string
  readonly atLeast?: number
  readonly below?: number
  readonly atMost?: number
}

/** Whether a goal is met; `null` when its figure was not measured. */
export function isMet({ figure, atLeast, below, atMost }: Goal, figures: BenchOutcome['figures']) {
  const value = figures[figure] ?? null
  if (value === null) return null
  return (
    (atLeast === undefined || value >= atLeast) &&
    (below === undefined || value < below) &&
    (atMost === undefined || value <= atMost)
  )
}

/** A goal in words: `≥ 0.6`. */
export function goalText({ atLeast, below, atMost }: Goal): string {
  if (atLeast !== undefined) return `≥ ${atLeast.toLocaleString('en')}`
  return below !== undefined
    ? `< ${below.toLocaleString('en')}`
    : `≤ ${atMost?.toLocaleString('en')}`
}

/** The middle value; the mean of the two middle ones. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}

/** Linear between neighbours. `at` from 0 to 1. */
export function quantile(values: readonly number[], at: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  const place = (sorted.length - 1) * at
  const below = sorted[Math.floor(place)]!
  return below + (sorted[Math.ceil(place)]! - below) * (place - Math.floor(place))
}

/** To so many digits after the point. */
export function rounded(value: number, digits = 0): number {
  return Number(value.toFixed(digits))
}
