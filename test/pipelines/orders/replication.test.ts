import pg from 'pg'
import { afterAll, describe, expect, test } from 'vitest'
import { createServerDatabase } from '../../crash/server-database.ts'
import { ensureService } from '../../services.ts'
import { type OrdersPlatform, startOrders, temporaryHome } from './orders-platform.ts'

// Orders whose customers and products are in a PostgreSQL server that offers replication: changes of any program reach the rows that were joined
// before, and deleted rows are known at once.

const server = await ensureService('postgres', { instance: 'replication' })

describe.skipIf('skip' in server)('orders meet references by replication', () => {
  if ('skip' in server) return
  const home = temporaryHome()
  let shop: OrdersPlatform | undefined
  let drop: () => Promise<void> = async () => {}
  afterAll(async () => {
    await shop?.stop()
    home.remove()
    await drop()
  })

  test('a change by another program', { timeout: 120_000 }, async () => {
    const database = await createServerDatabase(server)
    drop = database.drop
    shop = await startOrders(home.folder, database.variables())
    const order = (order_id: string, day: string) => ({
      ...{ order_id, customer_id: 7, order_timestamp: `${day}T12:00:00Z`, historic: true },
      order_list: [{ product_id: 1, quantity: 2 }],
    })
    await shop.post([order('A', '2024-01-01')])
    await shop.settled()
    const client = new pg.Client({ connectionString: database.url })
    await client.connect()
    const orders = () =>
      shop!.rows(
        `select order_id, customer_name, total::varchar as total, missing_refs from silver.orders order by 1`,
      )
    try {
      await client.query(`INSERT INTO customer (customer_id, customer_name) VALUES (7, 'Ann')`)
      await client.query(
        `INSERT INTO product (product_id, product_category, price) VALUES (1, 'tea', 2.5)`,
      )
      const whole = { order_id: 'A', customer_name: 'Ann', total: '5.0000', missing_refs: [] }
      await expect.poll(orders, { timeout: 30_000, interval: 200 }).toEqual([whole])
      await client.query('DELETE FROM product')
      const customers = () =>
        shop!.rows('select 1 as n from silver.products where valid_to is not null')
      await expect.poll(customers, { timeout: 30_000, interval: 200 }).toEqual([{ n: 1 }])
      await shop.post([
        { order_id: 'B', customer_id: 7, order_list: [{ product_id: 1, quantity: 1 }] },
      ])
      await shop.settled()
      expect(await orders()).toEqual([
        whole,
        { order_id: 'B', customer_name: 'Ann', total: '0.0000', missing_refs: ['products:1'] },
      ])
      const { rows } = await client.query(
        'SELECT slot_name FROM pg_replication_slots WHERE active AND database = current_database()',
      )
      expect(rows).toHaveLength(2)
      expect(shop.notices.filter((line) => line.includes('reference'))).toEqual([])
    } finally {
      await client.end()
    }
  })
})
