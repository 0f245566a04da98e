import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type OrdersPlatform, startOrders, temporaryHome } from './orders-platform.ts'

// An order is joined with its customer and products as they were at its time. What comes late, or changes afterwards, finds its way into the
// rows that are there, each once, also over a restart.

const at = (day: string) => `${day}T12:00:00Z`
const order = (order_id: string, day: string, customer_id: number, lines: number[][]) => ({
  ...{ order_id, customer_id, order_timestamp: at(day), historic: true },
  order_list: lines.map(([product_id, quantity]) => ({ product_id, quantity })),
})
const SILVER =
  'select order_id, customer_name, order_list, total, missing_refs from silver.orders order by 1'

describe('orders meet their references', { timeout: 120_000 }, () => {
  const home = temporaryHome()
  let shop: OrdersPlatform
  beforeAll(async () => {
    shop = await startOrders(home.folder)
  }, 120_000)
  afterAll(async () => {
    await shop?.stop()
    home.remove()
  })

  test('what is not known yet is flagged, and filled in when it comes', async () => {
    await shop.put('products', [{ product_id: 1, product_category: 'tea', price: '2.5' }])
    await shop.post([
      order('A', '2024-01-01', 7, [
        [1, 2],
        [9, 1],
      ]),
      order('B', '2024-01-02', 8, [[1, 4]]),
    ])
    await shop.settled()
    const lineA = { product_id: 1, quantity: 2, price: '2.5000', product_category: 'tea' }
    expect(await shop.rows(SILVER)).toEqual([
      {
        ...{ order_id: 'A', customer_name: null, total: '5.0000' },
        order_list: [lineA, { product_id: 9, quantity: 1, price: null, product_category: null }],
        missing_refs: ['customers:7', 'products:9'],
      },
      {
        ...{ order_id: 'B', customer_name: null, total: '10.0000' },
        order_list: [{ ...lineA, quantity: 4 }],
        missing_refs: ['customers:8'],
      },
    ])
    await shop.put('customers', [{ customer_id: 7, customer_name: 'Ann' }])
    await shop.put('products', [{ product_id: 9, product_category: 'cups', price: '7' }])
    await shop.settled()
    expect(await shop.rows(SILVER)).toEqual([
      {
        ...{ order_id: 'A', customer_name: 'Ann', total: '12.0000' },
        order_list: [
          lineA,
          { product_id: 9, quantity: 1, price: '7.0000', product_category: 'cups' },
        ],
        missing_refs: [],
      },
      expect.objectContaining({ order_id: 'B', missing_refs: ['customers:8'] }),
    ])
    expect((await shop.platform.ledger()).filter(({ balanced }) => !balanced)).toEqual([])
  })

  test('a price that changes now leaves the orders of before as they are', async () => {
    await shop.put('products', [{ product_id: 1, product_category: 'tea', price: '3' }])
    await shop.post([order('C', '2024-01-03', 7, [[1, 1]])])
    await shop.post([
      { order_id: 'D', customer_id: 7, order_list: [{ product_id: 1, quantity: 1 }] },
    ])
    await shop.settled()
    expect(
      await shop.rows('select order_id, total::varchar as total from silver.orders order by 1'),
    ).toEqual([
      { order_id: 'A', total: '12.0000' },
      { order_id: 'B', total: '10.0000' },
      { order_id: 'C', total: '2.5000' },
      { order_id: 'D', total: '3.0000' },
    ])
    expect(
      await shop.rows(
        'select product_id, price::varchar as price, valid_to is null as holds from silver.products order by 1, valid_from',
      ),
    ).toEqual([
      { product_id: 1, price: '2.5000', holds: false },
      { product_id: 1, price: '3.0000', holds: true },
      { product_id: 9, price: '7.0000', holds: true },
    ])
  })

  test('a restart knows the references, and a customer who came meanwhile', async () => {
    await shop.stop()
    shop = await startOrders(home.folder)
    await shop.put('customers', [{ customer_id: 8, customer_name: 'Bob' }])
    await shop.settled()
    expect(
      await shop.rows('select order_id, customer_name, missing_refs from silver.orders order by 1'),
    ).toEqual(
      ['Ann', 'Bob', 'Ann', 'Ann'].map((customer_name, index) => ({
        ...{ order_id: 'ABCD'[index], customer_name, missing_refs: [] },
      })),
    )
    expect((await shop.platform.ledger()).filter(({ balanced }) => !balanced)).toEqual([])
  })

  test("the client's clock is believed within the skew, and the past when it is said to be history", async () => {
    const now = Date.now()
    const sent = (order_id: string, offsetMs: number) => ({
      ...{ order_id, customer_id: 7, order_list: [{ product_id: 1, quantity: 1 }] },
      order_timestamp: new Date(now + offsetMs).toISOString(),
    })
    const DAY = 86_400_000
    await shop.post([
      sent('near', 60_000),
      sent('ahead', DAY),
      sent('late', -DAY),
      sent('ancient', -30 * DAY),
    ])
    await shop.post([{ ...sent('history', -30 * DAY), historic: true }])
    await shop.settled()
    expect(
      await shop.rows(`select order_id, order_timestamp = client_timestamp as client, order_timestamp = server_timestamp as server
        from silver.orders where length(order_id) > 1 order by 1`),
    ).toEqual([
      { order_id: 'ahead', client: false, server: true },
      { order_id: 'ancient', client: false, server: true },
      { order_id: 'history', client: true, server: false },
      { order_id: 'late', client: true, server: false },
      { order_id: 'near', client: true, server: false },
    ])
  })

  test('an order without lines, or with less than one of something, is refused; the same id is the same order', async () => {
    const line = { product_id: 1, quantity: 1 }
    expect(
      await shop.post([
        { customer_id: 7, order_list: [] },
        { customer_id: 7, order_list: [{ product_id: 1, quantity: 0 }] },
        { order_id: 'A', customer_id: 7, order_list: [line] },
        { order_id: 'E', customer_id: 7, order_list: [line] },
      ]),
    ).toMatchObject({ accepted: 1, duplicates: 1, rejected: 2 })
  })
})
