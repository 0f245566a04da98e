import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Task } from '../../../src/model/task.ts'
import { SelectorError } from '../../../src/orchestrator/errors.ts'
import { startScheduler } from '../../../src/orchestrator/schedules/scheduler.ts'
import { type Schedule, schedulesOf } from '../../../src/orchestrator/schedules/schedules-of.ts'
import { pipeline } from '../../../src/pipeline/pipeline.ts'
import type { ScheduleOptions } from '../../../src/pipeline/schedule.ts'
import { madeTask } from '../runs/made-task.ts'
import { openRunBench, type RunBench } from '../runs/run-bench.ts'

const HOUR_MS = 3_600_000
const START_MS = Date.UTC(2026, 2, 1)

let bench: RunBench
beforeEach(async () => {
  bench = await openRunBench()
})
afterEach(() => bench.clear())

/** A clock that a test moves. */
const madeClock = (ms = START_MS) => {
  const clock = { ms, nowMs: () => clock.ms }
  return clock
}

const schedules = (options: Partial<ScheduleOptions> = {}): readonly Schedule[] =>
  schedulesOf(
    [pipeline('river', (p) => p.schedule('hourly', { cron: '0 * * * *', run: ['a'], ...options }))],
    { maintenance: 'off' },
  )

const quick = { lookMs: 10, historyMs: 1e12, onNotice: () => {} }

describe('a scheduler', () => {
  test.each([
    ['none', []],
    ['latest', [5]],
    ['all', [1, 2, 3, 4, 5]],
  ] as const)('makes up for what was missed: %s', async (catchUp, hours) => {
    const clock = madeClock()
    const runner = await bench.runner([madeTask('a')], { clock })
    const first = await startScheduler({
      ...quick,
      schedules: schedules({ catchUp }),
      runner,
      clock,
    })
    await first.stop()
    clock.ms = START_MS + 5.5 * HOUR_MS
    const scheduler = await startScheduler({
      ...quick,
      schedules: schedules({ catchUp }),
      runner,
      clock,
    })
    const moments = async () =>
      (await runner.store.list({ status: 'succeeded' }))
        .map(({ logicalMs }) => (logicalMs - START_MS) / HOUR_MS)
        .sort()
    await expect.poll(moments, { timeout: 10_000 }).toEqual(hours)
    clock.ms = START_MS + 6 * HOUR_MS
    await expect.poll(moments, { timeout: 10_000 }).toEqual([...hours, 6])
    await scheduler.stop()
  })

  test('begins nothing while the run before is under way', async () => {
    const clock = madeClock()
    let go = false
    const runner = await bench.runner(
      [
        madeTask('a', {
          async run({ signal }) {
            while (!go) await sleep(5, undefined, { signal })
            return undefined
          },
        }),
      ],
      { clock },
    )
    const scheduler = await startScheduler({ ...quick, schedules: schedules(), runner, clock })
    for (const hour of [1, 2, 3]) {
      clock.ms = START_MS + hour * HOUR_MS
      await sleep(60)
    }
    expect(await runner.store.list({})).toHaveLength(1)
    go = true
    await expect
      .poll(
        async () => (await runner.store.list({ status: 'succeeded' })).map((r) => r.logicalMs),
        {
          timeout: 10_000,
        },
      )
      .toEqual([START_MS + 3 * HOUR_MS, START_MS + HOUR_MS])
    await scheduler.stop()
  })

  test('says at once when a schedule names no task of its pipeline', async () => {
    const runner = await bench.runner([madeTask('b')])
    const clock = madeClock()
    const start = startScheduler({ ...quick, schedules: schedules(), runner, clock })
    await expect(start).rejects.toThrow(SelectorError)
  })
})

describe('two schedulers over one state', () => {
  const dag = fc.record({
    edges: fc.uniqueArray(fc.tuple(fc.nat(5), fc.nat(5)), { maxLength: 10 }),
    writes: fc.array(fc.nat(2), { minLength: 6, maxLength: 6 }),
    runs: fc.array(fc.subarray([0, 1, 2, 3, 4, 5], { minLength: 1 }), {
      minLength: 1,
      maxLength: 3,
    }),
    hours: fc.integer({ min: 1, max: 3 }),
  })

  test('never run one thing twice at once, in an order that the graph allows, each moment once', async () => {
    const check = async ({
      edges,
      writes,
      runs,
      hours,
    }: typeof dag extends fc.Arbitrary<infer T> ? T : never) => {
      const world = await openRunBench()
      try {
        const wrong: string[] = []
        const atWork = new Set<string>()
        const writing = new Set<number>()
        const told = new Map<string, string[]>()
        const makeTasks = (): Task[] =>
          writes.map((thing, index) =>
            madeTask(`t${index}`, {
              writes: [`w${thing}`],
              after: edges.flatMap(([from, to]) => (to === index && from < to ? [`t${from}`] : [])),
              async run({ runId }) {
                const id = `t${index}`
                if (atWork.has(id)) wrong.push(`${id} twice at once`)
                if (writing.has(thing)) wrong.push(`two writers of ${thing}`)
                const inRun = told.get(runId) ?? []
                told.set(runId, inRun)
                inRun.push(`begin ${id}`)
                atWork.add(id)
                writing.add(thing)
                await sleep(3)
                atWork.delete(id)
                writing.delete(thing)
                inRun.push(`end ${id}`)
                return undefined
              },
            }),
          )
        const planned = schedulesOf(
          [
            pipeline('river', (p) => {
              for (const [index, chosen] of runs.entries())
                p.schedule(`s${index}`, {
                  cron: '0 * * * *',
                  catchUp: 'all',
                  run: chosen.map((task) => `t${task}`),
                })
            }),
          ],
          { maintenance: 'off' },
        )
        const clock = madeClock()
        const runners = [
          await world.runner(makeTasks(), { clock }),
          await world.runner(makeTasks(), { clock }),
        ]
        const schedulers = await Promise.all(
          runners.map((runner) => startScheduler({ ...quick, schedules: planned, runner, clock })),
        )
        clock.ms = START_MS + hours * HOUR_MS
        const store = await world.store()
        const ended = () => store.list({ status: 'succeeded', limit: 100 })
        await expect
          .poll(async () => (await ended()).length, { timeout: 30_000 })
          .toBe(runs.length * hours)
        for (const scheduler of schedulers) await scheduler.stop()
        expect(wrong).toEqual([])
        const all = await store.list({ limit: 100 })
        expect(new Set(all.map((r) => `${r.schedule} ${r.logicalMs}`)).size).toBe(all.length)
        for (const { id } of all) {
          const { tasks } = await store.find(id)
          const story = told.get(id)!
          const ids = tasks.map((task) => task.id)
          expect([...story].sort()).toEqual(ids.flatMap((t) => [`begin ${t}`, `end ${t}`]).sort())
          for (const [from, to] of edges) {
            if (from >= to || !ids.includes(`t${from}`) || !ids.includes(`t${to}`)) continue
            expect(story.indexOf(`end t${from}`)).toBeLessThan(story.indexOf(`begin t${to}`))
          }
        }
      } finally {
        await world.clear()
      }
    }
    await fc.assert(fc.asyncProperty(dag, check), { numRuns: 6 })
  })
})
