import type { Order } from './schema.ts'

/** What was sold before a day, and how much more of anything can be sold on it before that is a surge. */
export interface OrdinaryDay {
  /** An order of the days before. */
  note(order: Order, day: number): void
  /** As many of a product as the day has room for, at most those wanted. */
  take(productId: number, wanted: number): number
}

/** The rule for surges, as `models/product_surges.sql` has it: above the 95th percentile of the days since the first order, of which there are at least 5. */
export function ordinaryDay(day: number): OrdinaryDay {
  const sold = new Map<number, Map<number, number>>()
  const room = new Map<number, number>()
  return {
    note({ order_list }, of) {
      for (const { product_id, quantity } of order_list) {
        const days = sold.get(product_id) ?? new Map<number, number>()
        sold.set(product_id, days.set(of, (days.get(of) ?? 0) + quantity))
      }
    },
    take(productId, wanted) {
      const left = room.get(productId) ?? roomOf(sold.get(productId) ?? new Map(), day)
      const taken = Math.min(wanted, left)
      room.set(productId, left - taken)
      return taken
    },
  }
}

function roomOf(days: ReadonlyMap<number, number>, day: number): number {
  const first = Math.min(day, ...days.keys())
  if (day - first < 5) return Number.POSITIVE_INFINITY
  const demand = Array.from({ length: day - first }, (_, index) => days.get(first + index) ?? 0)
  demand.sort((a, b) => a - b)
  const hundredths = 95 * (demand.length - 1)
  const below = demand[Math.floor(hundredths / 100)]!
  const above = demand[Math.min(Math.floor(hundredths / 100) + 1, demand.length - 1)]!
  return Math.floor((below * 100 + (above - below) * (hundredths % 100)) / 100)
}
