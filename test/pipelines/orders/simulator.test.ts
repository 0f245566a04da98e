import { execFile } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'
import { afterAll, expect, test } from 'vitest'
import type { Order } from '../../../pipelines/orders/schema.ts'
import { PLANTED_SURGES, simulator } from '../../../pipelines/orders/simulator.ts'
import { seedOfRun } from '../../crash/seeded.ts'
import { startOrders, temporaryHome } from './orders-platform.ts'

// The simulated shop has a known answer: three products surge on the last day that has ended, and no other.

const MAIN = path.resolve(import.meta.dirname, '../../../src/cli/main.ts')
const DAY_MS = 86_400_000
const home = temporaryHome()
afterAll(() => home.remove())

const requestsOf = (seed: number, eventCount: number, nowMs: number) =>
  [...simulator.requests!({ seed, eventCount, nowMs })].map(({ events }) => events as Order[])

test('planted surges are found, and no other', { timeout: 300_000 }, async () => {
  const seed = seedOfRun('a simulated shop')
  const nowMs = Date.now()
  let shop = await startOrders(home.folder)
  try {
    for (const [name, rows] of Object.entries(simulator.references!()))
      await shop.put(name as 'customers', rows)
    for (const orders of requestsOf(seed, 2_000, nowMs)) await shop.post(orders)
    await shop.settled()
    const [facts] = await shop.rows('SELECT count(*) AS n FROM silver.orders')
    expect(facts).toEqual({ n: 2_000 })
    await shop.stop()
    const run = [MAIN, 'run', 'tag:surges', '--home', home.folder, '--json']
    const env = { PATH: process.env.PATH, POSTGRES_PORT: '0', MEKONG_PORT: '0' }
    await promisify(execFile)(process.execPath, run, { env })
    shop = await startOrders(home.folder)
    const found = await shop.platform.followers.documents!.find({
      collection: 'surging',
      limit: 99,
    })
    expect(found.map(({ product_id }) => product_id).sort()).toEqual([...PLANTED_SURGES].sort())
    for (const { demand, threshold, historical_counts } of found) {
      expect(demand).toBeGreaterThan(threshold as number)
      expect(historical_counts).toHaveLength(90)
    }
  } finally {
    await shop.stop()
  }
})

test('a shop has repeated and late orders, and names that nobody knows', () => {
  const nowMs = Date.UTC(2026, 4, 20, 12)
  for (const seed of [1, 2, 3]) {
    const orders = requestsOf(seed, 6_000, nowMs).flat()
    const ids = new Set(orders.map(({ order_id }) => order_id))
    expect(ids.size).toBe(6_000)
    expect(orders.length).toBeGreaterThan(6_000)
    const known = new Set(simulator.references!().products!.map(({ product_id }) => product_id))
    const products = orders.flatMap(({ order_list }) => order_list.map((line) => line.product_id))
    expect(products.some((product) => !known.has(product))).toBe(true)
    const at = orders.map(({ order_timestamp }) => Date.parse(`${order_timestamp}`))
    expect(at.some((time, index) => index > 0 && time < at[index - 1]! - DAY_MS)).toBe(true)
    expect(Math.max(...at)).toBeLessThanOrEqual(nowMs)
    for (const { order_list } of orders)
      for (const { quantity } of order_list) expect(quantity).toBeGreaterThan(0)
  }
})
