import type { SimulatedRequest, SimulatorPlan } from 'mekong'
import { type OrdinaryDay, ordinaryDay } from './ordinary-day.ts'
import type { Order } from './schema.ts'

const ORDERS_PER_REQUEST = 100
const DAY_MS = 86_400_000
/** Long enough for a product to have a past. */
const DAY_COUNT = 30
/** Orders this old say that they are of the past; younger ones are within what a client's clock is believed. */
const HISTORIC_AFTER_DAYS = 6
const CUSTOMER_COUNT = 400
const CATEGORIES = [
  'tea',
  'coffee',
  'cups',
  'pots',
  'filters',
  'sweets',
  'books',
  'gifts',
  'spices',
  'honey',
  'jam',
  'bread',
]
const PRODUCTS_PER_CATEGORY = 5
const PRODUCT_COUNT = CATEGORIES.length * PRODUCTS_PER_CATEGORY
/** Quiet nights, a busy noon, a busier evening. */
const HOUR_WEIGHTS = [
  2, 1, 1, 1, 1, 2, 4, 6, 8, 9, 10, 12, 13, 11, 9, 8, 9, 12, 16, 18, 17, 13, 8, 4,
]
/** Sunday first. */
const WEEKDAY_WEIGHTS = [14, 8, 8, 9, 10, 13, 16]
/** Products whose demand jumps on the last day that has ended; that of no other does. */
export const PLANTED_SURGES = [7, 23, 41] as const
const FIRST_NAMES = ['Ann', 'Ben', 'Chi', 'Duc', 'Eva', 'Finn', 'Gia', 'Hoa', 'Ines', 'Jon']
const LAST_NAMES = ['Nguyen', 'Tran', 'Schmidt', 'Silva', 'Kim', 'Okafor', 'Rossi', 'Novak']

/**
 * A month of a shop: customers and products in categories, orders by the rhythm of days and weeks, three products that surge yesterday, orders
 * that come late or twice, and a few for customers and products that nobody knows.
 */
export const simulator: SimulatorPlan = {
  eventCountDefault: 6_000,
  references: () => ({
    customers: Array.from({ length: CUSTOMER_COUNT }, (_, index) => ({
      customer_id: index + 1,
      customer_name: `${FIRST_NAMES[index % FIRST_NAMES.length]} ${LAST_NAMES[Math.floor(index / FIRST_NAMES.length) % LAST_NAMES.length]}`,
    })),
    products: Array.from({ length: PRODUCT_COUNT }, (_, index) => {
      const category = CATEGORIES[index % CATEGORIES.length]!
      return {
        product_id: index + 1,
        product_name: `${category} no. ${Math.floor(index / CATEGORIES.length) + 1}`,
        product_category: category,
        price: `${1 + ((index * 7) % 40)}.${String((index * 13) % 100).padStart(2, '0')}`,
      }
    }),
  }),
  *requests({ seed, eventCount, nowMs }): Generator<SimulatedRequest> {
    const random = randomFrom(seed)
    const moments = momentsOf(random, eventCount, nowMs)
    const yesterday = Math.floor(nowMs / DAY_MS) - 1
    const rest = ordinaryDay(yesterday)
    const late: Order[] = []
    const sent: Order[] = []
    let gathered: object[] = []
    for (const [index, atMs] of moments.entries()) {
      const day = Math.floor(atMs / DAY_MS)
      const made = someOrder(random, `sim-${seed}-${index}`, atMs, nowMs)
      const order = day === yesterday ? withSurges(random, made, rest) : made
      if (day < yesterday) rest.note(order, day)
      const dice = random()
      // An order that comes late arrives with the last ones, whatever its day.
      if (dice < 0.02) late.push(order)
      else gathered.push(order)
      if (dice > 0.99 && sent.length > 0) gathered.push(sent[Math.floor(random() * sent.length)]!)
      if (sent.length < 1_000) sent.push(order)
      if (gathered.length < ORDERS_PER_REQUEST) continue
      yield { path: '/orders', events: gathered }
      gathered = []
    }
    yield { path: '/orders', events: [...gathered, ...late] }
  },
}

/** When orders are made, in order: days by the week, hours by the day, nothing after now. */
function momentsOf(random: () => number, count: number, nowMs: number): number[] {
  const today = Math.floor(nowMs / DAY_MS) * DAY_MS
  const days = Array.from(
    { length: DAY_COUNT },
    (_, index) => today - (DAY_COUNT - 1 - index) * DAY_MS,
  )
  const weights = days.map((day) => [day, WEEKDAY_WEIGHTS[new Date(day).getUTCDay()]!] as const)
  const hours = HOUR_WEIGHTS.map((weight, hour) => [hour, weight] as const)
  return Array.from({ length: count }, () => {
    const day = weighted(random, weights)
    const at = day + weighted(random, hours) * 3_600_000 + Math.floor(random() * 3_600_000)
    return at <= nowMs ? at : at - DAY_MS * 7
  }).sort((a, b) => a - b)
}

function someOrder(random: () => number, order_id: string, atMs: number, nowMs: number): Order {
  const lineCount = 1 + Math.floor(random() ** 2 * 4)
  const lines = Array.from({ length: lineCount }, () => ({
    product_id:
      random() < 0.003
        ? 900 + Math.floor(random() * 5)
        : 1 + Math.floor(random() ** 1.3 * PRODUCT_COUNT),
    quantity: 1 + Math.floor(random() ** 3 * 4),
  }))
  return {
    order_id,
    customer_id:
      random() < 0.005
        ? 9_000 + Math.floor(random() * 9)
        : 1 + Math.floor(random() ** 1.5 * CUSTOMER_COUNT),
    order_timestamp: new Date(atMs).toISOString(),
    ...(nowMs - atMs > HISTORIC_AFTER_DAYS * DAY_MS ? { historic: true } : {}),
    order_list: lines,
  }
}

/** An order of yesterday: half of them want what surges, and nothing else is wanted more than it ever was. */
function withSurges(random: () => number, order: Order, rest: OrdinaryDay): Order {
  const surging = {
    product_id: PLANTED_SURGES[Math.floor(random() * PLANTED_SURGES.length)]!,
    quantity: 3 + Math.floor(random() * 3),
  }
  const wantsSurging = random() < 0.5
  const lines = order.order_list
    .map(({ product_id, quantity }) => ({ product_id, quantity: rest.take(product_id, quantity) }))
    .filter(({ quantity }) => quantity > 0)
  return {
    ...order,
    order_list: wantsSurging || lines.length === 0 ? [...lines, surging] : lines,
  }
}

function weighted<T>(random: () => number, choices: readonly (readonly [T, number])[]): T {
  let rest = random() * choices.reduce((sum, [, weight]) => sum + weight, 0)
  for (const [choice, weight] of choices) {
    rest -= weight
    if (rest < 0) return choice
  }
  return choices.at(-1)![0]
}

/** Numbers in [0, 1) from a seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}
