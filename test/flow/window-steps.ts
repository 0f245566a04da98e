import { compare } from '../../src/model/predicate.ts'
import { window } from '../../src/pipeline/materialization.ts'
import type { PipelineBuilder } from '../../src/pipeline/pipeline.ts'
import type { ModelHome } from './model-home.ts'

// What happens to a log of days, step by step, and what a window over it must say after each: days sent again, late days, days out of order,
// days that vanish, windows that jump ahead or fall back.

const DAY_MS = 86_400_000
const dayText = (day: number) => new Date(day * DAY_MS).toISOString().slice(0, 10)
const FIRST_DAY = Date.parse('2024-02-20T00:00:00Z') / DAY_MS

/** The model that is tried: its table is `gold.sums`, its log `bronze.seen`. */
export const sumsOf =
  (days: number, engine: 'duckdb' | 'spark' = 'duckdb', lastDay?: string) =>
  (p: PipelineBuilder) =>
    p.model('gold.sums', `SELECT k, v, w, active, v > 0 AS "is" FROM totals`, {
      engine,
      incoming: 'bronze.seen',
      materialize: window({
        ...{ key: ['k'], day: 'day', days, daysCount: 'active' },
        ...(lastDay === undefined ? {} : { lastDay }),
        rows: `SELECT k, day, v::INTEGER AS v, v * 1000000007 AS w FROM incoming WHERE k <> 'nobody'`,
      }),
    })

type Row = readonly [k: string, day: number, v: number]

export interface SeenDays {
  /** A few changes of the log. */
  step(): Promise<void>
  /** Rows of `gold.sums` over the log as it is, by another way. */
  expected(days: number): readonly (readonly unknown[])[]
}

/** A log of days in a home, changed at random. */
export async function seenDays(home: ModelHome, seed: number, days: number): Promise<SeenDays> {
  const random = randomOf(seed)
  let rows: Row[] = []
  let newest = FIRST_DAY
  const add = async (added: readonly Row[]) => {
    rows.push(...added)
    const values = added.map(([k, day, v]) => `('${k}', DATE '${dayText(day)}', ${v}::BIGINT)`)
    const select = `SELECT * FROM (VALUES ${values.join(', ')}) AS t(k, day, v)`
    return home.add('bronze.seen', select, { partitionBy: ['day'] })
  }
  const some = (day: number): Row[] =>
    Array.from({ length: 1 + random(6) }, () => [
      ['a', 'b', 'c', 'nobody', `k${random(20)}`][random(5)]!,
      ...[day, random(4) === 0 ? 0 : random(100_000)],
    ]) as unknown as Row[]
  const source = await add(some(newest))
  const without = async (day: number) => {
    if (!rows.some(([, of]) => of !== day)) return
    rows = rows.filter(([, of]) => of !== day)
    await source.delete({ where: compare(['day'], '=', { type: 'date', value: BigInt(day) }) })
  }
  const change = async () => {
    const late = newest - random(days + 3)
    switch (random(5)) {
      case 0: // Late, or more of a day.
        return void (await add(some(late)))
      case 1: // Sent again.
        await without(late)
        return void (await add(some(late)))
      case 2:
        return without(late)
      default: // The next day, or one further on, past days without rows.
        newest += random(4) === 0 ? 1 + random(days + 2) : 1
        await add(some(newest))
    }
  }
  return {
    async step() {
      for (let left = random(3); left >= 0; left -= 1) await change()
      newest = Math.max(...rows.map(([, day]) => day))
    },
    expected: (length) => sums(rows, length),
  }
}

function sums(rows: readonly Row[], days: number) {
  const last = Math.max(...rows.map(([, day]) => day))
  const byKey = new Map<string, { v: number; days: Set<number> }>()
  for (const [k, day, v] of rows) {
    if (day <= last - days || k === 'nobody') continue
    const sum = byKey.get(k) ?? { v: 0, days: new Set() }
    byKey.set(k, { v: sum.v + v, days: sum.days.add(day) })
  }
  return [...byKey]
    .map(([k, { v, days: active }]) => [k, v, v * 1_000_000_007, active.size, v > 0])
    .sort(([a], [b]) => (String(a) < String(b) ? -1 : 1))
}

/** A small generator of its own, so that a failure can be repeated. */
function randomOf(seed: number) {
  let state = seed
  return (below: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return (state >>> 8) % below
  }
}
