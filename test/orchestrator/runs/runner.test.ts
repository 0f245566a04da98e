import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { PlatformError } from '../../../src/model/errors.ts'
import type { RunTask } from '../../../src/model/run.ts'
import type { TaskContext } from '../../../src/model/task.ts'
import type { Runner } from '../../../src/orchestrator/runs/runner.ts'
import type { RunDetail } from '../../../src/state/run-store.ts'
import { madeTask } from './made-task.ts'
import { openRunBench, type RunBench, request } from './run-bench.ts'

let bench: RunBench
beforeEach(async () => {
  bench = await openRunBench()
})
afterEach(() => bench.clear())

const statuses = ({ tasks }: RunDetail) => Object.fromEntries(tasks.map((t) => [t.id, t.status]))

async function runAll(runner: Runner, facts = {}): Promise<RunDetail> {
  const run = await runner.start(request(facts))
  return runner.ended(run.id)
}

/** A task that goes on until it is told to stop. */
const endless = ({ signal }: TaskContext) =>
  sleep(600_000, undefined, { signal }).then(() => undefined)

describe('a run', () => {
  test('carries tasks out in order and remembers what they did and said', async () => {
    const order: string[] = []
    const step = (id: string, after: string[]) =>
      madeTask(id, {
        after,
        run: async (context) => {
          order.push(id)
          context.log(`${id} for ${context.logicalMs}`)
          context.progress(1, 2)
          return { status: id === 'c' ? 'nothing_new' : 'done', facts: { rows_out: 7 } }
        },
      })
    const runner = await bench.runner([step('c', ['b']), step('b', ['a']), step('a', [])])
    const detail = await runAll(runner)
    expect(order).toEqual(['a', 'b', 'c'])
    expect(detail.run).toMatchObject({ status: 'succeeded', interruptions: 0 })
    expect(statuses(detail)).toEqual({ a: 'done', b: 'done', c: 'nothing_new' })
    expect(detail.tasks[0]).toMatchObject({ facts: { rows_out: 7 }, attempt: 1, progressDone: 1 })
    const store = await bench.store()
    const lines = await store.log(detail.run.id, { limit: 10 })
    expect(lines.map(({ line }) => line)).toEqual(
      ['a', 'b', 'c'].map((id) => `${id} for 1767225600000`),
    )
    expect(await store.find(detail.run.id.slice(0, -2))).toEqual(detail)
  })

  test('leaves out what waits for a task that failed, and nothing else', async () => {
    const runner = await bench.runner([
      madeTask('a', { run: () => Promise.reject(new Error('no such luck')) }),
      madeTask('b', { after: ['a'] }),
      madeTask('c', { after: ['b'] }),
      madeTask('d'),
    ])
    const detail = await runAll(runner)
    expect(detail.run.status).toBe('failed')
    expect(statuses(detail)).toEqual({ a: 'failed', b: 'skipped', c: 'skipped', d: 'done' })
    expect(detail.tasks[0]).toMatchObject({ error: 'no such luck', errorCode: 'TASK_FAILED' })
    expect(detail.tasks.find(({ id }) => id === 'b')!.error).toBe('a did not succeed.')
  })

  test('tries again what may end otherwise, and does not what cannot', async () => {
    class NeverError extends PlatformError {
      readonly code = 'NEVER'
      readonly retry = 'never'
    }
    const attempts: Record<string, number[]> = { flaky: [], hopeless: [] }
    const runner = await bench.runner([
      madeTask('flaky', {
        run: async ({ attempt }) => {
          attempts.flaky!.push(attempt)
          if (attempt < 3) throw new Error('not yet')
          return undefined
        },
      }),
      madeTask('hopeless', {
        run: async ({ attempt }) => {
          attempts.hopeless!.push(attempt)
          throw new NeverError('never')
        },
      }),
    ])
    const detail = await runAll(runner, { limits: { retries: 3, retryDelayMs: 5, timeoutMs: 1e6 } })
    expect(attempts).toEqual({ flaky: [1, 2, 3], hopeless: [1] })
    expect(statuses(detail)).toEqual({ flaky: 'done', hopeless: 'failed' })
    expect(detail.tasks[0]).toMatchObject({ attempt: 3, error: null })
  })

  test('stops an attempt that takes too long', async () => {
    const runner = await bench.runner([madeTask('slow', { run: endless })])
    const detail = await runAll(runner, { limits: { retries: 1, retryDelayMs: 1, timeoutMs: 50 } })
    expect(detail.tasks[0]).toMatchObject({
      status: 'failed',
      attempt: 2,
      errorCode: 'TASK_TIMEOUT',
    })
  })

  test('can be cancelled, here and from another process', async () => {
    const runner = await bench.runner(
      [madeTask('slow', { run: endless }), madeTask('next', { after: ['slow'] })],
      { leaseMs: 4_000 },
    )
    const elsewhere = await bench.runner([])
    const store = await bench.store()
    for (const canceller of [runner, elsewhere]) {
      const run = await runner.start(request())
      await expect
        .poll(async () => statuses(await store.find(run.id)).slow, { timeout: 20_000 })
        .toBe('running')
      expect(await canceller.cancel(run.id)).toBe(true)
      const detail = await runner.ended(run.id)
      expect(detail.run.status).toBe('cancelled')
      expect(statuses(detail)).toEqual({ slow: 'cancelled', next: 'cancelled' })
      expect(await canceller.cancel(run.id)).toBe(false)
    }
  })

  test('that was interrupted goes on where it was', async () => {
    const counts = { a: 0, b: 0, c: 0 }
    let patient = false
    const counted = (id: 'a' | 'c') => async () => {
      counts[id] += 1
      return undefined
    }
    const tasks = [
      madeTask('a', { run: counted('a') }),
      madeTask('b', {
        after: ['a'],
        run: async (context) => {
          counts.b += 1
          return patient ? undefined : endless(context)
        },
      }),
      madeTask('c', { after: ['b'], run: counted('c') }),
    ]
    const first = await bench.runner(tasks)
    const run = await first.start(request())
    await expect.poll(() => counts.b, { timeout: 20_000 }).toBe(1)
    await first.stop()
    const between = await first.ended(run.id)
    expect(between.run.status).toBe('interrupted')
    expect(statuses(between)).toEqual({ a: 'done', b: 'interrupted', c: 'waiting' })
    patient = true
    const second = await bench.runner(tasks)
    expect(await second.resumeInterrupted()).toEqual([run.id])
    const detail = await second.ended(run.id)
    expect(detail.run.status).toBe('succeeded')
    expect(counts).toEqual({ a: 1, b: 2, c: 1 })
    expect(await second.resume(run.id)).toBe(false)
  })
})

describe('what runs at one time', () => {
  /** Tasks that note when they begin and end, and how many are at work. */
  function watched() {
    const atWork = new Set<string>()
    const together = { writers: 0, all: 0 }
    const task = (id: string, writes: readonly string[]) =>
      madeTask(id, {
        writes,
        run: async () => {
          atWork.add(id)
          together.all = Math.max(together.all, atWork.size)
          const writers = [...atWork].filter((other) => other.startsWith('w')).length
          together.writers = Math.max(together.writers, writers)
          await sleep(150)
          atWork.delete(id)
          return undefined
        },
      })
    const tasks = [
      task('w1', ['t']),
      task('w2', ['t', 'u']),
      task('a', []),
      task('b', []),
      task('c', []),
    ]
    return { tasks, together }
  }

  test('is never two writers of one thing, nor more than there are places', async () => {
    const { tasks, together } = watched()
    const runner = await bench.runner(tasks, { concurrency: 3 })
    expect((await runAll(runner)).run.status).toBe('succeeded')
    expect(together.writers).toBe(1)
    expect([2, 3]).toContain(together.all)
  })

  test('is never one task twice, though two processes run it', async () => {
    const { tasks, together } = watched()
    const runners = [await bench.runner(tasks), await bench.runner(tasks)]
    const details = await Promise.all(
      runners.map((runner) => runAll(runner, { selectors: ['w*'] })),
    )
    expect(details.map(({ run }) => run.status)).toEqual(['succeeded', 'succeeded'])
    expect(together).toEqual({ writers: 1, all: 1 })
  })

  test('a schedule has one run for a moment, and one active run', async () => {
    const runner = await bench.runner([madeTask('a', { run: endless })])
    const scheduled = (logicalMs: number) =>
      runner.startScheduled(request({ trigger: 'schedule', schedule: 'river/hourly', logicalMs }))
    const first = await scheduled(1)
    expect(await scheduled(2)).toEqual({ status: 'busy' })
    expect(await scheduled(1)).toEqual({ status: 'made_already' })
    const { id } = (await runner.store.list({}))[0]!
    await runner.cancel(id)
    await runner.ended(id)
    expect(await scheduled(1)).toEqual({ status: 'made_already' })
    expect([first.status, (await scheduled(2)).status]).toEqual(['created', 'created'])
  })

  test('the runs of a process that is gone are taken over, and what it held is free', async () => {
    const store = await bench.store()
    const hold = async (leaseMs: number) => {
      const gone = { runner: 'gone', leaseMs }
      await store.leases.acquire(['runner/gone'], { ...gone, holder: 'gone' })
      await store.leases.acquire(['task/a', 'writes/t'], { ...gone, holder: 'gone/a' })
    }
    await hold(600_000)
    const facts = { status: 'running', createdMs: 1, endedMs: null, interruptions: 0 } as const
    const task: RunTask = {
      ...{ runId: 'r', id: 'a', pipeline: 'river', kind: 'step', position: 0, status: 'running' },
      ...{ attempt: 1, startedMs: 1, endedMs: null, facts: {}, errorCode: null, error: null },
      ...{ progressDone: null, progressTotal: null },
    }
    await store.create({ ...request(), id: 'r', ...facts }, [task], 'gone')
    await store.record({ runId: 'r', tasks: [task], lines: [] })
    const next = await bench.runner([madeTask('a', { writes: ['t'] })])
    expect(await next.resumeInterrupted()).toEqual([])
    expect(await next.resume('r')).toBe(false)
    await hold(1)
    await expect.poll(() => next.resumeInterrupted(), { timeout: 20_000 }).toEqual(['r'])
    const detail = await next.ended('r')
    expect(detail.run).toMatchObject({ status: 'succeeded', interruptions: 1 })
    expect(detail.tasks[0]).toMatchObject({ attempt: 2, status: 'done' })
  })
})
