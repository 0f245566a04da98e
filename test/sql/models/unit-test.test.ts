import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readModels, viewsOf } from '../../../src/flow/read-models.ts'
import type { UnitTest } from '../../../src/model/sql-model.ts'
import { partitions } from '../../../src/pipeline/materialization.ts'
import { type PipelineBuilder, pipeline } from '../../../src/pipeline/pipeline.ts'
import { type ComputeEngine, openComputeEngine } from '../../../src/sql/duckdb/engine.ts'
import { runUnitTest } from '../../../src/sql/models/unit-test.ts'

let engine: ComputeEngine
let spillDirectory: string

beforeAll(async () => {
  spillDirectory = await mkdtemp(path.join(tmpdir(), 'mekong-unit-'))
  engine = await openComputeEngine({ spillDirectory })
})
afterAll(async () => {
  engine.close()
  await rm(spillDirectory, { recursive: true, force: true })
})

async function run(describe: (p: PipelineBuilder) => void, one: UnitTest) {
  const models = await readModels(engine, pipeline('units', describe).models)
  return runUnitTest(engine, {
    ...{ read: models.at(-1)!, test: one, views: viewsOf(models) },
    columnsOf: (table) =>
      table === 'silver.days' ? [{ name: 'day', type: 'date', nullable: true }] : undefined,
  })
}

const totals = (p: PipelineBuilder) => {
  p.model('silver.big', 'SELECT * FROM bronze.sales WHERE amount > 1', { materialize: 'view' })
  p.model(
    'gold.totals',
    'SELECT shop, sum(amount) AS total, run_time() AS made_at FROM silver.big GROUP BY shop',
  )
}

test('rows given by hand go through views into the model, and are compared in any order by the columns named', async () => {
  const sales = [
    { shop: 'a', amount: 2 },
    { shop: 'b', amount: 3 },
    { shop: 'a', amount: 5 },
    { shop: 'a', amount: 1 },
  ]
  const given = { 'bronze.sales': sales }
  const expected = [
    { total: 3, shop: 'b' },
    { total: 7, shop: 'a' },
  ]
  expect(await run(totals, { name: 'sums', given, expect: expected })).toEqual({
    ...{ passed: true, missing: [], surplus: [] },
  })
  const made_at = '2026-03-01T12:00:00Z'
  const timed = {
    name: 'time',
    given,
    runTime: made_at,
    expect: expected.map((row) => ({ ...row, made_at })),
  }
  expect((await run(totals, timed)).passed).toBe(true)
  const wrong = { name: 'wrong', given, expect: [...expected, { total: 9, shop: 'c' }].slice(1) }
  expect(await run(totals, wrong)).toEqual({
    passed: false,
    missing: [{ shop: 'c', total: 9 }],
    surplus: [{ shop: 'b', total: 3 }],
  })
})

test('rows can be a SELECT, declared columns need none, and a wrong name is told', async () => {
  const days = (p: PipelineBuilder) =>
    p.model(
      'gold.d',
      'SELECT day, count(*) AS n FROM silver.days SEMI JOIN touched USING (day) GROUP BY day',
      {
        ...{ incoming: 'silver.days', materialize: partitions({ by: ['day'] }) },
      },
    )
  const select = "SELECT DATE '2026-01-01' AS day UNION ALL SELECT '2026-01-01'"
  expect(
    (
      await run(days, {
        name: 'd',
        given: { incoming: select, 'silver.days': select },
        expect: [{ day: '2026-01-01', n: 2 }],
      })
    ).passed,
  ).toBe(true)
  expect((await run(days, { name: 'none', given: {}, expect: [] })).passed).toBe(true)
  await expect(run(days, { name: 'w', given: {}, expect: [{ m: 1 }] })).rejects.toMatchObject({
    code: 'MODEL_INVALID',
  })
  await expect(run(totals, { name: 'g', given: {}, expect: [] })).rejects.toMatchObject({
    code: 'MODEL_INVALID',
  })
})
