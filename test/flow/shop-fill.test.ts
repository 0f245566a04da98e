import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fillFromShop, SHOP_END_MS, shopSql } from '../../bench/shop-fill.ts'
import orders from '../../pipelines/orders/pipeline.ts'
import { aggregateConsumer } from '../../src/flow/table-consumers.ts'
import {
  type AggregateStore,
  openAggregateStore,
} from '../../src/serve/aggregates/aggregate-store.ts'
import { type ComputeEngine, openComputeEngine } from '../../src/sql/duckdb/engine.ts'

// What the benchmark of the shop's page fills: the same whether its orders came in many commits or in one, and what SQL says of them.

const SHOP = { orderCount: 3_000, customerCount: 70 }

describe('a filled shop', { timeout: 60_000 }, () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'mekong-shop-'))
  let engine: ComputeEngine
  beforeAll(async () => {
    engine = await openComputeEngine({ spillDirectory: path.join(folder, 'spill') })
  })
  afterAll(() => {
    engine.close()
    rmSync(folder, { recursive: true, force: true })
  })

  const filled = async <T>(
    commitOrderCount: number,
    look: (store: AggregateStore) => Promise<T>,
  ) => {
    const plan = orders.aggregates[0]!
    const file = path.join(folder, `${commitOrderCount}.sqlite`)
    const store = await openAggregateStore(file, plan.shape)
    const shop = { ...SHOP, commitOrderCount }
    const done: number[] = []
    await fillFromShop(engine, aggregateConsumer('orders', plan, store), {
      ...{ shop, onProgress: (count) => done.push(count) },
    })
    expect(done.at(-1)).toBe(SHOP.orderCount)
    const found = await look(store)
    await store.close()
    return found
  }

  test('is the same however it was filled, and as SQL has it', async () => {
    const at = SHOP_END_MS - 40 * 3_600_000
    const look = async (store: AggregateStore) => ({
      totals: await store.totals(),
      month: await store.measures('month', at),
      week: await store.measures('week', at),
      newest: await store.newestMs(),
      days: await store.series({
        ...{ series: 'category_value', grain: 'day', top: 30 },
        ...{ fromMs: SHOP_END_MS - 90 * 86_400_000, toMs: SHOP_END_MS },
      }),
    })
    const [once, often] = [await filled(SHOP.orderCount, look), await filled(170, look)]
    expect(often).toEqual(once)
    const connection = await engine.connection()
    const sql = shopSql(SHOP, { start: 0, end: SHOP.orderCount, version: 0 })
    const [row] = await connection.rows(
      `SELECT sum(total)::DOUBLE, count(*)::DOUBLE, count(DISTINCT customer_id)::DOUBLE FROM (${sql})`,
    )
    const [inMonth] = await connection.rows(
      `SELECT count(*)::DOUBLE, count(DISTINCT customer_id)::DOUBLE FROM (${sql}) WHERE order_timestamp >= '2025-12-01' AND order_timestamp < '2025-12-31'`,
    )
    connection.close()
    const { sales, orders: count, customers } = once.totals
    expect([sales, count, customers]).toEqual(row)
    const { measures } = once.month
    expect([measures.orders!.value, measures.customers!.value]).toEqual(inMonth)
  })
})
