import path from 'node:path'
import orders from '../pipelines/orders/pipeline.ts'
import { openAggregateStore } from '../src/serve/aggregates/aggregate-store.ts'
import { aggregateDeltas } from '../src/sql/duckdb/aggregate-deltas.ts'
import { openComputeEngine } from '../src/sql/duckdb/engine.ts'
import { type Bench, quantile, rounded } from './bench.ts'

const ORDER_COUNT = 10_000_000
const ORDERS_PER_COMMIT = 250_000
const CUSTOMER_COUNT = 200_000
const DAY_COUNT = 730
const LOOK_COUNT = 200

/** What the shop's page asks, over a history of orders that was kept commit by commit. */
export const dashboard: Bench = {
  name: 'dashboard',
  question: "How long does the shop's page wait for its numbers at 10 million orders?",
  secondsDefault: 600,
  async run({ folder, rows = ORDER_COUNT, say }) {
    const { shape } = orders.aggregates[0]!
    const engine = await openComputeEngine({ spillDirectory: path.join(folder, 'spill') })
    const store = await openAggregateStore(path.join(folder, 'orders.sqlite'), shape)
    const startMs = performance.now()
    for (let from = 0, version = 0; from < rows; from += ORDERS_PER_COMMIT, version += 1) {
      const connection = await engine.connection()
      const until = Math.min(rows, from + ORDERS_PER_COMMIT)
      await connection.run(`CREATE TEMP TABLE changes AS ${ordersSql(from, until, rows)}`)
      const deltas = await aggregateDeltas(connection, 'changes', shape)
      await store.add({ deltas, from: version - 1, to: version, anew: version === 0 })
      connection.close()
      if (version % 4 === 3) say(`${until} orders kept`)
    }
    const keptMs = performance.now() - startMs
    const lastMs = END_MS
    const looks: number[] = []
    for (let look = 0; look < LOOK_COUNT; look += 1) {
      const at = lastMs - look * 3_600_000
      const began = performance.now()
      await store.measures((['hour', 'day', 'week', 'month'] as const)[look % 4]!, at)
      await store.totals()
      const range = { series: 'category_value', grain: 'hour', toMs: at, top: 10 } as const
      await store.series({ ...range, fromMs: at - 3 * 86_400_000 })
      looks.push(performance.now() - began)
    }
    await store.close()
    engine.close()
    return {
      figures: {
        page_median_ms: rounded(quantile(looks, 0.5), 2),
        page_p99_ms: rounded(quantile(looks, 0.99), 2),
        kept_orders_per_second: rounded(rows / (keptMs / 1000)),
      },
      goals: [{ figure: 'page_p99_ms', below: 20 }],
      limits: [
        'KPIs of a period beside the one before, all time, and three days of value by category and hour; HTTP and JSON are not in it.',
      ],
    }
  },
}

const END_MS = Date.UTC(2026, 0, 1)

/** Orders of a stretch of two years, one line or two each. */
function ordersSql(from: number, to: number, rows: number): string {
  const step = (DAY_COUNT * 86_400_000_000) / rows
  const startMicros = (END_MS - DAY_COUNT * 86_400_000) * 1000
  return (
    `SELECT 'insert' AS _change_type, make_timestamptz((${startMicros} + n * ${step})::BIGINT) AS order_timestamp, ` +
    `(hash(n) % ${CUSTOMER_COUNT})::INTEGER AS customer_id, ((hash(n + 1) % 10000) / 100.0)::DECIMAL(18,4) AS total, ` +
    `[{product_id: (hash(n + 2) % 500)::INTEGER, quantity: 1, price: 2.5::DECIMAL(18,4), product_category: 'Category ' || (hash(n + 2) % 24)}] AS order_list ` +
    `FROM range(${from}, ${to}) r(n)`
  )
}
