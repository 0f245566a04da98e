import { describe, expect, test } from 'vitest'
import type { IcebergTable } from '../../src/lake/iceberg/table.ts'
import { compare } from '../../src/model/predicate.ts'
import { window } from '../../src/pipeline/materialization.ts'
import { deleteRowsByValue } from '../lake/iceberg/delete-by-value.ts'
import { openModelHome } from './model-home.ts'
import { seenDays, sumsOf } from './window-steps.ts'

// A window that is moved on by what came and went says at every step what one made from all rows says.

const SEED = Number(process.env.MEKONG_TEST_SEED ?? Date.now() % 1_000_000)

describe.each([
  ['delta', 5],
  ['iceberg', 5],
  ['delta', 130],
] as const)('a window on %s tables of %i days', (format, days) => {
  test('says at every step what a full run says', { timeout: 240_000 }, async () => {
    console.log(`seed ${SEED}`)
    await using home = await openModelHome(format)
    const log = await seenDays(home, SEED, days)
    const builds = new Set<unknown>()
    for (let step = 0; step < 14; step += 1) {
      await log.step()
      const { status, facts } = (await home.run(sumsOf(days)))['gold.sums']!
      builds.add(facts.build)
      expect(await home.rows('gold.sums'), `step ${step}, ${status}`).toEqual(log.expected(days))
    }
    expect(builds).toContain('increment')
    await home.run(sumsOf(days), { fullRefresh: true })
    expect(await home.rows('gold.sums')).toEqual(log.expected(days))
    // Another length is another window.
    const other = (await home.run(sumsOf(days - 2)))['gold.sums']!
    expect(other.facts).toMatchObject({ build: 'whole', why: 'model_changed' })
    expect(await home.rows('gold.sums')).toEqual(log.expected(days - 2))
    expect((await home.run(sumsOf(days - 2)))['gold.sums']!.status).toBe('nothing_new')
  })
})

test('rows of its log that others delete by value are gone from it', async () => {
  await using home = await openModelHome('iceberg')
  const add = (k: string, day: string, v: number) =>
    home.add('bronze.seen', `SELECT '${k}' AS k, DATE '${day}' AS day, ${v}::BIGINT AS v`)
  await add('a', '2024-01-01', 1)
  await add('b', '2024-01-02', 2)
  const log = (await add('a', '2024-01-02', 3)) as IcebergTable
  await home.run(sumsOf(3))
  const sums = (...rows: readonly (readonly [string, number, number])[]) =>
    rows.map(([k, v, days]) => [k, v, v * 1_000_000_007, days, true])
  expect(await home.rows('gold.sums')).toEqual(sums(['a', 4, 2], ['b', 2, 1]))
  const deleted = (k: string) => ({
    values: `SELECT '${k}' AS k`,
    fieldIds: { k: 1 },
    async run(text: string) {
      const connection = await home.engine.connection()
      await connection.run(text).finally(() => connection.close())
    },
  })
  await deleteRowsByValue(home.lakeHome.iceberg, log, deleted('a'))
  await add('c', '2024-01-03', 5)
  await home.run(sumsOf(3))
  expect(await home.rows('gold.sums')).toEqual(sums(['b', 2, 1], ['c', 5, 1]))
  // Made anew from all rows it says the same; what came after a delete is not deleted by it.
  await add('a', '2024-01-03', 7)
  await home.run(sumsOf(3), { fullRefresh: true })
  expect(await home.rows('gold.sums')).toEqual(sums(['a', 7, 1], ['b', 2, 1], ['c', 5, 1]))
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
  // What it goes on from must be in its table.
  await expect(
    run("SELECT 'a' AS k, day, v FROM incoming", 'SELECT k, v FROM totals'),
  ).rejects.toMatchObject({ code: 'MODEL_INVALID' })
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
  await home.run(sumsOf(2))
  await (await home.table('gold.sums')).delete({
    where: compare(['k'], '=', { type: 'string', value: 'a' }),
  })
  await home.add('bronze.seen', source.replace('DAY', '5').replace("'a'", "'b'"))
  await expect(home.run(sumsOf(2))).rejects.toMatchObject({ code: 'MODEL_ROWS_INVALID' })
  await home.run(sumsOf(2), { fullRefresh: true })
  expect(await home.rows('gold.sums')).toEqual([['b', 1, 1_000_000_007, 1, true]])
})
