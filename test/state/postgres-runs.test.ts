import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemClock, systemRandomness } from '../../src/model/clock.ts'
import type { Task } from '../../src/model/task.ts'
import { openBackfills } from '../../src/orchestrator/backfills/backfills.ts'
import { openRunner, type Runner } from '../../src/orchestrator/runs/runner.ts'
import { taskGraph } from '../../src/orchestrator/runs/task-graph.ts'
import { backfillStore } from '../../src/state/backfill-store.ts'
import { StateUnavailableError } from '../../src/state/errors.ts'
import { openPostgresRuns } from '../../src/state/postgres-runs.ts'
import type { RunDatabase } from '../../src/state/run-database.ts'
import { runnerLease, runStore } from '../../src/state/run-store.ts'
import { createServerDatabase, type ServerDatabase } from '../crash/server-database.ts'
import { madeTask } from '../orchestrator/runs/made-task.ts'
import { request } from '../orchestrator/runs/run-bench.ts'
import { ensureService } from '../services.ts'

// Runs in a real PostgreSQL: several runners, each with connections of its own, as in several processes.

const server = await ensureService('postgres')
const onServer = test.skipIf('skip' in server)

let own: ServerDatabase
const databases: RunDatabase[] = []
const runners: Runner[] = []

const config = () => {
  const url = new URL(own.url)
  return {
    ...{ host: url.hostname, port: Number(url.port), database: url.pathname.slice(1) },
    ...{ user: url.username, password: { reveal: () => url.password } },
    ...{ ssl: false as const, name: 'the test server' },
  }
}
async function openDatabase(): Promise<RunDatabase> {
  const database = await openPostgresRuns(config())
  databases.push(database)
  return database
}
async function openOne(tasks: readonly Task[]): Promise<Runner> {
  const runner = await openRunner({
    ...{ graph: taskGraph(tasks), store: runStore(await openDatabase()), concurrency: 4 },
    ...{ clock: systemClock, randomness: systemRandomness, chance: () => 0, onNotice: () => {} },
  })
  runners.push(runner)
  return runner
}

beforeAll(async () => {
  if (!('skip' in server)) own = await createServerDatabase(server)
})
afterAll(async () => {
  for (const runner of runners) await runner.stop()
  for (const database of databases) await database.close()
  await own?.drop()
})

onServer('several that open it first at one time make it once', async () => {
  await Promise.all([openDatabase(), openDatabase(), openDatabase()])
})

onServer('a run is kept with its tasks and what they said, and forgotten in time', async () => {
  const runner = await openOne([
    madeTask('a', {
      async run({ log, progress }) {
        log('hello')
        progress(3, 4)
        return { status: 'done', facts: { rows: 12_345_678_901, why: 'über', none: null } }
      },
    }),
    madeTask('b', { after: ['a'], run: () => Promise.reject(new Error('no such luck')) }),
  ])
  const { id } = await runner.start(request({ selectors: ['+b'] }))
  const { run, tasks } = await runner.ended(id)
  expect(run).toMatchObject({ id, status: 'failed', logicalMs: Date.UTC(2026, 0, 1) })
  expect(tasks).toMatchObject([
    {
      id: 'a',
      status: 'done',
      progressDone: 3,
      facts: { rows: 12_345_678_901, why: 'über', none: null },
    },
    { id: 'b', status: 'failed', attempt: 1, error: 'no such luck' },
  ])
  const lines = await runner.store.log(id, { limit: 10, task: 'a' })
  expect(lines.map(({ line }) => line)).toEqual(['hello'])
  expect((await runner.store.find(id.slice(0, 12))).run.id).toBe(id)
  expect((await runner.store.list({ status: 'failed' })).map((one) => one.id)).toEqual([id])
  await runner.store.forgetBefore(Date.now() + 1_000)
  expect(await runner.store.list({})).toEqual([])
})

onServer(
  'two runners never do one thing at once, and a moment of a schedule is one run',
  async () => {
    let atWork = 0
    let most = 0
    let count = 0
    const tasks = () =>
      ['w1', 'w2', 'w3'].map((id) =>
        madeTask(id, {
          writes: ['t'],
          async run() {
            atWork += 1
            count += 1
            most = Math.max(most, atWork)
            await sleep(15)
            atWork -= 1
            return undefined
          },
        }),
      )
    const both = [await openOne(tasks()), await openOne(tasks())]
    const started = await Promise.all(
      both.flatMap((runner) => [1, 2].map(() => runner.start(request({ selectors: ['w*'] })))),
    )
    for (const [index, { id }] of started.entries()) {
      const { run } = await both[Math.floor(index / 2)]!.ended(id)
      expect(run.status).toBe('succeeded')
    }
    expect({ most, count }).toEqual({ most: 1, count: 12 })

    const moment = request({
      trigger: 'schedule',
      schedule: 'river/hourly',
      logicalMs: 7,
      selectors: ['w1'],
    })
    const outcomes = await Promise.all(both.map((runner) => runner.startScheduled(moment)))
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['created', 'made_already'])
    const index = outcomes.findIndex(({ status }) => status === 'created')
    const { id } = (await both[index]!.store.list({ schedule: 'river/hourly' }))[0]!
    await both[index]!.ended(id)
    await expect(both[index]!.startScheduled({ ...moment, logicalMs: 8 })).resolves.toMatchObject({
      status: 'created',
    })
  },
)

onServer('the run of a runner that is gone is taken over once its lease has ended', async () => {
  const gone = runStore(await openDatabase())
  const hold = (leaseMs: number) =>
    gone.leases.acquire([runnerLease('gone')], { runner: 'gone', holder: 'gone', leaseMs })
  await hold(600_000)
  const facts = { status: 'running', createdMs: 1, endedMs: null, interruptions: 0 } as const
  await gone.create({ ...request({ selectors: ['x'] }), id: 'zz-taken-over', ...facts }, [], 'gone')
  const next = await openOne([madeTask('x')])
  expect(await next.resumeInterrupted()).toEqual([])
  await hold(1)
  await expect.poll(() => next.resumeInterrupted(), { timeout: 20_000 }).toEqual(['zz-taken-over'])
  expect((await next.ended('zz-taken-over')).run).toMatchObject({
    status: 'succeeded',
    interruptions: 1,
  })
})

onServer('a backfill is carried through by one of two', async () => {
  const days: string[] = []
  const tasks = () => [
    madeTask('past', {
      async run({ range }) {
        days.push(range!.from)
        return undefined
      },
    }),
  ]
  const both = await Promise.all(
    [await openOne(tasks()), await openOne(tasks())].map(async (runner) =>
      openBackfills({
        ...{ store: backfillStore(await openDatabase()), runner, onNotice: () => {} },
        ...{ clock: systemClock, randomness: systemRandomness },
      }),
    ),
  )
  const { id } = await both[0]!.begin({
    ...{ selectors: ['past'], unit: 'days', from: '2026-02-01', to: '2026-02-04', partSize: 1 },
    limits: request().limits,
  })
  const looking = both.map((backfills) => backfills.look())
  await expect
    .poll(async () => (await both[1]!.store.find(id)).status, { timeout: 20_000 })
    .toBe('done')
  for (const one of looking) await one.stop()
  expect(days).toEqual(['2026-02-01', '2026-02-02', '2026-02-03', '2026-02-04'])
})

onServer('a server that is not there is said to be away', async () => {
  const nobody = openPostgresRuns({ ...config(), port: 1 })
  await expect(nobody).rejects.toThrow(StateUnavailableError)
})
