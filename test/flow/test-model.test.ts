import { describe, expect, test } from 'vitest'
import type { DataTest } from '../../src/model/sql-model.ts'
import {
  accepted,
  customSql,
  expression,
  freshness,
  notNull,
  relationship,
  rowCount,
  unique,
} from '../../src/pipeline/data-test.ts'
import { merge } from '../../src/pipeline/materialization.ts'
import type { PipelineBuilder } from '../../src/pipeline/pipeline.ts'
import { openModelHome, RUN_MS } from './model-home.ts'

// Data tests of models, on a real lake: what they find, what they keep, and that rows are tested once.

const ROWS = `SELECT * FROM (VALUES (1, 'a', 1.5, TIMESTAMPTZ '2026-01-09 22:00:00Z'),
  (2, 'b', -1.0, TIMESTAMPTZ '2026-01-09 23:00:00Z'), (2, NULL, 0.0, TIMESTAMPTZ '2026-01-09 20:00:00Z'),
  (9, 'c', NULL, NULL)) AS t(id, kind, score, seen)`

const failuresOf = async (tests: readonly DataTest[]) => {
  await using home = await openModelHome()
  await home.add('bronze.b', ROWS)
  await home.add('bronze.ids', 'SELECT range AS id FROM range(3)')
  await home
    .run((p) => p.model('silver.s', 'SELECT * FROM bronze.b', { tests }))
    .catch((error: unknown) => expect(error).toMatchObject({ code: 'TESTS_FAILED' }))
  return await home.rows(
    'system.test_failures',
    'SELECT test, severity, failing_rows, row FROM rows ORDER BY ALL',
  )
}

describe('data tests', () => {
  test.each<[DataTest, readonly unknown[]]>([
    [notNull('kind'), ['not_null_kind', 'error', 1]],
    [unique('id'), ['unique_id', 'error', 1, { id: 2, rows: 2 }]],
    [accepted('kind', ['a', 'b'], { severity: 'warn' }), ['accepted_kind', 'warn', 1]],
    [
      relationship('id', { table: 'bronze.ids', field: 'id' }),
      ['relationship_id', 'error', 1, { id: 9 }],
    ],
    [expression('score >= 0', { name: 'score_is_positive' }), ['score_is_positive', 'error', 1]],
    [
      freshness('seen', { warnAfterMs: 1_800_000, errorAfterMs: 7_200_000 }),
      ['freshness_seen', 'warn', 1],
    ],
    [freshness('seen', { errorAfterMs: 60_000 }), ['freshness_seen', 'error', 1]],
    [rowCount({ min: 5 }), ['row_count', 'error', 1, { rows: 4 }]],
    [
      customSql('SELECT id FROM silver.s WHERE id > 5;', { name: 'small' }),
      ['small', 'error', 1, { id: 9 }],
    ],
  ])('%j', async (one, [name, severity, count, row]) => {
    const found = await failuresOf([one])
    expect(found).toHaveLength(1)
    expect(found[0]!.slice(0, 3)).toEqual([name, severity, count])
    if (row !== undefined) expect(JSON.parse(found[0]![3] as string)).toEqual(row)
  })

  test('tests that find nothing leave nothing but how far they came', async () => {
    const passing = [
      notNull('id'),
      unique(['id', 'kind']),
      rowCount({ min: 1, max: 4 }),
      freshness('seen', { errorAfterMs: 86_400_000 }),
    ]
    await using home = await openModelHome()
    await home.add('bronze.b', ROWS)
    const reports = await home.run((p) =>
      p.model('silver.s', 'SELECT * FROM bronze.b', { tests: passing }),
    )
    expect(reports['silver.s']!.facts).toMatchObject({ tests: 4, tests_warned: 0 })
    expect(await home.rows('system.test_failures')).toEqual([])
  })

  test('age is asked at each run, also when nothing came; of a table without rows there is none', async () => {
    await using home = await openModelHome()
    const HOUR_MS = 3_600_000
    const run = (hours: number) =>
      home.run(
        (p) =>
          p.model('silver.s', 'SELECT id, seen FROM incoming', {
            ...{ incoming: 'bronze.b', materialize: merge({ key: ['id'] }) },
            tests: [
              notNull('id'),
              freshness('seen', { warnAfterMs: 2 * HOUR_MS, errorAfterMs: 6 * HOUR_MS }),
            ],
          }),
        { logicalMs: RUN_MS + hours * HOUR_MS },
      )
    const add = (where: string) =>
      home.add(
        'bronze.b',
        `SELECT 1 AS id, TIMESTAMPTZ '2026-01-10 00:00:00Z' AS seen WHERE ${where}`,
      )
    await add('false')
    expect((await run(9))['silver.s']!.facts).toMatchObject({ rows_in: 0, tests_warned: 0 })
    await add('true')
    expect((await run(1))['silver.s']!.facts).toMatchObject({ tests: 2, tests_warned: 0 })
    const silent = (await run(3))['silver.s']!
    expect([silent.status, silent.facts]).toMatchObject([
      'nothing_new',
      { tests: 1, tests_warned: 1 },
    ])
    await expect(run(7)).rejects.toMatchObject({
      ...{ code: 'TESTS_FAILED', failures: [{ test: 'freshness_seen', failingCount: 1 }] },
    })
    expect(
      await home.rows('system.test_failures', 'SELECT test, severity FROM rows ORDER BY tested_at'),
    ).toEqual([
      ['freshness_seen', 'warn'],
      ['freshness_seen', 'error'],
    ])
    // Rows that passed have passed, and what is fresh again is.
    await home.add('bronze.b', "SELECT 2 AS id, TIMESTAMPTZ '2026-01-10 07:00:00Z' AS seen")
    expect((await run(8))['silver.s']!.facts).toMatchObject({ tests: 2, tests_warned: 0 })
  })

  test('rows are tested once; an error is found again until it is mended, and the model is not built again for it', async () => {
    await using home = await openModelHome()
    const define = (sql: string) => (p: PipelineBuilder) =>
      p.model('silver.s', sql, {
        ...{ incoming: 'bronze.b', materialize: merge({ key: ['id'] }), onChange: 'keep' },
        tests: [notNull('v'), unique('id')],
      })
    const plain = define('SELECT id, v, 7 AS untested FROM incoming')
    const add = (rows: string) => home.add('bronze.b', `SELECT * FROM (VALUES ${rows}) AS t(id, v)`)
    await add("(1, 'a')")
    await home.run(plain)
    expect((await home.run(plain))['silver.s']!.facts.tests).toBeUndefined()
    await add("(1, NULL), (3, 'c')")
    await expect(home.run(plain)).rejects.toMatchObject({
      ...{ code: 'TESTS_FAILED', failures: [{ test: 'not_null_v', failingCount: 1 }] },
    })
    const { version } = (await home.lake.open('silver.s'))!
    await expect(home.run(plain)).rejects.toMatchObject({ code: 'TESTS_FAILED' })
    expect((await home.lake.open('silver.s'))!.version).toBe(version)
    await add("(1, 'b')")
    expect((await home.run(plain))['silver.s']!.facts).toMatchObject({ rows_changed: 1, tests: 2 })
    const kept = await home.rows(
      'system.test_failures',
      'SELECT DISTINCT run_id, epoch_ms(tested_at), row FROM rows',
    )
    expect(kept).toEqual([['run-1', RUN_MS, '{"id":1,"v":null,"untested":7}']])
  })

  test('a view is tested each time, and a warning is told and stops nothing', async () => {
    await using home = await openModelHome()
    await home.add('bronze.b', ROWS)
    const said: string[] = []
    const define = (p: PipelineBuilder) =>
      p.model('silver.v', 'SELECT * FROM bronze.b', {
        ...{ materialize: 'view', tests: [unique('id', { severity: 'warn' })] },
      })
    for (const _ of [1, 2]) {
      const reports = await home.run(define, { log: (line) => void said.push(line) })
      expect(reports['silver.v']!.facts).toMatchObject({ tests: 1, tests_warned: 1 })
    }
    expect(said).toHaveLength(2)
  })
})
