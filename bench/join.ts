import path from 'node:path'
import orders from '../pipelines/orders/pipeline.ts'
import { referenceGate } from '../src/flow/reference-gate.ts'
import { HOP_ENGINE_THREADS } from '../src/flow/running-hop.ts'
import { openComputeEngine } from '../src/sql/duckdb/engine.ts'
import { openReferenceStore } from '../src/sql/duckdb/reference-store.ts'
import { type Bench, rounded } from './bench.ts'
import { fillLog } from './filled-log.ts'
import { carryBacklog } from './hop-run.ts'

const CUSTOMER_COUNT = 1_000_000
const PRODUCT_COUNT = 100_000
const LINES_PER_ORDER = 3
/** Half of the default memory of a platform, as its hops have it. */
const MEMORY_MB = 512

/** Orders that wait in the log, joined with their customers and products on their way into the lake. */
export const join: Bench = {
  name: 'join',
  question:
    'How many order lines a second are joined with 100,000 products and a million customers?',
  secondsDefault: 30,
  async run({ folder, rows = 300_000, say }) {
    const orderCount = Math.ceil(rows / LINES_PER_ORDER)
    say(`appending ${orderCount} orders of ${LINES_PER_ORDER} lines`)
    const file = path.join(folder, 'log.sqlite')
    const log = await fillLog({ file, plan: orders, eventCount: orderCount, textOf: orderText })
    const engine = await openComputeEngine({
      spillDirectory: path.join(folder, 'spill'),
      memoryLimitBytes: MEMORY_MB * 1024 * 1024,
      threads: HOP_ENGINE_THREADS,
    })
    say('filling the references')
    const store = await openReferenceStore(engine)
    const relations = new Map<string, string>()
    for (const { name, key, columns } of orders.references) {
      const table = await store.table({ name, key, columns })
      await table.fill(name === 'customers' ? CUSTOMERS : PRODUCTS)
      relations.set(name, table.relation)
    }
    const residentMbBefore = process.memoryUsage().rss / 1024 / 1024
    say('carrying the orders')
    let residentMb = 0
    const watch = setInterval(() => {
      residentMb = Math.max(residentMb, process.memoryUsage().rss / 1024 / 1024)
    }, 50)
    const references = { relations, gate: referenceGate() }
    const hop = { log, plan: orders, engine, hop: 'silver.orders', eventCount: orderCount }
    const cpuBefore = process.cpuUsage()
    const tookMs = await carryBacklog({ ...hop, folder, references })
    const { user, system } = process.cpuUsage(cpuBefore)
    const cpuSeconds = (user + system) / 1e6
    clearInterval(watch)
    await log.close()
    engine.close()
    return {
      figures: {
        lines_per_second: rounded((orderCount * LINES_PER_ORDER) / (tookMs / 1000)),
        lines_per_cpu_second: rounded((orderCount * LINES_PER_ORDER) / cpuSeconds),
        orders_per_second: rounded(orderCount / (tookMs / 1000)),
        resident_mb_before: rounded(residentMbBefore),
        resident_mb_highest: rounded(residentMb),
      },
      goals: [{ figure: 'lines_per_second', atLeast: 100_000 }],
      limits: [
        `From the log's file through decoding, both joins and the total to committed Delta files; the engine has ${MEMORY_MB} MB, the references are in its file.`,
      ],
    }
  },
}

const VERSIONS = `TIMESTAMPTZ '1900-01-01 00:00:00+00' AS valid_from, NULL::TIMESTAMPTZ AS valid_to, now() AS known_at`
const CUSTOMERS = `SELECT n::INTEGER AS customer_id, 'Customer ' || n AS customer_name, ${VERSIONS} FROM range(${CUSTOMER_COUNT}) r(n)`
const PRODUCTS = `SELECT n::INTEGER AS product_id, 'Product ' || n AS product_name, 'Category ' || (n % 40) AS product_category, ((n % 9000) / 100.0)::DECIMAL(18,4) AS price, ${VERSIONS} FROM range(${PRODUCT_COUNT}) r(n)`

function orderText(n: number): string {
  const lines = Array.from({ length: LINES_PER_ORDER }, (_, line) => ({
    product_id: (n * 7_919 + line * 104_729) % PRODUCT_COUNT,
    quantity: 1 + ((n + line) % 5),
  }))
  return JSON.stringify({ customer_id: (n * 7_919) % CUSTOMER_COUNT, order_list: lines })
}
