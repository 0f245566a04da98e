import { describe, expect, test } from 'vitest'
import { compare } from '../../src/model/predicate.ts'
import { window } from '../../src/pipeline/materialization.ts'
import type { PipelineBuilder } from '../../src/pipeline/pipeline.ts'
import { openModelHome } from './model-home.ts'

// A window that is moved on by what came and went says at every step what one made from all rows says: days sent again, late days, days out of
// order, days that vanish, windows that jump ahead or fall back.

const DAY_MS = 86_400_000
const dayText = (day: number) => new Date(day * DAY_MS).toISOString().slice(0, 10)
const FIRST_DAY = Date.parse('2024-02-20T00:00:00Z') / DAY_MS

const define = (days: number) => (p: PipelineBuilder) =>
  p.model('gold.sums', `SELECT k, v, w, active, v > 0 AS "is" FROM totals`, {
    incoming: 'bronze.seen',
    materialize: window({
      ...{ key: ['k'], day: 'day', days, daysCount: 'active' },
      rows: `SELECT k, day, v::INTEGER AS v, v * 1000000007 AS w FROM incoming WHERE k <> 'nobody'`,
    }),
  })

type Row = readonly [k: string, day: number, v: number]

function expected(rows: readonly Row[], days: number) {
  const last = Math.max(...rows.map(([, day]) => day))
  const sums = new Map<string, { v: number; days: Set<number> }>()
  for (const [k, day, v] of rows) {
    if (day <= last - days || k === 'nobody') continue
    const sum = sums.get(k) ?? { v: 0, days: new Set() }
    sums.set(k, { v: sum.v + v, days: sum.days.add(day) })
  }
  return [...sums]
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

const SEED = Number(process.env.MEKONG_TEST_SEED ?? Date.now() % 1_000_000)

describe.each([
  ['delta', 5],
  ['iceberg', 5],
  ['delta', 130],
] as const)('a window on %s tables of %i days', (format, days) => {
  test('says at every step what a full run says', { timeout: 240_000 }, async () => {
    console.log(`seed ${SEED}`)
    const random = randomOf(SEED)
    await using home = await openModelHome(format)
    let rows: Row[] = []
    let newest = FIRST_DAY
    const add = async (added: readonly Row[]) => {
      rows.push(...added)
      const values = added.map(([k, day, v]) => `('${k}', DATE '${dayText(day)}', ${v}::BIGINT)`)
      return home.add(
        'bronze.seen',
        `SELECT * FROM (VALUES ${values.join(', ')}) AS t(k, day, v)`,
        {
          partitionBy: ['day'],
        },
      )
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
      await source.delete({
        where: compare(['day'], '=', { type: 'date', value: BigInt(day) }),
      })
    }
    const builds = new Set<unknown>()
    for (let step = 0; step < 14; step += 1) {
      for (let change = random(3); change >= 0; change -= 1) {
        const late = newest - random(days + 3)
        switch (random(5)) {
          case 0: // Late, or more of a day.
            await add(some(late))
            break
          case 1: // Sent again.
            await without(late)
            await add(some(late))
            break
          case 2: // Gone.
            await without(late)
            break
          default: // The next day, or one further on, past days without rows.
            newest += random(4) === 0 ? 1 + random(days + 2) : 1
            await add(some(newest))
        }
      }
      newest = Math.max(...rows.map(([, day]) => day))
      const { status, facts } = (await home.run(define(days)))['gold.sums']!
      builds.add(facts.build)
      expect(await home.rows('gold.sums'), `step ${step}, ${status}`).toEqual(expected(rows, days))
    }
    expect(builds).toContain('increment')
    await home.run(define(days), { fullRefresh: true })
    expect(await home.rows('gold.sums')).toEqual(expected(rows, days))
    // Another length is another window.
    const other = (await home.run(define(days - 2)))['gold.sums']!
    expect(other.facts).toMatchObject({ build: 'whole', why: 'model_changed' })
    expect(await home.rows('gold.sums')).toEqual(expected(rows, days - 2))
    expect((await home.run(define(days - 2)))['gold.sums']!.status).toBe('nothing_new')
  })
})

test('a key that is null, numbers that are none, and other tables are refused', async () => {
  await using home = await openModelHome()
  await home.add(
    'bronze.seen',
    `SELECT NULL::VARCHAR AS k, DATE '2024-01-01' AS day, 1::BIGINT AS v`,
  )
  const how = { key: ['k'], day: 'day', daysCount: 'active' }
  const run = (rows: string, sql = 'SELECT * FROM totals') =>
    home.run((p) =>
      p.model('gold.sums', sql, {
        incoming: 'bronze.seen',
        materialize: window({ ...how, rows }),
      }),
    )
  await expect(run('SELECT k, day, v FROM incoming')).rejects.toMatchObject({
    code: 'MODEL_ROWS_INVALID',
  })
  await expect(run('SELECT k, day, v / 2 AS v FROM incoming')).rejects.toMatchObject({
    code: 'MODEL_INVALID',
  })
  await expect(
    run(
      'SELECT k, day, v FROM incoming',
      'SELECT t.* FROM totals AS t JOIN bronze.seen AS s USING (k)',
    ),
  ).rejects.toMatchObject({ code: 'MODEL_INVALID' })
})

test('rows that somebody else changed are noticed', async () => {
  await using home = await openModelHome()
  const source = `SELECT 'a' AS k, DATE '2024-01-0DAY' AS day, 1::BIGINT AS v`
  await home.add('bronze.seen', source.replace('DAY', '1'))
  await home.run(define(2))
  await (await home.table('gold.sums')).delete({
    where: compare(['k'], '=', { type: 'string', value: 'a' }),
  })
  await home.add('bronze.seen', source.replace('DAY', '5').replace("'a'", "'b'"))
  await expect(home.run(define(2))).rejects.toMatchObject({ code: 'MODEL_ROWS_INVALID' })
  await home.run(define(2), { fullRefresh: true })
  expect(await home.rows('gold.sums')).toEqual([['b', 1, 1_000_000_007, 1, true]])
})
