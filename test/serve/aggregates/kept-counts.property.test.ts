import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type AggregatesShape,
  GRAINS,
  PERIODS,
  type Period,
} from '../../../src/model/aggregates.ts'
import {
  type AggregateStore,
  openAggregateStore,
} from '../../../src/serve/aggregates/aggregate-store.ts'
import { aggregateDeltas } from '../../../src/sql/duckdb/aggregate-deltas.ts'
import { type ComputeEngine, openComputeEngine } from '../../../src/sql/duckdb/engine.ts'

// Rows come, change, move in time and go, in batches of any kind. After each of them every number equals the one counted over the rows that there
// are: nothing that was kept may depend on how the rows came to be what they are.

const SHAPE: AggregatesShape = {
  at: 'at',
  measures: {
    rows: { kind: 'count' },
    value: { kind: 'sum', column: 'value' },
    who: { kind: 'distinct', column: 'who' },
  },
  series: {
    parts: { each: 'parts', label: 'part', value: 'n * 2', grains: ['minute', 'hour', 'day'] },
    by_day: { label: 'who', value: 'value', grains: ['day'] },
  },
}

interface Row {
  readonly at: number
  readonly who: string | null
  readonly value: number
  readonly parts: readonly { readonly part: string; readonly n: number }[]
}

const MINUTE = 60_000
const iso = (text: string) => Date.parse(text)
/** Ends of hours, days, weeks, months, and before 1970. Little room, so that rows meet. */
const AROUND = [
  '2024-02-26T00:00Z',
  '2024-02-29T23:59Z',
  '2024-03-01T00:30Z',
  '2024-03-03T23:30Z',
  '2024-01-31T12:00Z',
  '1970-01-01T00:00Z',
].map(iso)

const instants = fc
  .tuple(
    fc.constantFrom(...AROUND),
    fc.integer({ min: -90, max: 90 }),
    fc.integer({ min: 0, max: 59_999 }),
  )
  .map(([at, minutes, millis]) => at + minutes * MINUTE + millis)
const rows: fc.Arbitrary<Row> = fc.record({
  at: instants,
  who: fc.option(fc.constantFrom('a', 'b', "c'", '"é"'), { freq: 9 }),
  value: fc.integer({ min: -500, max: 100_000 }).map((cents) => cents / 100),
  parts: fc.array(
    fc.record({ part: fc.constantFrom('x', 'y', 'z', '"'), n: fc.integer({ min: 0, max: 5 }) }),
    { maxLength: 3 },
  ),
})
/** By id: what it becomes; `null` takes it away. */
const batches = fc.array(
  fc.dictionary(fc.constantFrom(...'0123456789abcdefghij'), fc.option(rows, { freq: 3 }), {
    maxKeys: 12,
  }),
  { minLength: 1, maxLength: 6 },
)

describe('kept counts', { timeout: 120_000 }, () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'mekong-counts-'))
  let engine: ComputeEngine
  beforeAll(async () => {
    engine = await openComputeEngine({ spillDirectory: path.join(folder, 'spill'), threads: 1 })
  })
  afterAll(() => {
    engine.close()
    rmSync(folder, { recursive: true, force: true })
  })

  test('equal those of the rows, whatever has become of them', async () => {
    let run = 0
    await fc.assert(
      fc.asyncProperty(batches, async (changes) => {
        run += 1
        const file = path.join(folder, `${run}.sqlite`)
        let store = await openAggregateStore(file, SHAPE)
        const there = new Map<string, Row>()
        for (const [version, batch] of changes.entries()) {
          const deltas = await deltasOf(engine, there, batch)
          const addition = { deltas, from: version - 1, to: version, anew: version === 0 }
          await store.add(addition)
          // The same again, as after a crash between committing and saying so.
          if (version > 0) await store.add(addition)
          for (const [id, row] of Object.entries(batch))
            if (row === null) there.delete(id)
            else there.set(id, row)
          if (version === 1) {
            await store.close()
            store = await openAggregateStore(file, SHAPE)
          }
          await expectCounted(store, [...there.values()])
        }
        await store.close()
      }),
      { numRuns: 20 },
    )
  })

  test('of small money grow past what a number of JavaScript holds exactly', async () => {
    const store = await openAggregateStore(path.join(folder, 'large.sqlite'), SHAPE)
    const row = (minute: number): Row => {
      const at = AROUND[0]! + minute * MINUTE
      return { at, who: 'a', value: 700_000_000_000, parts: [] }
    }
    const batch = Object.fromEntries([0, 1, 2, 3, 4].map((minute) => [String(minute), row(minute)]))
    const deltas = await deltasOf(engine, new Map(), batch)
    await store.add({ deltas, from: -1, to: 0, anew: true })
    const one = await deltasOf(engine, new Map(Object.entries(batch)), { 4: null })
    await store.add({ deltas: one, from: 0, to: 1, anew: false })
    expect(await store.totals()).toEqual({ rows: 4, value: 2_800_000_000_000, who: 1 })
    const { measures } = await store.measures('hour', AROUND[0]! + 10 * MINUTE)
    expect(measures.value).toMatchObject({ value: 2_800_000_000_000 })
    await store.close()
  })

  test('of one shape are forgotten when another is opened', async () => {
    const file = path.join(folder, 'shapes.sqlite')
    const store = await openAggregateStore(file, SHAPE)
    const row: Row = { at: AROUND[0]!, who: 'a', value: 1, parts: [] }
    const deltas = await deltasOf(engine, new Map(), { one: row })
    await store.add({ deltas, from: -1, to: 0, anew: true })
    expect(await store.totals()).toEqual({ rows: 1, value: 1, who: 1 })
    await store.close()
    const other = await openAggregateStore(file, { ...SHAPE, series: {} })
    expect([await other.version(), await other.totals()]).toEqual([
      ...[-1, { rows: 0, value: 0, who: 0 }],
    ])
    await other.close()
  })
})

/** What a batch does, through the engine. */
async function deltasOf(
  engine: ComputeEngine,
  there: ReadonlyMap<string, Row>,
  batch: Readonly<Record<string, Row | null>>,
) {
  const changes = Object.entries(batch).flatMap(([id, row]): (readonly [string, Row])[] => {
    const before = there.get(id)
    if (before === undefined) return row === null ? [] : [['insert', row]]
    if (row === null) return [['delete', before]]
    return [
      ['update_preimage', before],
      ['update_postimage', row],
    ]
  })
  const connection = await engine.connection()
  const json = JSON.stringify(
    changes.map(([_change_type, row]) => ({ _change_type, ...row, at: row.at * 1_000 })),
  )
  try {
    await connection.run(
      `CREATE OR REPLACE TEMP TABLE changes AS SELECT * REPLACE (make_timestamptz("at") AS "at") FROM (SELECT unnest(from_json($1, ` +
        `'[{"_change_type":"VARCHAR","at":"BIGINT","who":"VARCHAR","value":"DECIMAL(18,4)","parts":[{"part":"VARCHAR","n":"INTEGER"}]}]'), max_depth := 2))`,
      { values: [json] },
    )
    return await aggregateDeltas(connection, 'changes', SHAPE)
  } finally {
    connection.close()
  }
}

async function expectCounted(store: AggregateStore, rows: readonly Row[]): Promise<void> {
  expect(await store.totals()).toEqual(counted(rows))
  const newest = Math.max(...rows.map(({ at }) => Math.floor(at / MINUTE) * MINUTE))
  if (rows.some(({ value }) => value !== 0) || rows.length === 0)
    expect(await store.newestMs()).toBe(rows.length === 0 ? undefined : newest)
  for (const at of [...AROUND, AROUND[3]! + 30 * MINUTE, AROUND[2]! + 40 * MINUTE])
    for (const period of PERIODS) {
      const [before, start, end] = boundsOf(period, at)
      const stepMs = { hour: 1, day: 60, week: 1_440, month: 1_440 }[period] * MINUTE
      const passed = (Math.floor((at - start) / stepMs) + 1) * stepMs
      const of = (from: number, to: number) =>
        counted(rows.filter((row) => row.at >= from && row.at < to))
      const facts = await store.measures(period, at)
      expect([facts.startMs, facts.endMs]).toEqual([start, end])
      for (const name of ['rows', 'value', 'who'] as const)
        expect(
          facts.measures[name],
          `${name} of the ${period} of ${new Date(at).toISOString()}`,
        ).toMatchObject({
          value: of(start, start + passed)[name],
          previous: of(before, Math.min(before + passed, start))[name],
          previousWhole: of(before, start)[name],
        })
    }
  const parts = rows.flatMap(({ at, parts }) =>
    parts.map(({ part, n }) => [at, part, n * 2] as const),
  )
  const days = rows.map(({ at, who, value }) => [at, who ?? 'unknown', value] as const)
  for (const grain of GRAINS) await expectSeries(store, 'parts', grain, parts)
  await expectSeries(store, 'by_day', 'day', days)
}

async function expectSeries(
  store: AggregateStore,
  series: string,
  grain: (typeof GRAINS)[number],
  items: readonly (readonly [number, string, number])[],
): Promise<void> {
  const width = { minute: 1, hour: 60, day: 1_440 }[grain] * MINUTE
  const fromMs = iso('2024-02-29T00:00Z')
  const toMs = iso('2024-03-02T00:00Z')
  const { lines } = await store.series({ series, grain, fromMs, toMs, top: 10 })
  const wanted = new Map<string, number>()
  for (const [at, label, value] of items) {
    if (at < fromMs || at >= toMs) continue
    const key = `${label} ${Math.floor((at - fromMs) / width)}`
    wanted.set(key, (wanted.get(key) ?? 0) + Math.round(value * 10_000))
  }
  const found = lines.flatMap(({ label, values }) =>
    values.map((value, step) => [`${label} ${step}`, Math.round(value * 10_000)] as const),
  )
  const sorted = (pairs: Iterable<readonly [string, number]>) =>
    [...pairs].filter(([, value]) => value !== 0).sort()
  expect(sorted(found), `${series} by ${grain}`).toEqual(sorted(wanted))
}

function counted(rows: readonly Row[]) {
  const value = rows.reduce((sum, row) => sum + Math.round(row.value * 10_000), 0) / 10_000
  const who = new Set(rows.map((row) => row.who).filter((one) => one !== null)).size
  return { rows: rows.length, value, who }
}

/** Beginnings of the period before, of this one and of the next, by the calendar alone. */
function boundsOf(period: Period, at: number): [number, number, number] {
  const date = new Date(at)
  const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()]
  const monday = day - ((date.getUTCDay() + 6) % 7)
  const hour = date.getUTCHours()
  const begin = (by: number) =>
    ({
      hour: Date.UTC(year, month, day, hour + by),
      day: Date.UTC(year, month, day + by),
      week: Date.UTC(year, month, monday + by * 7),
      month: Date.UTC(year, month + by, 1),
    })[period]
  return [begin(-1), begin(0), begin(1)]
}
