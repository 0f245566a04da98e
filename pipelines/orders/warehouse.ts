import { boolean, date, decimal, int32, optional, record, text, timestamp } from 'mekong'

/** An order as it was received, untransformed, beside what was read from it. */
export const RawOrder = record({
  order_id: text(),
  customer_id: int32(),
  order_timestamp: timestamp(),
  client_timestamp: optional(timestamp()),
  server_timestamp: timestamp(),
  order_date: date(),
  document: text({ doc: 'The JSON as it came.' }),
})

export const RawOrderLine = record({
  order_id: text(),
  line_number: int32(),
  product_id: int32(),
  quantity: int32(),
  order_date: date(),
})

/** The newest version of each customer, also of those who are gone. */
export const RawCustomer = record({
  customer_id: int32(),
  customer_name: text(),
  valid_from: timestamp(),
  is_gone: boolean(),
})

export const RawProduct = record({
  product_id: int32(),
  product_name: optional(text()),
  product_category: text(),
  price: decimal(18, 4),
  valid_from: timestamp(),
  is_gone: boolean(),
})

/** Flattened for questions, at today's names and prices; the lake has those of the time. */
export const WAREHOUSE_VIEWS = {
  'analytics.order_lines': `SELECT l.order_date, l.order_id, l.line_number, o.order_timestamp, o.customer_id, c.customer_name,
  l.product_id, p.product_name, p.product_category, l.quantity, p.price, l.quantity * p.price AS line_total
FROM raw.order_lines l
JOIN raw.orders o ON o.order_id = l.order_id
LEFT JOIN raw.customers c ON c.customer_id = o.customer_id
LEFT JOIN raw.products p ON p.product_id = l.product_id`,
  'analytics.daily_sales': `SELECT l.order_date, p.product_category, COUNT(DISTINCT l.order_id) AS orders,
  SUM(l.quantity) AS quantity, SUM(l.quantity * p.price) AS sales
FROM raw.order_lines l
LEFT JOIN raw.products p ON p.product_id = l.product_id
GROUP BY l.order_date, p.product_category`,
} as const
