import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { systemClock } from '../../../src/model/clock.ts'
import { type LedgerLine, ledgerLine } from '../../../src/model/ledger.ts'
import type { Alert } from '../../../src/orchestrator/alerts/alert.ts'
import {
  type AlertSources,
  type Alerts,
  openAlerts,
} from '../../../src/orchestrator/alerts/alerts.ts'
import { madeTask } from '../runs/made-task.ts'
import { openRunBench, request } from '../runs/run-bench.ts'

// Alerts as a webhook receives them, and as the log shows them.

/** The machine may be busy. */
const PATIENT = { timeout: 20_000 }

let server: Server
let told: (Alert & { readonly text: string })[] = []
/** Statuses to answer with, in turn; then 200. */
let answers: number[] = []
let lines: string[] = []
let alerts: Alerts

beforeEach(async () => {
  told = []
  answers = []
  lines = []
  server = createServer(async (incoming, response) => {
    let body = ''
    for await (const chunk of incoming) body += chunk
    const status = answers.shift() ?? 200
    if (status === 200) told.push(JSON.parse(body))
    response.writeHead(status).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  alerts = openAlerts({
    settings: {
      webhookUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/secret-path`,
      ...{ intervalMs: 20, staleMs: 60_000, letterGrowthMin: 2 },
    },
    clock: systemClock,
    onNotice: (line) => lines.push(line),
  })
})
afterEach(async () => {
  await alerts.stop()
  server.close()
})

const toldOf = () => told.map(({ status, key }) => `${status} ${key}`)

/** A world without trouble, and what a test changes in it. */
function quietWorld() {
  const world = {
    lines: [] as LedgerLine[],
    letters: new Map<string, number>(),
    committedMs: Date.now() as number | undefined,
  }
  const sources: AlertSources = {
    ledger: async () => world.lines,
    letters: async () => new Map(world.letters),
    tables: async () => [{ pipeline: 'river', table: 'bronze.a', committedMs: world.committedMs }],
  }
  return { world, sources }
}

describe('runs', () => {
  test('a task that fails is told, with where to look, and once it is well again', async () => {
    const bench = await openRunBench()
    let broken = true
    const tasks = [
      madeTask('gold.x', {
        run: () =>
          broken ? Promise.reject(new Error('no such luck')) : Promise.resolve(undefined),
      }),
      madeTask('gold.y', { after: ['gold.x'] }),
    ]
    const runner = await bench.runner(tasks, { onEnd: alerts.runEnded })
    const failed = await runner.start(request())
    await runner.ended(failed.id)
    broken = false
    for (let again = 0; again < 2; again += 1)
      await runner.ended((await runner.start(request())).id)
    await expect.poll(toldOf, PATIENT).toEqual(['raised task/gold.x', 'resolved task/gold.x'])
    expect(told[0]).toMatchObject({
      kind: 'task_failed',
      pipeline: 'river',
      facts: { run: failed.id, error: 'no such luck', attempts: 1 },
      text: expect.stringContaining(`mekong runs show ${failed.id}`),
    })
    await bench.clear()
  })
})

describe('what is looked at', () => {
  test('an imbalance that lasts, a table that is too old, letters that grow: once each, and when it is over', async () => {
    const { world, sources } = quietWorld()
    world.letters.set('river\nbronze.a', 5)
    alerts.watch(sources)
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(told).toEqual([])
    world.lines = [ledgerLine('river', 'bronze.a', { in: 3, out: 2 })]
    await expect.poll(toldOf, PATIENT).toEqual(['raised ledger/river/bronze.a'])
    world.committedMs = Date.now() - 120_000
    await expect.poll(toldOf, PATIENT).toContain('raised stale/bronze.a')
    world.letters.set('river\nbronze.a', 6)
    await new Promise((resolve) => setTimeout(resolve, 100))
    world.letters.set('river\nbronze.a', 8)
    await expect.poll(toldOf, PATIENT).toContain('raised letters/river/bronze.a')
    expect(told.at(-1)!.facts).toEqual({ hop: 'bronze.a', grown: 2, count: 8 })
    world.lines = []
    world.committedMs = Date.now()
    await expect
      .poll(() => toldOf().slice(3).sort(), PATIENT)
      .toEqual(['resolved ledger/river/bronze.a', 'resolved stale/bronze.a'])
    expect(lines.filter((line) => line.startsWith('ALERT'))).toHaveLength(3)
  })
})

describe('a webhook', () => {
  const failing = async () => {
    const { world, sources } = quietWorld()
    world.committedMs = 0
    alerts.watch(sources)
  }

  test('that is overloaded is told again', async () => {
    answers = [503, 429]
    await failing()
    await expect.poll(toldOf, PATIENT).toEqual(['raised stale/bronze.a'])
  })

  test('that refuses is a line in the log, which does not say the address', async () => {
    answers = [403]
    await failing()
    await expect.poll(() => lines.join('\n'), PATIENT).toMatch(/webhook was not told.*403/)
    expect(lines.join('\n')).not.toContain('secret-path')
  })
})
