import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, expect, test } from 'vitest'
import { systemClock } from '../../src/model/clock.ts'
import { runStore } from '../../src/state/run-store.ts'
import { openStateStore } from '../../src/state/state-store.ts'
import type { WorkerOptions } from './run-worker.ts'
import { type Chance, seeded, seedOfRun } from './seeded.ts'

// Two processes with one schedule over one state, killed with kill -9 again and again in the middle of runs.

const WORKER = path.join(import.meta.dirname, 'run-worker.ts')
const MOMENT_COUNT = 12
const TASK_COUNT = 5
const KILL_COUNT = 5

const folder = mkdtempSync(path.join(tmpdir(), 'mekong-runs-kill-'))
const children = new Set<ChildProcess>()
afterAll(() => {
  for (const child of children) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

async function startWorker(options: WorkerOptions): Promise<ChildProcess> {
  const child = spawn(process.execPath, [WORKER, JSON.stringify(options)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  children.add(child)
  let said = ''
  child.stderr!.on('data', (chunk) => {
    said += chunk
  })
  child.once('exit', (code) => {
    children.delete(child)
    if (code !== null) console.log(`a worker ended with ${code}: ${said}`)
  })
  await Promise.race([
    new Promise((resolve) => child.stdout!.once('data', resolve)),
    new Promise((resolve) => child.once('exit', resolve)),
  ])
  return child
}

/** Which of the workers is in the middle of a task. */
function whoWorks(file: string, workers: readonly ChildProcess[]): number | undefined {
  const target = new DatabaseSync(file, { readOnly: true, timeout: 20_000 })
  try {
    const pids = target.prepare('SELECT pid FROM at_work').all() as { pid: number }[]
    const index = workers.findIndex((worker) => pids.some(({ pid }) => pid === worker.pid))
    return index < 0 ? undefined : index
  } finally {
    target.close()
  }
}

function drawnWorker(chance: Chance, name: string): WorkerOptions {
  // A whole minute, so that the moments are known.
  const startMs = Math.floor(Date.now() / 60_000) * 60_000
  const edges: [number, number][] = []
  for (let later = 1; later < TASK_COUNT; later += 1)
    for (let earlier = 0; earlier < later; earlier += 1)
      if (chance.next() < 0.35) edges.push([earlier, later])
  return {
    ...{ state: path.join(folder, `${name}.state`), target: path.join(folder, `${name}.target`) },
    ...{ edges, writes: Array.from({ length: TASK_COUNT }, () => chance.integer(0, 3)) },
    ...{ startMs, endMs: startMs + MOMENT_COUNT * 60_000, speed: 1e6 },
  }
}

const seed = seedOfRun('kills of runs')

test.each([0, 1, 2])(
  'killed again and again, story %i: each moment once, in order, nothing twice at once',
  async (story) => {
    const chance = seeded(seed + story)
    const options = drawnWorker(chance, `story-${story}`)
    // The schedule is known from its start on: the first look says from when it is dealt with.
    const first = await openStateStore({ file: options.state, clock: systemClock })
    const store = runStore(first.runDatabase())
    await store.scheduleHandledMs('river/minutely', '* * * * * UTC', options.startMs)
    const workers = [await startWorker(options), await startWorker(options)]
    for (let kill = 0; kill < KILL_COUNT; kill += 1) {
      await sleep(chance.integer(20, 500))
      const index = whoWorks(options.target, workers) ?? chance.integer(0, 1)
      const [killed] = workers.splice(index, 1, await restarted(workers[index]!))
      expect(killed!.killed).toBe(true)
    }
    async function restarted(child: ChildProcess): Promise<ChildProcess> {
      const gone = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGKILL')
      await gone
      return startWorker(options)
    }
    const succeeded = () => store.list({ status: 'succeeded', limit: 100 })
    await expect
      .poll(async () => (await succeeded()).length, { timeout: 60_000, interval: 100 })
      .toBe(MOMENT_COUNT)
    for (const worker of workers) worker.kill('SIGKILL')

    const runs = await store.list({ limit: 100 })
    expect(runs.map(({ logicalMs }) => logicalMs).sort()).toEqual(
      Array.from({ length: MOMENT_COUNT }, (_, moment) => options.startMs + (moment + 1) * 60_000),
    )
    const target = new DatabaseSync(options.target, { readOnly: true })
    const rows = (sql: string) => target.prepare(sql).all() as Record<string, string | number>[]
    expect(rows('SELECT what FROM wrong')).toEqual([])
    expect(rows('SELECT count FROM counts')).toEqual(
      Array.from({ length: TASK_COUNT }, () => ({ count: MOMENT_COUNT })),
    )
    for (const { id } of runs) {
      const { tasks } = await store.find(id)
      expect(tasks.map(({ status }) => status)).toEqual(
        Array.from({ length: TASK_COUNT }, () => 'done'),
      )
      const told = rows('SELECT rowid, what, task, attempt, run FROM story ORDER BY rowid').filter(
        ({ run }) => run === id,
      )
      const begun = (task: string) =>
        told.filter((line) => line.task === task && line.what === 'begin')
      for (const { id: task, attempt } of tasks) {
        // Each beginning is in the history; one that was killed right at its beginning may be in there alone.
        expect(begun(task).length).toBeLessThanOrEqual(attempt)
        expect(new Set(begun(task).map((line) => line.attempt)).size).toBe(begun(task).length)
      }
      const firstEnd = (task: string) =>
        told.findIndex((line) => line.task === task && line.what === 'end')
      for (const [earlier, later] of options.edges) {
        const begin = told.findIndex((line) => line.task === `t${later}`)
        expect(firstEnd(`t${earlier}`)).toBeLessThan(begin)
      }
    }
    console.log(
      `story ${story}: ${runs.reduce((sum, run) => sum + run.interruptions, 0)} interruptions of ${runs.length} runs`,
    )
    target.close()
    await first.close()
  },
  120_000,
)
