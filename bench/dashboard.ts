import { readdirSync, statSync } from 'node:fs'
import path from 'node:path'
import orders from '../pipelines/orders/pipeline.ts'
import { aggregateConsumer, documentConsumer } from '../src/flow/table-consumers.ts'
import type { Period } from '../src/model/aggregates.ts'
import { type AggregateStore, openAggregateStore } from '../src/serve/aggregates/aggregate-store.ts'
import type { DocumentStore } from '../src/serve/document-store.ts'
import { postgresDocuments } from '../src/serve/postgres/documents.ts'
import { startEmbeddedPostgres } from '../src/serve/postgres/embedded.ts'
import { openComputeEngine } from '../src/sql/duckdb/engine.ts'
import { type Bench, type BenchContext, quantile, rounded } from './bench.ts'
import { fillFromShop, SHOP_CUSTOMER_COUNT, SHOP_END_MS } from './shop-fill.ts'

const ORDER_COUNT = 10_000_000
/** The embedded PostgreSQL takes some hundred microseconds for each document; looking one up is a path down a tree, whatever its size. */
const DOCUMENT_COUNT_MAX = 1_000_000
const SURGE_COUNT = 24
const LOOK_COUNT = 400
const MEMORY_MB = 512

/** What the shop's page asks, over a long history. */
export const dashboard: Bench = {
  name: 'dashboard',
  question: "How long does the shop's page wait for its numbers at 10 million orders?",
  secondsDefault: 600,
  async run(context) {
    const { folder, rows = ORDER_COUNT } = context
    const aggregates = await openAggregateStore(
      path.join(folder, 'aggregates', 'orders.sqlite'),
      orders.aggregates[0]!.shape,
    )
    const embedded = await startEmbeddedPostgres({ folder: path.join(folder, 'postgres'), port: 0 })
    const documents = postgresDocuments(embedded.config)
    const documentCount = Math.min(rows, DOCUMENT_COUNT_MAX)
    try {
      const filled = await fill(context, aggregates, rows)
      const written = await fillDocuments(context, documents, documentCount)
      const looks = await lookAtPage(context, aggregates, documents)
      return {
        figures: {
          orders: rows,
          customers: (await aggregates.totals()).customers!,
          ...looks,
          fill_seconds: rounded(filled.seconds, 1),
          fill_cpu_seconds: rounded(filled.cpuSeconds, 1),
          kept_orders_per_second: rounded(rows / filled.seconds),
          kept_cpu_seconds_per_million: rounded((filled.cpuSeconds / rows) * 1e6, 1),
          aggregates_mb: sizeMb(path.join(folder, 'aggregates')),
          documents: documentCount,
          documents_fill_seconds: rounded(written.seconds, 1),
          documents_mb: sizeMb(path.join(folder, 'postgres')),
          resident_mb: filled.residentMb,
        },
        goals: [{ figure: 'page_p99_ms', below: 20 }],
        limits: [
          'The page is measures with totals, value by category (60 minutes, 48 hours or 30 days, by turns), the surging products and the newest orders of a customer, as the console asks for them, one after another; HTTP is not in it.',
          `Aggregates are filled through what follows the table, 100,000 orders a commit, and so are ${documentCount} documents, in the embedded PostgreSQL. resident_mb is the most of the whole process while aggregates were filled.`,
        ],
      }
    } finally {
      await documents.close()
      await embedded.close()
      await aggregates.close()
    }
  },
}

interface Filled {
  readonly seconds: number
  readonly cpuSeconds: number
  readonly residentMb: number
}

async function fill(context: BenchContext, store: AggregateStore, rows: number): Promise<Filled> {
  return timedFill(context, 'kept', rows, aggregateConsumer('orders', orders.aggregates[0]!, store))
}

async function fillDocuments(
  context: BenchContext,
  store: DocumentStore,
  rows: number,
): Promise<Filled> {
  const consumer = documentConsumer('orders', orders.documents[0]!, store)
  const filled = await timedFill(context, 'documents', rows, consumer)
  const surging = Array.from({ length: SURGE_COUNT }, (_, index) => ({
    id: `${index}`,
    document: JSON.stringify({
      ...{ product_id: index, product_name: `Product ${index}`, demand: 100 + index },
      ...{ threshold: 80, historical_counts: Array.from({ length: 90 }, (_, day) => day) },
    }),
  }))
  await store.replace({ name: 'surging', indexes: [] }, surging, 1)
  return filled
}

async function timedFill(
  { folder, say }: BenchContext,
  what: string,
  rows: number,
  consumer: Parameters<typeof fillFromShop>[1],
): Promise<Filled> {
  const engine = await openComputeEngine({
    spillDirectory: path.join(folder, `spill-${what}`),
    memoryLimitBytes: MEMORY_MB * 1024 * 1024,
  })
  const cpuBefore = process.cpuUsage()
  const startMs = performance.now()
  let saidMs = startMs
  let residentMb = 0
  try {
    await fillFromShop(engine, consumer, {
      shop: { orderCount: rows, customerCount: SHOP_CUSTOMER_COUNT },
      onProgress(done) {
        residentMb = Math.max(residentMb, rounded(process.memoryUsage().rss / 1024 / 1024))
        if (performance.now() - saidMs < 5_000 && done < rows) return
        saidMs = performance.now()
        const so = `${done.toLocaleString('en')} of ${rows.toLocaleString('en')}`
        say(`${what}: ${so}, ${residentMb} MB resident at most`)
      },
    })
  } finally {
    engine.close()
  }
  const { user, system } = process.cpuUsage(cpuBefore)
  const seconds = (performance.now() - startMs) / 1000
  return { seconds, cpuSeconds: (user + system) / 1e6, residentMb }
}

const GRAIN_STEPS = [
  ['minute', 60, 60_000],
  ['hour', 48, 3_600_000],
  ['day', 30, 86_400_000],
] as const
const PERIODS_SHOWN: readonly Period[] = ['hour', 'day', 'week', 'month']

/** Median and 99th percentile of each block of the page and of all of it, milliseconds. */
async function lookAtPage(
  { say }: BenchContext,
  aggregates: AggregateStore,
  documents: DocumentStore,
): Promise<Record<string, number>> {
  const tookMs = new Map<string, number[]>()
  const timed = async (name: string, ask: () => Promise<unknown>) => {
    const began = performance.now()
    JSON.stringify(await ask())
    const took = performance.now() - began
    tookMs.set(name, [...(tookMs.get(name) ?? []), took])
    return took
  }
  let cpuBefore = process.cpuUsage()
  for (let look = -20; look < LOOK_COUNT; look += 1) {
    // What is looked at first is read from the disk; later looks find it in memory.
    if (look === 0) {
      tookMs.clear()
      cpuBefore = process.cpuUsage()
    }
    const at = SHOP_END_MS - 1 - Math.abs(look) * 3_600_000
    const [grain, steps, stepMs] = GRAIN_STEPS[Math.abs(look) % 3]!
    let page = await timed('measures', async () => [
      await aggregates.version(),
      await aggregates.measures(PERIODS_SHOWN[Math.abs(look) % 4]!, at),
      await aggregates.totals(),
    ])
    const request = { series: 'category_value', toMs: at + 1, top: 10 }
    page += await timed(`series_by_${grain}`, () =>
      aggregates.series({ ...request, grain, fromMs: at - steps * stepMs }),
    )
    const demand = { field: 'demand', descending: true }
    page += await timed('surging', () =>
      documents.find({ collection: 'surging', orderBy: demand, limit: 24 }),
    )
    const customer_id = (Math.abs(look) * 7_919) % SHOP_CUSTOMER_COUNT
    const newest = { field: 'order_timestamp', descending: true }
    page += await timed('customer', () =>
      documents.find({ collection: 'orders', where: { customer_id }, orderBy: newest, limit: 26 }),
    )
    tookMs.set('page', [...(tookMs.get('page') ?? []), page])
  }
  const { user, system } = process.cpuUsage(cpuBefore)
  // More steps than the page shows.
  for (let look = 0; look < LOOK_COUNT / 4; look += 1) {
    const toMs = SHOP_END_MS - look * 3_600_000
    const request = { series: 'category_value', grain: 'minute', toMs, top: 10 } as const
    await timed('series_of_a_day_by_minute', () =>
      aggregates.series({ ...request, fromMs: toMs - 86_400_000 }),
    )
  }
  say(`${LOOK_COUNT} looks at the page`)
  const figures = [...tookMs].sort(([a], [b]) => Number(b === 'page') - Number(a === 'page'))
  return {
    ...Object.fromEntries(
      figures.flatMap(([name, took]) => [
        [`${name}_median_ms`, rounded(quantile(took, 0.5), 2)],
        [`${name}_p99_ms`, rounded(quantile(took, 0.99), 2)],
      ]),
    ),
    page_cpu_mean_ms: rounded((user + system) / 1_000 / LOOK_COUNT, 2),
  }
}

/** What the files of a folder take, its folders' included. */
function sizeMb(folder: string): number {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
  const bytes = files
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(path.join(entry.parentPath, entry.name)).size, 0)
  return rounded(bytes / 1024 / 1024)
}
