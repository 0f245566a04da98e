import orders from '../pipelines/orders/pipeline.ts'
import type { TableConsumer } from '../src/flow/follow-table.ts'
import type { ComputeEngine } from '../src/sql/duckdb/engine.ts'

/** A shop's past: orders of one line to three, in order of time, evenly over two years. */
export interface Shop {
  readonly orderCount: number
  readonly customerCount: number
  /** Orders in one commit of the table; default 100,000. */
  readonly commitOrderCount?: number
}

export const SHOP_CUSTOMER_COUNT = 200_000
export const SHOP_END_MS = Date.UTC(2026, 0, 1)
const DAY_COUNT = 730
const PRODUCT_COUNT = 500
const CATEGORY_COUNT = 24
const COMMIT_ORDER_COUNT = 100_000

/**
 * Hand a shop's orders to what follows their table, commit by commit, as `followTable` does. What it then holds is what the platform's own
 * code makes of them.
 */
export async function fillFromShop(
  engine: ComputeEngine,
  consumer: TableConsumer,
  { shop, onProgress }: { readonly shop: Shop; readonly onProgress: (orders: number) => void },
): Promise<void> {
  const commitOrderCount = shop.commitOrderCount ?? COMMIT_ORDER_COUNT
  const columns = orders.tables.find(({ name }) => name === 'silver.orders')!.columns
  const connection = await engine.connection()
  const relation = engine.relationName('shop')
  try {
    for (let start = 0, to = 0; start < shop.orderCount; start += commitOrderCount, to += 1) {
      const end = Math.min(start + commitOrderCount, shop.orderCount)
      await connection.run(
        `CREATE OR REPLACE TEMP TABLE ${relation} AS ${shopSql(shop, { start, end, version: to })}`,
      )
      await consumer.take({ connection, relation, columns, from: to - 1, to, anew: to === 0 })
      onProgress(end)
    }
  } finally {
    connection.close()
  }
}

/** Orders `start` up to `end` as changes of `silver.orders`. */
export function shopSql(
  { orderCount, customerCount }: Shop,
  {
    start,
    end,
    version,
  }: { readonly start: number; readonly end: number; readonly version: number },
): string {
  const span = DAY_COUNT * 86_400_000_000
  const startMicros = SHOP_END_MS * 1000 - span
  const line = (of: number) =>
    `{product_id: (hash(n + ${of}) % ${PRODUCT_COUNT})::INTEGER, quantity: 1 + (hash(n + ${of + 3}) % 3)::INTEGER, ` +
    `price: (1 + hash(n + ${of}) % ${PRODUCT_COUNT} % 40)::DECIMAL(18,4), product_category: 'Category ' || (hash(n + ${of}) % ${PRODUCT_COUNT} % ${CATEGORY_COUNT})}`
  return `SELECT *, coalesce(list_sum(list_transform(order_list, lambda l: l.quantity * l.price)), 0)::DECIMAL(18,4) AS total,
[]::VARCHAR[] AS missing_refs, 'insert' AS _change_type, ${version}::BIGINT AS _commit_version FROM (
SELECT 'order-' || n AS order_id, (hash(n) % ${customerCount})::INTEGER AS customer_id, 'Customer ' || customer_id AS customer_name,
make_timestamptz((${startMicros} + n * ${span / orderCount})::BIGINT) AS order_timestamp,
[${line(10)}, ${line(20)}, ${line(30)}][1:1 + (hash(n + 1) % 3)::INTEGER] AS order_list
FROM range(${start}, ${end}) r(n))`
}
