import { addMillis, and, arrivalTime, choose, day, or, pipeline, recordId } from 'mekong'
import { adventureWorks } from './loader.ts'
import { Order } from './schema.ts'

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

  p.load(adventureWorks)
})
