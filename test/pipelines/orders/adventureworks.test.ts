import { execFile } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ComputeEngine, openComputeEngine } from '../../../src/sql/duckdb/engine.ts'
import { startOrders, temporaryHome } from './orders-platform.ts'

// Two and a half years of real orders, played at full speed through the front door by the command line. What the platform says of them is compared with what is computed
// here from the files alone, by other means: DuckDB on the CSV for sums, plain arrays and percentiles for surges.

const ROOT = path.resolve(import.meta.dirname, '..', '..', '..')
const FOLDER = path.resolve(ROOT, '../shared/data/orders/adventureworks')
const isThere = existsSync(FOLDER)
if (!isThere) console.log(`skipped: ${FOLDER} is not there`)

const DAY_MS = 86_400_000

describe.skipIf(!isThere)('AdventureWorks', { timeout: 600_000 }, () => {
  const home = temporaryHome()
  const spill = temporaryHome()
  let files: ComputeEngine
  // biome-ignore lint/suspicious/noExplicitAny: the command's answer is looked into as into any JSON
  let report: any

  beforeAll(async () => {
    const args = ['load', 'orders', FOLDER, '--home', home.folder, '--json']
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [path.join(ROOT, 'src', 'cli', 'main.ts'), ...args],
      {
        cwd: ROOT,
        env: { PATH: process.env.PATH, MEKONG_PORT: '0', POSTGRES_PORT: '0' },
        maxBuffer: 64 * 1024 * 1024,
      },
    )
    report = JSON.parse(stdout)
    files = await openComputeEngine({ spillDirectory: spill.folder })
    const connection = await files.connection()
    const csv = (pattern: RegExp) =>
      `read_csv([${readdirSync(FOLDER)
        .filter((name) => pattern.test(name))
        .map((name) => `'${path.join(FOLDER, name)}'`)
        .join(', ')}], header = true, all_varchar = true)`
    await connection.run(
      `CREATE TABLE lines AS SELECT s.OrderNumber AS id, strptime(s.OrderDate, '%m/%d/%Y')::DATE AS day, s.CustomerKey::INT AS customer,
        s.ProductKey::INT AS product, s.OrderQuantity::INT AS quantity, p.ProductPrice::DECIMAL(18,4) AS price, c.CategoryName AS category
      FROM ${csv(/^Sales_/)} s JOIN ${csv(/^Products\./)} p USING (ProductKey)
      JOIN ${csv(/^Product_Subcategories/)} u USING (ProductSubcategoryKey) JOIN ${csv(/^Product_Categories/)} c USING (ProductCategoryKey)`,
    )
    connection.close()
  }, 600_000)
  afterAll(() => {
    files?.close()
    home.remove()
    spill.remove()
  })

  const ask = async (sql: string) => {
    const connection = await files.connection()
    try {
      return await connection.rows(sql)
    } finally {
      connection.close()
    }
  }

  test('every order arrives once, and every task is done', () => {
    expect(report).toMatchObject({
      ...{ ok: true, balanced: true, produced: 25_164, accepted: 25_164, bronze: 25_164, dead: 0 },
    })
    expect(report.tasks.filter((t: { status: string }) => t.status !== 'done')).toEqual([])
  })

  test('numbers, pages, surges and the warehouse equal what the files say', async () => {
    const shop = await startOrders(home.folder)
    try {
      // biome-ignore lint/suspicious/noExplicitAny: answers are looked into as into any JSON
      const get = async (at: string): Promise<any> =>
        (await fetch(`${shop.platform.url}/v1/${at}`)).json()
      for (const [day, period] of [
        ['2015-06-15', 'day'],
        ['2016-12-31', 'month'],
        ['2017-06-30', 'week'],
        ['2017-06-30', 'month'],
      ] as const) {
        const unit = `date_trunc('${period}', DATE '${day}')`
        const [[sales, orders, customers]] = (await ask(
          `SELECT sum(quantity * price)::DOUBLE, count(DISTINCT id), count(DISTINCT customer) FROM lines WHERE day >= ${unit} AND day <= DATE '${day}'`,
        )) as [[number, bigint, bigint]]
        const { measures } = await get(`aggregates/orders?period=${period}&at=${day}T23:59:59Z`)
        expect([measures.sales.value, measures.orders.value, measures.customers.value]).toEqual([
          sales,
          Number(orders),
          Number(customers),
        ])
      }
      const { totals } = await get('aggregates/orders')
      const [[sales, orders, customers]] = (await ask(
        'SELECT sum(quantity * price)::DOUBLE, count(DISTINCT id), count(DISTINCT customer) FROM lines',
      )) as [[number, bigint, bigint]]
      expect(totals).toEqual({ sales, orders: Number(orders), customers: Number(customers) })

      const range = 'from=2016-07-01T00:00:00Z&to=2017-07-01T00:00:00Z&grain=day'
      const { lines, steps } = await get(`aggregates/orders/series/category_value?${range}`)
      const expected = new Map(
        (
          (await ask(
            `SELECT category || '/' || day, sum(quantity * price)::DOUBLE FROM lines WHERE day >= '2016-07-01' GROUP BY ALL`,
          )) as [string, number][]
        ).map(([place, value]) => [place, value]),
      )
      const shown = lines.flatMap(({ label, values }: { label: string; values: number[] }) =>
        values.flatMap((value, index) =>
          value === 0 ? [] : [[`${label}/${steps[index].slice(0, 10)}`, value]],
        ),
      )
      expect(new Map(shown)).toEqual(expected)

      const [[busiest, theirs]] = (await ask(
        'SELECT customer, count(DISTINCT id) FROM lines GROUP BY ALL ORDER BY 2 DESC, 1 LIMIT 1',
      )) as [[number, bigint]]
      const { documents } = await get(`documents/orders?customer_id=${busiest}&limit=1000`)
      expect(documents).toHaveLength(Number(theirs))
      const [[spent]] = (await ask(
        `SELECT sum(quantity * price)::DOUBLE FROM lines WHERE customer = ${busiest}`,
      )) as [[number]]
      const total = documents.reduce((sum: number, d: { total: number }) => sum + d.total, 0)
      expect(total).toBeCloseTo(spent, 4)

      const found = await shop.rows(
        `select period_start::varchar || '/' || product_id as surge from gold.product_surges order by 1`,
      )
      expect(found.map(({ surge }) => surge)).toEqual(
        surgesOf(
          (await ask('SELECT product, day::VARCHAR, sum(quantity) FROM lines GROUP BY ALL')) as [
            number,
            string,
            bigint,
          ][],
        ),
      )
      expect(found.length).toBeGreaterThan(1_000)
      const day = '2017-06-23'
      const surges = await get(`documents/surges?period_start=${day}&limit=1000`)
      expect(surges.documents.map((d: { surge_id: string }) => d.surge_id).sort()).toEqual(
        found
          .map(({ surge }) => surge as string)
          .filter((surge) => surge.startsWith(day))
          .sort(),
      )
    } finally {
      await shop.stop()
    }
  })
})

/** Each product's days against the 95th percentile of the 90 before, as numpy's default has it: linear between neighbours. */
function surgesOf(sold: readonly (readonly [number, string, bigint])[]): string[] {
  const byProduct = new Map<number, Map<number, number>>()
  for (const [product, day, quantity] of sold) {
    const days = byProduct.get(product) ?? new Map<number, number>()
    byProduct.set(product, days.set(Date.parse(day) / DAY_MS, Number(quantity)))
  }
  const found: string[] = []
  for (const [product, days] of byProduct) {
    const first = Math.min(...days.keys())
    for (const [day, demand] of days) {
      const before: number[] = []
      for (let past = Math.max(first, day - 90); past < day; past += 1)
        before.push(days.get(past) ?? 0)
      if (before.length < 5) continue
      before.sort((a, b) => a - b)
      const place = 0.95 * (before.length - 1)
      const below = before[Math.floor(place)]!
      const threshold = below + (before[Math.ceil(place)]! - below) * (place - Math.floor(place))
      if (demand > threshold + 1e-9)
        found.push(`${new Date(day * DAY_MS).toISOString().slice(0, 10)}/${product}`)
    }
  }
  return found.sort()
}
