import { chart, dashboard, date, float64, int32, int64, record, text, timestamp } from 'mekong'

/** What is sold, to whom, and what is suddenly wanted. */
export const ordersDashboard = dashboard('Orders', [
  chart('Sales', {
    sql: 'SELECT sum(total)::DOUBLE AS sales FROM silver.orders',
    rows: record({ sales: float64() }),
    show: { kind: 'number', value: 'sales' },
  }),
  chart('Orders', {
    sql: 'SELECT count(*) AS orders FROM silver.orders',
    rows: record({ orders: int64() }),
    show: { kind: 'number', value: 'orders' },
  }),
  chart('Customers', {
    sql: 'SELECT count(DISTINCT customer_id) AS customers FROM silver.orders',
    rows: record({ customers: int64() }),
    show: { kind: 'number', value: 'customers' },
  }),
  chart('Waiting for a customer or product', {
    sql: 'SELECT count(*) AS orders FROM silver.orders WHERE len(missing_refs) > 0',
    rows: record({ orders: int64() }),
    show: { kind: 'number', value: 'orders' },
  }),
  chart('Sales by day', {
    sql: `SELECT event_date, sum(total)::DOUBLE AS sales FROM silver.orders GROUP BY event_date ORDER BY event_date`,
    rows: record({ event_date: date(), sales: float64() }),
    show: { kind: 'area', x: 'event_date', y: 'sales' },
    width: 8,
  }),
  chart('Categories', {
    sql: `SELECT coalesce(line.product_category, 'unknown') AS category, sum(line.quantity * line.price)::DOUBLE AS sales
      FROM (SELECT unnest(order_list) AS line FROM silver.orders) GROUP BY category ORDER BY sales DESC NULLS LAST, category LIMIT 10`,
    rows: record({ category: text(), sales: float64() }),
    show: { kind: 'bar', x: 'category', y: 'sales', lies: true },
    width: 4,
  }),
  chart('Suddenly wanted', {
    about: 'Demand of a closed day above the 95th percentile of the days before it.',
    sql: 'SELECT period_start AS day, product_id, demand, threshold::DOUBLE AS threshold FROM gold.product_surges ORDER BY day DESC, demand DESC, product_id LIMIT 12',
    rows: record({ day: date(), product_id: int32(), demand: int64(), threshold: float64() }),
    show: { kind: 'table' },
  }),
  chart('Newest orders', {
    sql: `SELECT order_timestamp AS at, customer_name AS customer, len(order_list) AS lines, total::DOUBLE AS total
      FROM silver.orders ORDER BY order_timestamp DESC, order_id LIMIT 12`,
    rows: record({ at: timestamp(), customer: text(), lines: int64(), total: float64() }),
    show: { kind: 'table' },
  }),
])
