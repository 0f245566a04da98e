import {
  addMillis,
  and,
  arrivalTime,
  choose,
  day,
  decimal,
  expression,
  notNull,
  or,
  partitions,
  pipeline,
  recordId,
  sql,
} from 'mekong'
import { ordersDashboard } from './dashboard.ts'
import { adventureWorks } from './loader.ts'
import { Customer, Order, Product } from './schema.ts'
import { simulator } from './simulator.ts'
import { RawCustomer, RawOrder, RawOrderLine, RawProduct, WAREHOUSE_VIEWS } from './warehouse.ts'

/** A client's clock may be ahead by this much; an order from further in the future has the server's time. */
const SKEW_AHEAD_MS = 5 * 60_000
/** An order may be on its way for this long; one that claims to be older has the server's time, unless it says that it is historic. */
const SKEW_BEHIND_MS = 7 * 86_400_000

/** Shop orders: from a POST to the lake, joined with customers and products as they flow. */
export default pipeline('orders', (p) => {
  const orders = p.topic('orders', {
    value: Order,
    key: 'customer_id',
    id: 'order_id',
    partitions: 3,
  })
  p.ingest('/orders', orders)
  p.ingest('/order', orders)

  const timed = orders.select((o) => {
    const server = arrivalTime()
    const client = o.order_timestamp.orElse(server)
    const isBelieved = and(
      client.lte(addMillis(server, SKEW_AHEAD_MS)),
      or(o.historic.orElse(false), client.gte(addMillis(server, -SKEW_BEHIND_MS))),
    )
    return {
      order_id: o.order_id.orElse(recordId()),
      customer_id: o.customer_id,
      order_timestamp: choose(isBelieved, client, server),
      client_timestamp: o.order_timestamp,
      server_timestamp: server,
      order_list: o.order_list,
    }
  })
  p.table('bronze.orders', { from: timed, partitionBy: day('order_timestamp') })

  const migrations = new URL('./migrations/', import.meta.url)
  const customers = p.reference('customers', {
    ...{ table: 'customer', key: 'customer_id', columns: Customer, migrations },
    history: 'silver.customers',
  })
  const products = p.reference('products', {
    ...{ table: 'product', key: 'product_id', columns: Product, migrations },
    history: 'silver.products',
  })

  const enriched = timed
    .join(customers, {
      on: 'customer_id',
      at: 'order_timestamp',
      take: { customer_name: 'customer_name' },
    })
    .joinEach(products, 'order_list', {
      on: 'product_id',
      at: 'order_timestamp',
      take: { price: 'price', product_category: 'product_category' },
    })
    .select((o) => ({
      order_id: o.order_id,
      customer_id: o.customer_id,
      customer_name: o.customer_name,
      order_timestamp: o.order_timestamp,
      client_timestamp: o.client_timestamp,
      server_timestamp: o.server_timestamp,
      order_list: o.order_list,
      // Lines whose price is not known yet count nothing.
      total: sql(
        decimal(18, 4),
        'coalesce(list_sum(list_transform(order_list, lambda l: l.quantity * l.price)), 0)',
      ),
      missing_refs: o.missing_refs,
    }))
  p.table('silver.orders', {
    from: enriched,
    partitionBy: day('order_timestamp'),
    key: 'order_id',
  })

  p.documents('orders', {
    from: 'silver.orders',
    id: 'order_id',
    columns: [
      ...['order_id', 'customer_id', 'customer_name', 'order_timestamp', 'order_list'],
      ...['total', 'missing_refs'],
    ],
    indexes: [['customer_id', 'order_timestamp']],
  })
  p.aggregates('orders', {
    from: 'silver.orders',
    collection: 'kpis',
    at: 'order_timestamp',
    measures: {
      sales: { kind: 'sum', column: 'total' },
      orders: { kind: 'count' },
      customers: { kind: 'distinct', column: 'customer_id' },
    },
    series: {
      category_value: {
        each: 'order_list',
        label: 'product_category',
        value: 'quantity * price',
        grains: ['minute', 'hour', 'day'],
      },
      product_demand: {
        each: 'order_list',
        label: 'product_id',
        value: 'quantity',
        grains: ['day'],
      },
    },
  })

  const model = (name: string) => new URL(`./models/${name}.sql`, import.meta.url)
  p.model('gold.product_demand', model('product_demand'), {
    incoming: 'silver.orders',
    materialize: partitions({
      by: ['period_month'],
      touched:
        "SELECT DISTINCT date_trunc('month', event_date)::DATE AS period_month FROM incoming",
      reads: { 'silver.orders': { event_date: { of: 'period_month', daysAfter: 31 } } },
    }),
    tags: ['surges'],
    tests: [notNull('product_id'), expression('demand > 0', { name: 'demand_above_zero' })],
  })
  p.model('gold.product_surges', model('product_surges'), {
    incoming: 'gold.product_demand',
    // A day counts for the 90 days after it.
    materialize: partitions({
      by: ['period_month'],
      touched:
        "SELECT DISTINCT date_trunc('month', period_start + n::INTEGER)::DATE AS period_month FROM incoming, range(0, 91) r(n)",
    }),
    tags: ['surges'],
    tests: [expression('demand > threshold', { name: 'above_threshold' })],
  })
  p.collection('surging', {
    ...{ sql: model('surging'), id: 'product_id', tags: ['surges'] },
    reads: ['gold.product_surges', 'gold.product_demand', 'silver.products'],
  })
  p.collection('surges', {
    ...{ sql: model('surges'), id: 'surge_id', tags: ['surges'], indexes: [['period_start']] },
    reads: ['gold.product_surges', 'silver.products'],
  })
  p.collection('item_counts', {
    ...{ sql: model('item_counts'), id: 'product_id', tags: ['surges'] },
    reads: ['gold.product_demand', 'silver.products'],
  })
  // Often enough that an order of yesterday which comes late amends the list within the hour.
  p.schedule('surges', { cron: '5 * * * *', run: ['tag:surges'] })

  const rows = (name: string) => new URL(`./warehouse/${name}.sql`, import.meta.url)
  p.warehouse('daily', {
    from: 'bronze.orders',
    day: 'event_date',
    reads: ['silver.customers', 'silver.products'],
    tables: {
      'raw.orders': { sql: rows('orders'), columns: RawOrder, day: 'order_date' },
      'raw.order_lines': { sql: rows('order_lines'), columns: RawOrderLine, day: 'order_date' },
      'raw.customers': { sql: rows('customers'), columns: RawCustomer, key: 'customer_id' },
      'raw.products': { sql: rows('products'), columns: RawProduct, key: 'product_id' },
    },
    views: WAREHOUSE_VIEWS,
    tags: ['warehouse'],
  })
  // A day is loaded half an hour after it has ended, and again when an order of it comes late.
  p.schedule('warehouse', { cron: '30 0 * * *', run: ['tag:warehouse'] })

  p.dashboard(ordersDashboard)
  p.simulate(simulator)
  p.load(adventureWorks)
})
