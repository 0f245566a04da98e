import { existsSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { tablePlaces } from '../../src/flow/table-places.ts'
import { lakeFunctions, lakeQueryTables } from '../../src/flow/tables-to-sql.ts'
import { type QueryOptions, runQuery } from '../../src/sql/duckdb/query.ts'
import { type LakeOfBoth, openLakeOfBoth } from './lake-of-both.ts'

// Tables by name and by path, in both formats, as they are and as they were.

let world: LakeOfBoth
/** Snapshot ids of the Iceberg table, oldest first. */
let snapshots: string[]
let betweenMs: number

beforeAll(async () => {
  world = await openLakeOfBoth()
  const sales = await world.delta('bronze.sales')
  await world.append(sales, `SELECT 1::BIGINT AS id, 'Hue' AS city, 1.5::DOUBLE AS price`)
  await world.append(sales, `SELECT 2::BIGINT AS id, 'Da Nang' AS city, 2.5::DOUBLE AS price`)
  const cities = await world.icebergTable('silver.cities')
  await world.append(cities, `SELECT 1::BIGINT AS id, 'Hue' AS city, 10.0::DOUBLE AS price`)
  await new Promise((resolve) => setTimeout(resolve, 20))
  betweenMs = Date.now()
  await new Promise((resolve) => setTimeout(resolve, 20))
  await world.append(cities, `SELECT 2::BIGINT AS id, 'Vinh' AS city, 20.0::DOUBLE AS price`)
  snapshots = (await cities.history()).map(({ snapshotId }) => String(snapshotId)).reverse()
})
afterAll(() => world.close())

const ask = async (sql: string, options: Partial<QueryOptions> = {}) => {
  const { rows } = await runQuery(world.engine, {
    sql,
    tables: await lakeQueryTables(world.lake, world.engine),
    functions: lakeFunctions(world.places, world.engine),
    sandboxed: false,
    ...options,
  })
  return rows
}

describe('tables of both formats in SQL', () => {
  test('by name, joined', async () => {
    expect(
      await ask('SELECT s.id, c.price FROM bronze.sales s JOIN silver.cities c USING (city)'),
    ).toEqual([[1, 10]])
  })

  test('by path, absolute, relative and as a URL, joined with names', async () => {
    const sales = path.join(world.folder, 'bronze', 'sales')
    expect(await ask(`SELECT count(*) FROM delta('${sales}')`)).toEqual([[2]])
    expect(await ask(`SELECT count(*) FROM Delta('file://${sales}') AS s`)).toEqual([[2]])
    expect(
      await ask(
        `SELECT s.id, c.city FROM delta ( './lake/bronze/sales' ) s -- (a comment
         JOIN iceberg('lake/silver/cities') c ON c.id = s.id ORDER BY 1;`,
      ),
    ).toEqual([
      [1, 'Hue'],
      [2, 'Vinh'],
    ])
    expect(existsSync(path.join(sales, '.mekong-tmp'))).toBe(false)
  })

  test('as they were, by version', async () => {
    expect(await ask('SELECT count(*) FROM bronze.sales AT (VERSION => 1)')).toEqual([[1]])
    expect(
      await ask(
        `EXPLAIN ANALYZE SELECT sales.id FROM bronze.sales AT (VERSION => 0) JOIN bronze.sales b AT (VERSION => 2) USING (id)`,
      ),
    ).not.toEqual([])
    expect(
      await ask(
        `SELECT 'é', old.n, now.n FROM (SELECT count(*) n FROM bronze.sales old AT (VERSION => 1)) old, (SELECT count(*) n FROM bronze.sales) now`,
      ),
    ).toEqual([['é', 1, 2]])
    expect(
      await ask(`SELECT id FROM delta('lake/bronze/sales', version => 1) UNION ALL
                 SELECT id FROM delta('bronze.sales', version => 2) ORDER BY id`),
    ).toEqual([[1], [1], [2]])
    // Snapshot ids have more digits than a JavaScript number.
    expect(
      await ask(`SELECT city FROM iceberg('silver.cities', version => ${snapshots[0]})`),
    ).toEqual([['Hue']])
    expect(await ask(`SELECT city FROM silver.cities AT (VERSION => ${snapshots[0]})`)).toEqual([
      ['Hue'],
    ])
  })

  test('as they were, by time and by branch', async () => {
    const at = new Date(betweenMs).toISOString()
    expect(await ask(`SELECT city FROM iceberg('silver.cities', at => '${at}')`)).toEqual([['Hue']])
    expect(
      await ask(`SELECT city FROM silver.cities AT (TIMESTAMP => TIMESTAMPTZ '${at}')`),
    ).toEqual([['Hue']])
    expect(
      await ask(`SELECT count(*) FROM iceberg('silver.cities', ref => 'main') WHERE city <> ''`),
    ).toEqual([[2]])
  })

  test('what cannot be is refused, and says what can', async () => {
    const refusals: [sql: string, code: string, message: RegExp][] = [
      [`FROM delta('lake/silver/cities')`, 'TABLE_MISSING', /Apache Iceberg.*iceberg\('…'\)/],
      [`FROM delta('./nowhere')`, 'TABLE_MISSING', /no such folder/],
      [`FROM iceberg('/tmp')`, 'TABLE_MISSING', /neither a _delta_log/],
      [`FROM delta('bronze.nope')`, 'TABLE_MISSING', /bronze\.sales, silver\.cities/],
      [`FROM iceberg('bronze.sales')`, 'TABLE_MISSING', /Delta Lake/],
      [`FROM delta('bronze.sales', version => 9)`, 'SNAPSHOT_MISSING', /9/],
      [`FROM delta('bronze.sales', at => '1999-01-01')`, 'SNAPSHOT_MISSING', /1999/],
      [`FROM delta('bronze.sales', ref => 'main')`, 'TABLE_MISMATCH', /branches/],
      [`FROM delta('bronze.sales', at => 'yesterday')`, 'QUERY_REFUSED', /2026-01-31/],
      [`FROM delta('bronze.sales', version => -1)`, 'QUERY_REFUSED', /no version/],
      [`FROM delta('bronze.sales', version => 1, at => '2026-01-01')`, 'QUERY_REFUSED', /one of/],
      [`FROM delta('bronze.sales', moment => 1)`, 'QUERY_REFUSED', /version => N/],
      [`FROM delta('a' || 'b')`, 'QUERY_REFUSED', /plain values/],
      [`FROM delta()`, 'QUERY_REFUSED', /delta\('PATH'\)/],
      [`FROM bronze.nope AT (VERSION => 1)`, 'SQL_INVALID', /bronze\.sales/],
    ]
    for (const [sql, code, message] of refusals) {
      const refused = await ask(sql).then(
        () => undefined,
        (error) => error,
      )
      expect([sql, refused?.code]).toEqual([sql, code])
      expect(refused.message).toMatch(message)
    }
  })

  test('questions from outside reach names, their past, and no file', async () => {
    const named = tablePlaces({ lake: world.lake })
    const sandboxed = { sandboxed: true, functions: lakeFunctions(named, world.engine) }
    expect(
      await ask(`SELECT count(*) FROM delta('bronze.sales', version => 1)`, sandboxed),
    ).toEqual([[1]])
    expect(await ask(`SELECT count(*) FROM bronze.sales AT (VERSION => 1)`, sandboxed)).toEqual([
      [1],
    ])
    await expect(
      ask(`FROM delta('${world.folder}/bronze/sales')`, sandboxed),
    ).rejects.toMatchObject({ code: 'TABLE_MISSING' })
    await expect(
      ask(`FROM delta('bronze.sales')`, { sandboxed: true, functions: {} }),
    ).rejects.toMatchObject({ code: 'QUERY_REFUSED' })
  })
})
