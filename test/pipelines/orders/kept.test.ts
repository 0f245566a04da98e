import { execFile } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type OrdersPlatform, startOrders, temporaryHome } from './orders-platform.ts'

// What is kept from the orders as they change equals what SQL computes from the lake, after every step: new orders, late ones, references that
// come late, a restart.

const ROOT = path.resolve(import.meta.dirname, '..', '..', '..')
const MINUTE = 60_000
const START = Date.UTC(2024, 1, 26, 22, 0)
const CATEGORIES = ['tea', 'cups', 'pots']

/** Orders over ten days around the end of a month, in no order of time. */
function orders(count: number, from: number) {
  return Array.from({ length: count }, (_, index) => {
    const n = from + index
    return {
      ...{ order_id: `o${n}`, customer_id: (n * 7) % 23, historic: true },
      order_timestamp: new Date(START + ((n * 7_919) % 14_400) * MINUTE).toISOString(),
      order_list: Array.from({ length: 1 + (n % 3) }, (_, line) => ({
        product_id: (n + line * 5) % 12,
        quantity: 1 + ((n + line) % 4),
      })),
    }
  })
}

describe('aggregates and documents follow the orders', { timeout: 180_000 }, () => {
  const home = temporaryHome()
  let shop: OrdersPlatform
  beforeAll(async () => {
    shop = await startOrders(home.folder)
    await shop.put(
      'products',
      Array.from({ length: 9 }, (_, id) => ({
        ...{ product_id: id, product_category: CATEGORIES[id % 3], price: `${id}.25` },
      })),
    )
  }, 120_000)
  afterAll(async () => {
    await shop?.stop()
    home.remove()
  })

  // biome-ignore lint/suspicious/noExplicitAny: answers are looked into as into any JSON
  const get = async (path: string): Promise<any> => {
    const response = await fetch(`${shop.platform.url}${path}`)
    expect(response.status, path).toBe(200)
    return response.json()
  }

  async function expectEqualToLake() {
    const at = '2024-03-03T14:37:00Z'
    for (const [period, unit, step] of [
      ['hour', 'hour', 'minute'],
      ['day', 'day', 'hour'],
      ['week', 'week', 'day'],
      ['month', 'month', 'day'],
    ] as const) {
      const [expected] = await shop.rows(`
        with o as (select *, timezone('UTC', order_timestamp) t from silver.orders),
        b as (select date_trunc('${unit}', timestamp '2024-03-03 14:37:00') s, date_trunc('${step}', timestamp '2024-03-03 14:37:00') here),
        w as (select s, s - interval 1 ${unit} as p, here + interval 1 ${step} as until from b)
        select coalesce(sum(total) filter (t >= s and t < until), 0)::double as sales,
          count(*) filter (t >= s and t < until) as orders,
          count(distinct customer_id) filter (t >= s and t < until) as customers,
          coalesce(sum(total) filter (t >= p and t < p + (until - s)), 0)::double as sales_before,
          count(distinct customer_id) filter (t >= p and t < p + (until - s) and t < s) as customers_before
        from o, w`)
      const { measures, totals } = await get(`/v1/aggregates/orders?period=${period}&at=${at}`)
      const { sales, orders: count, customers } = measures
      expect(
        {
          ...{ sales: sales.value, orders: count.value, customers: customers.value },
          ...{ sales_before: sales.previous, customers_before: customers.previous },
        },
        period,
      ).toEqual(expected)
      const [all] = await shop.rows(
        'select sum(total)::double as sales, count(*) as orders, count(distinct customer_id) as customers from silver.orders',
      )
      expect(totals).toEqual(all)
    }
    for (const grain of ['minute', 'hour', 'day']) {
      const range = `from=2024-03-02T00:00:00Z&to=2024-03-03T00:00:00Z&grain=${grain}&top=2`
      const { steps, lines } = await get(`/v1/aggregates/orders/series/category_value?${range}`)
      const rows = await shop.rows(`
        select date_trunc('${grain}', timezone('UTC', order_timestamp))::varchar as step,
          coalesce(item.product_category, 'unknown') as label, sum(item.quantity * item.price)::double as value
        from (select order_timestamp, unnest(order_list) as item from silver.orders) where order_timestamp >= '2024-03-02' and order_timestamp < '2024-03-03'
        group by all`)
      const totals = new Map<string, number>()
      for (const { label, value } of rows)
        totals.set(label as string, (totals.get(label as string) ?? 0) + ((value as number) ?? 0))
      const ranked = [...totals].filter(([, v]) => v > 0).sort((a, b) => b[1] - a[1])
      expect(lines.map((line: { label: string }) => line.label)).toEqual([
        ...ranked.slice(0, 2).map(([label]) => label),
        ...(ranked.length > 2 ? ['other'] : []),
      ])
      const shown = lines.reduce(
        (sum: number, { values }: { values: number[] }) => sum + values.reduce((a, b) => a + b, 0),
        0,
      )
      expect(shown).toBeCloseTo(
        ranked.reduce((sum, [, value]) => sum + value, 0),
        6,
      )
      expect(steps).toHaveLength({ minute: 1440, hour: 24, day: 1 }[grain]!)
    }
    const [{ n }] = (await shop.rows(
      'select count(*) as n from silver.orders where customer_id = 7',
    )) as [{ n: number }]
    const { documents } = await get(
      '/v1/documents/orders?customer_id=7&order=-order_timestamp&limit=1000',
    )
    expect(documents).toHaveLength(n)
    expect(
      await shop.rows(
        `select order_id, customer_name, total::double as total, missing_refs from silver.orders where customer_id = 7 order by order_timestamp desc, order_id`,
      ),
    ).toEqual(
      documents.map((d: Record<string, unknown>) => ({
        ...{ order_id: d.order_id, customer_name: d.customer_name, total: d.total },
        missing_refs: d.missing_refs,
      })),
    )
    const [count] = await shop.rows('select count(*) as rows from silver.orders')
    const rows = count!.rows as number
    const lines = (await shop.platform.ledger()).filter(({ hop }) => /^(docu|aggreg)/.test(hop))
    const counted = { in: rows, out: rows, inFlight: 0, missing: 0, balanced: true }
    expect(lines).toMatchObject([
      { hop: 'documents.orders', ...counted },
      { hop: 'aggregates.orders', ...counted },
    ])
  }

  test('after new orders, and after more of the same days', async () => {
    await shop.post(orders(400, 0))
    await shop.settled()
    await expectEqualToLake()
    await shop.post(orders(300, 400))
    await shop.settled()
    await expectEqualToLake()
  })

  test('after products and customers came late', async () => {
    await shop.put(
      'products',
      [9, 10, 11].map((id) => ({ product_id: id, product_category: 'late', price: '100' })),
    )
    await shop.put('customers', [{ customer_id: 7, customer_name: 'Ann' }])
    await shop.settled()
    await expectEqualToLake()
  })

  test('after a restart', async () => {
    await shop.stop()
    // Also while nothing runs.
    const args = [path.join(ROOT, 'src/cli/main.ts'), 'ledger', 'orders', '--json']
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [...args, '--home', home.folder],
      { cwd: ROOT, env: { PATH: process.env.PATH, POSTGRES_PORT: '0' } },
    )
    const { lines } = JSON.parse(stdout) as { lines: { hop: string }[] }
    for (const hop of ['documents.orders', 'aggregates.orders'])
      expect(lines.find((line) => line.hop === hop)).toMatchObject({ out: 700, balanced: true })
    shop = await startOrders(home.folder)
    await shop.post(orders(50, 700))
    await shop.settled()
    await expectEqualToLake()
  })

  test('a page is pushed whenever the numbers change', async () => {
    const abort = new AbortController()
    const response = await fetch(
      `${shop.platform.url}/v1/aggregates/orders/live?period=month&at=2024-03-03T14:37:00Z&series=category_value&grain=day`,
      { signal: abort.signal },
    )
    const pages: { totals: { orders: number }; series: object }[] = []
    const decoder = new TextDecoder()
    let text = ''
    const reader = (async () => {
      for await (const bytes of response.body!) {
        text += decoder.decode(bytes, { stream: true })
        for (const event of text.split('\n\n').slice(0, -1)) {
          const data = /^data: (.*)$/m.exec(event)?.[1]
          if (data !== undefined) pages.push(JSON.parse(data))
        }
        text = text.split('\n\n').at(-1)!
        if (pages.some(({ totals }) => totals.orders === 760)) return
      }
    })()
    await shop.post(orders(10, 750))
    await reader
    abort.abort()
    expect(pages[0]!.totals.orders).toBe(750)
    expect(Object.keys(pages.at(-1)!.series)).toEqual(['category_value'])
  })

  test('every answer equals the lake at the version that it names, while orders come', async () => {
    const answers = new Map<number, object>()
    let isPosting = true
    const asking = (async () => {
      while (isPosting) {
        const { version, totals } = await get('/v1/aggregates/orders?period=month')
        answers.set(version, totals)
      }
    })()
    for (let batch = 0; batch < 12; batch += 1) await shop.post(orders(20, 760 + batch * 20))
    await shop.settled()
    isPosting = false
    await asking
    expect(answers.size).toBeGreaterThan(1)
    for (const [version, totals] of answers) {
      const [lake] = await shop.rows(
        `select sum(total)::double as sales, count(*) as orders, count(distinct customer_id) as customers from silver.orders at (version => ${version})`,
      )
      expect(totals, `version ${version}`).toEqual(lake)
    }
  })

  test('a series has as many steps as asked for, up to now', async () => {
    const at = '2024-03-03T14:37:00Z'
    const { steps, to } = await get(
      `/v1/aggregates/orders/series/category_value?grain=hour&steps=6&at=${at}`,
    )
    expect([steps.length, steps[0], to]).toEqual([
      ...[6, '2024-03-03T09:00:00.000Z', '2024-03-03T15:00:00.000Z'],
    ])
  })

  test('the dashboard names what is pushed, and what it names is there', async () => {
    const { live, words } = await get('/v1/dashboards/orders')
    const kinds = live.map(({ kind }: { kind: string }) => kind)
    expect(kinds).toEqual(['measures', 'series', 'sparklines', 'find'])
    for (const { collection } of live.filter((block: object) => 'collection' in block))
      expect((await fetch(`${shop.platform.url}/v1/documents/${collection}?limit=1`)).status).toBe(
        200,
      )
    const { suggest } = live.at(-1)
    const found = await shop.rows(`SELECT value, label FROM (${suggest}) WHERE value = 7`)
    expect(found).toHaveLength(1)
    expect(words.vi.Orders).toMatch(/\p{L}/u)
  })

  test('a document that is not there is missed by the ledger', async () => {
    await shop.settled()
    const { documents } = shop.platform.followers
    const before = await documents!.cursor('orders/documents/orders')
    const gone = [{ id: 'o1', version: before + 1, document: null }]
    await documents!.take('a stranger', [gone] as never, { collection: 'orders', version: 1 })
    const [line] = (await shop.platform.ledger()).filter(({ hop }) => hop === 'documents.orders')
    expect(line).toMatchObject({
      balanced: false,
      disagreement: '1000 rows were taken and 999 are there',
    })
  })

  test('questions that cannot be answered say why', async () => {
    const status = async (path: string) => (await fetch(`${shop.platform.url}${path}`)).status
    expect(await status('/v1/aggregates/nothing')).toBe(404)
    expect(await status('/v1/aggregates/orders?period=eon')).toBe(400)
    expect(await status('/v1/aggregates/orders?at=yesterday')).toBe(400)
    expect(await status('/v1/aggregates/orders/series/nothing')).toBe(404)
    expect(await status('/v1/aggregates/orders/series/category_value?steps=0')).toBe(400)
    expect(await status('/v1/documents/nothing')).toBe(404)
  })
})
