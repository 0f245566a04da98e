import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { ensureToolset } from '../../services.ts'
import { engineForTests } from '../../sql/duckdb/engine-for-tests.ts'

// The rule for surges, as the pipeline's models say it, against numpy's percentile, over all AdventureWorks orders. `adventureworks.test.ts` sends the same orders through
// the platform.

const ROOT = path.resolve(import.meta.dirname, '..', '..', '..')
const FOLDER = path.resolve(ROOT, '../shared/data/orders/adventureworks')
const isThere = existsSync(FOLDER)
if (!isThere) console.log(`skipped: ${FOLDER} is not there`)
const tools = isThere ? await ensureToolset('python') : { skip: 'no files' }
const model = (name: string) =>
  readFileSync(path.join(ROOT, 'pipelines', 'orders', 'models', `${name}.sql`), 'utf8')

describe.skipIf('skip' in tools)('surges', { timeout: 300_000 }, () => {
  if ('skip' in tools) return
  const held = engineForTests()

  test('are those that numpy finds in 56,048 lines, and no other', async () => {
    const files = readdirSync(FOLDER)
      .filter((name) => name.startsWith('Sales_'))
      .map((name) => `'${path.join(FOLDER, name)}'`)
    const { connection } = held
    await connection.run(`CREATE SCHEMA silver; CREATE SCHEMA gold`)
    await connection.run(
      `CREATE TABLE silver.orders AS SELECT strptime(OrderDate, '%m/%d/%Y')::DATE AS event_date,
        list({product_id: ProductKey::INTEGER, quantity: OrderQuantity::INTEGER}) AS order_list
      FROM read_csv([${files.join(', ')}], header = true, all_varchar = true) GROUP BY OrderNumber, OrderDate`,
    )
    expect(
      await connection.rows('SELECT sum(len(order_list))::INTEGER FROM silver.orders'),
    ).toEqual([[56_048]])
    await connection.run(`CREATE TABLE gold.product_demand AS ${model('product_demand')}`)
    const found = await connection.rows(
      `SELECT period_start::VARCHAR || '/' || product_id FROM (${model('product_surges')}) ORDER BY 1`,
    )
    const { stdout, stderr } = await promisify(execFile)(
      tools.environment.MEKONG_PYTHON!,
      [path.join(import.meta.dirname, 'surges.py'), FOLDER],
      { maxBuffer: 16 * 1024 * 1024 },
    )
    expect(Number(stderr)).toBe(56_048)
    const expected = stdout.trim().split('\n')
    expect(expected.length).toBeGreaterThan(1_000)
    expect(found.map(([surge]) => surge)).toEqual(expected)
  })
})
