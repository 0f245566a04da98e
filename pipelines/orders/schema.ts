import {
  type Body,
  boolean,
  decimal,
  int32,
  list,
  nested,
  optional,
  record,
  text,
  timestamp,
} from 'mekong'

/** An order as a client sends it. Fields beyond these are kept in the bronze table as received. */
export const Order = record({
  order_id: optional(
    text({
      min: 1,
      max: 200,
      doc: 'Name of the order. Sending the same one again changes nothing. Assigned when missing.',
    }),
  ),
  customer_id: int32({ doc: 'Who ordered.' }),
  order_timestamp: optional(
    timestamp({ doc: "When, by the client's clock. Used within a skew, see the README." }),
  ),
  historic: optional(
    boolean({ doc: 'The order is of the past: its own time holds, however long ago it is.' }),
  ),
  order_list: list(
    nested({
      product_id: int32({ doc: 'What was ordered.' }),
      quantity: int32({ min: 1, doc: 'How many of it.' }),
    }),
    { min: 1, doc: 'The lines of the order, at least one.' },
  ),
})

export type Order = Body<typeof Order>

/** A row of the customers' reference. */
export const Customer = record({ customer_id: int32(), customer_name: text() })

/** A row of the products' reference. */
export const Product = record({
  product_id: int32(),
  product_name: optional(text()),
  product_category: text(),
  price: decimal(18, 4),
})
