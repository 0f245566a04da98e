import { expect, test } from 'vitest'
import { viewQueryTables } from '../../src/flow/tables-to-sql.ts'
import { pipeline } from '../../src/pipeline/pipeline.ts'
import { runQuery } from '../../src/sql/duckdb/query.ts'
import { openModelHome } from './model-home.ts'

test('models that are views answer by their names, also through one another', async () => {
  await using home = await openModelHome()
  const plan = pipeline('views', (p) => {
    p.model('silver.odd', 'SELECT n FROM bronze.numbers WHERE n % 2 = 1', { materialize: 'view' })
    p.model('gold.most', 'SELECT max(n) AS n FROM silver.odd', { materialize: 'view' })
  })
  const numbers = {
    schema: 'bronze',
    name: 'numbers',
    select: () => 'SELECT range AS n FROM range(8)',
  }
  const tables = [numbers, ...(await viewQueryTables(home.engine, [plan]))]
  const { rows } = await runQuery(home.engine, { sql: 'FROM gold.most', tables })
  expect(rows).toEqual([[7]])
})
