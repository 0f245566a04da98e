import { execFile, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterAll, describe, expect, test } from 'vitest'
import { seeded, seedOfRun } from '../../crash/seeded.ts'
import { startOrders, temporaryHome } from './orders-platform.ts'

// The same orders in order and undisturbed, and shuffled within their days, some of them twice, by a platform that is killed on the way: the
// documents, the surges, the numbers of the page and the warehouse are the same in the end.

const ROOT = path.resolve(import.meta.dirname, '..', '..', '..')
const MAIN = path.join(ROOT, 'src', 'cli', 'main.ts')
const DAY_COUNT = 12
const ORDERS_PER_DAY = 30
const ENVIRONMENT = { PATH: process.env.PATH, MEKONG_PORT: '0', POSTGRES_PORT: '0' }

interface Sent {
  readonly order_id: string
  readonly order_timestamp: string
}

function ordersOfDays(): Sent[][] {
  return Array.from({ length: DAY_COUNT }, (_, day) =>
    Array.from({ length: ORDERS_PER_DAY }, (_, index) => {
      const n = day * ORDERS_PER_DAY + index
      return {
        ...{ order_id: `k${n}`, customer_id: n % 17, historic: true },
        order_timestamp: new Date(Date.UTC(2024, 4, 1 + day, index % 24)).toISOString(),
        order_list: [{ product_id: n % 7, quantity: day === DAY_COUNT - 1 ? 9 : 1 + (n % 3) }],
      }
    }),
  )
}

describe('kills, repeats and disorder', { timeout: 900_000 }, () => {
  const homes = [temporaryHome(), temporaryHome()]
  const configuration = temporaryHome()
  afterAll(() => {
    for (const home of [...homes, configuration]) home.remove()
  })

  test('leave the same documents, surges and warehouse', async () => {
    const chance = seeded(seedOfRun('orders under kills'))
    const [calm, stormy] = homes
    for (const home of homes) {
      const shop = await startOrders(home.folder)
      const ids = [0, 1, 2, 3, 4, 5]
      await shop.put(
        'products',
        ids.map((id) => ({ product_id: id, product_category: `c${id % 2}`, price: `${id}.5` })),
      )
      await shop.put(
        'customers',
        ids.map((id) => ({ customer_id: id, customer_name: `n${id}` })),
      )
      if (home === calm) for (const day of ordersOfDays()) await shop.post(day)
      await shop.settled()
      await shop.stop()
    }
    await sendUnderKills(stormy!.folder, chance)
    const [expected, found] = [await outcomeOf(calm!.folder), await outcomeOf(stormy!.folder)]
    expect(expected.documents).toHaveLength(DAY_COUNT * ORDERS_PER_DAY)
    expect(expected.surges.length).toBeGreaterThan(0)
    expect(expected.lines).toHaveLength(DAY_COUNT * ORDERS_PER_DAY)
    expect(found).toEqual(expected)
  })

  async function sendUnderKills(home: string, chance: ReturnType<typeof seeded>): Promise<void> {
    const file = path.join(configuration.folder, 'mekong.config.ts')
    const pipeline = path.join(ROOT, 'pipelines', 'orders', 'pipeline.ts')
    writeFileSync(file, `export default { pipelines: [${JSON.stringify(pipeline)}] }\n`)
    const killAfter = new Set([chance.integer(1, 4), chance.integer(5, 10)])
    let platform = await up(home, file)
    for (const [index, day] of ordersOfDays().entries()) {
      const shuffled = day
        .flatMap((order) => (chance.next() < 0.2 ? [order, order] : [order]))
        .map((order) => ({ order, place: chance.next() }))
        .sort((a, b) => a.place - b.place)
        .map(({ order }) => order)
      await post(platform.url, shuffled)
      if (!killAfter.has(index)) continue
      platform.child.kill('SIGKILL')
      await platform.ended
      platform = await up(home, file)
      await post(platform.url, shuffled.slice(0, 10))
    }
    platform.child.kill('SIGTERM')
    await platform.ended
  }

  async function up(home: string, config: string) {
    const args = [MAIN, 'up', '--home', home, '--config', config, '--json']
    const child = spawn(process.execPath, args, {
      env: ENVIRONMENT,
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
    const url = await new Promise<string>((resolve, reject) => {
      let output = ''
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        output += text
        if (output.includes('\n')) resolve(JSON.parse(output.slice(0, output.indexOf('\n'))).url)
      })
      child.once('close', () => reject(new Error(`it ended before it listened: ${output}`)))
    })
    return { child, ended, url }
  }

  async function post(url: string, orders: readonly Sent[]): Promise<void> {
    const body = orders.map((order) => JSON.stringify(order)).join('\n')
    const headers = { 'content-type': 'application/x-ndjson' }
    const response = await fetch(`${url}/orders?results=summary`, { method: 'POST', headers, body })
    expect(await response.json()).toMatchObject({ rejected: 0 })
  }

  async function outcomeOf(home: string) {
    const run = [MAIN, 'run', 'orders', '--home', home, '--json']
    await promisify(execFile)(process.execPath, run, { cwd: ROOT, env: ENVIRONMENT })
    const shop = await startOrders(home)
    try {
      await shop.settled()
      const ledger = await shop.platform.ledger()
      expect(ledger.filter(({ balanced, inFlight }) => !balanced || inFlight > 0)).toEqual([])
      const find = (collection: string) =>
        shop.platform.followers.documents!.find({ collection, limit: 100_000 })
      const documents = await find('orders')
      const surges = await shop.rows(
        'select * from gold.product_surges order by period_start, product_id',
      )
      const instance = await DuckDBInstance.create(
        path.join(home, 'serve', 'warehouse', 'warehouse.duckdb'),
      )
      const connection = await instance.connect()
      const lines = (
        await connection.runAndReadAll(
          'SELECT order_id, line_number, product_id, quantity, order_date::VARCHAR FROM raw.order_lines ORDER BY ALL',
        )
      ).getRows()
      connection.closeSync()
      instance.closeSync()
      const { store } = shop.platform.followers.aggregates[0]!
      const toMs = Date.UTC(2024, 4, 1 + DAY_COUNT)
      const series = { series: 'category_value', fromMs: Date.UTC(2024, 4, 1), toMs, top: 10 }
      const numbers = [
        await store.totals(),
        await store.measures('month', toMs),
        await store.measures('day', toMs - 1),
        await store.series({ ...series, grain: 'minute' }),
      ]
      return { documents, surges, published: await find('surges'), lines, numbers }
    } finally {
      await shop.stop()
    }
  }
})
