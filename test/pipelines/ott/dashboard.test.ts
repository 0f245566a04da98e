import { expect, test } from 'vitest'
import ott from '../../../pipelines/ott/pipeline.ts'
import { simulator } from '../../../pipelines/ott/simulator.ts'
import { lakeQueryTables, viewQueryTables } from '../../../src/flow/tables-to-sql.ts'
import { runQuery } from '../../../src/sql/duckdb/query.ts'
import { openOttHome } from './ott-home.ts'

// The console's own dashboard: every chart has an answer, of the columns that it shows.

test('every chart answers with the columns that it declares, over a simulated month', {
  timeout: 180_000,
}, async () => {
  await using home = await openOttHome()
  const files = [...simulator.files!({ seed: 4, eventCount: 8_000, nowMs: 0 })]
  await home.load(await home.write(files))
  await home.run()
  const tables = [
    ...(await lakeQueryTables(home.catalog, home.engine)),
    ...(await viewQueryTables(home.engine, [ott])),
  ]
  const { charts } = ott.dashboard!
  expect(charts.length).toBeGreaterThan(8)
  for (const { title, sql, columns } of charts) {
    const answer = await runQuery(home.engine, { sql, tables, rowCountMax: 1_000 })
    expect(answer.rows.length, title).toBeGreaterThan(0)
    expect(
      answer.columns.map(({ name }) => name),
      title,
    ).toEqual(columns.map(({ name }) => name))
  }
})
