// Round steps for axes.

/** About `count` round values from 0 (or the least) to the most. */
export function ticks(least: number, most: number, count: number): number[] {
  const from = Math.min(0, least)
  const span = Math.max(most - from, Number.EPSILON)
  const rough = span / count
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = ([1, 2, 5, 10].find((each) => each * power >= rough) ?? 10) * power
  const first = Math.floor(from / step) * step
  const values: number[] = []
  for (let value = first; value < most + step; value += step)
    values.push(Number(value.toPrecision(12)))
  return values
}

const DAY_MS = 86_400_000

/** A moment as an axis says it, by how much time the axis shows. */
export function momentText(ms: number, spanMs: number): string {
  const text = new Date(ms).toISOString()
  if (spanMs > 400 * DAY_MS) return text.slice(0, 7)
  if (spanMs > 4 * DAY_MS) return text.slice(5, 10)
  // The one day of a chart of days.
  if (spanMs === 0 && ms % DAY_MS === 0) return text.slice(5, 10)
  if (spanMs > DAY_MS / 2) return `${text.slice(8, 10)}. ${text.slice(11, 13)}h`
  return text.slice(11, 16)
}
