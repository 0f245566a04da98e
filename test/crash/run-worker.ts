import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { systemRandomness } from '../../src/model/clock.ts'
import type { Task, TaskContext } from '../../src/model/task.ts'
import { openRunner } from '../../src/orchestrator/runs/runner.ts'
import { taskGraph } from '../../src/orchestrator/runs/task-graph.ts'
import { startScheduler } from '../../src/orchestrator/schedules/scheduler.ts'
import { schedulesOf } from '../../src/orchestrator/schedules/schedules-of.ts'
import { pipeline } from '../../src/pipeline/pipeline.ts'
import { runStore } from '../../src/state/run-store.ts'
import { openStateStore } from '../../src/state/state-store.ts'
import { madeTask } from '../orchestrator/runs/made-task.ts'

// A process that runs a schedule over a shared state, to be killed. Its tasks are exactly-once by what they keep themselves: each
// moment is counted once, in one transaction with the mark that it was.

/** What the parent says, as JSON in the first argument. */
export interface WorkerOptions {
  readonly state: string
  readonly target: string
  /** `[earlier, later]` */
  readonly edges: readonly (readonly [number, number])[]
  /** What each task writes. */
  readonly writes: readonly number[]
  readonly startMs: number
  readonly endMs: number
  /** So much faster than the world does our clock go. */
  readonly speed: number
}

const options = JSON.parse(process.argv[2]!) as WorkerOptions
const { state: stateFile, target: targetFile, edges, writes, startMs, endMs, speed } = options
const target = new DatabaseSync(targetFile, { timeout: 20_000 })
target.exec(`
  PRAGMA journal_mode = WAL;
  CREATE TABLE IF NOT EXISTS counts (task TEXT PRIMARY KEY, count INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS moments (task TEXT, logical_ms INTEGER, PRIMARY KEY (task, logical_ms));
  CREATE TABLE IF NOT EXISTS story (what TEXT, task TEXT, run TEXT, attempt INTEGER, logical_ms INTEGER);
  CREATE TABLE IF NOT EXISTS at_work (thing TEXT PRIMARY KEY, pid INTEGER, task TEXT);
  CREATE TABLE IF NOT EXISTS wrong (what TEXT);
`)

const clock = {
  nowMs: () => Math.min(endMs, startMs + (Date.now() - startMs) * speed),
}

function atomically(work: () => void): void {
  target.exec('BEGIN IMMEDIATE')
  work()
  target.exec('COMMIT')
}

const isAlive = (pid: number) => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

const work = (id: string, thing: string) => async (context: TaskContext) => {
  const { runId, attempt, logicalMs, signal } = context
  const tell = (what: string) =>
    target
      .prepare('INSERT INTO story VALUES (?, ?, ?, ?, ?)')
      .run(what, id, runId, attempt, logicalMs)
  atomically(() => {
    tell('begin')
    for (const name of [`task ${id}`, thing]) {
      const other = target.prepare('SELECT pid, task FROM at_work WHERE thing = ?').get(name)
      if (other !== undefined && isAlive(other.pid as number))
        target.prepare('INSERT INTO wrong VALUES (?)').run(`${id} beside ${other.task} at ${name}`)
      target.prepare('INSERT OR REPLACE INTO at_work VALUES (?, ?, ?)').run(name, process.pid, id)
    }
  })
  const leave = () =>
    target.prepare('DELETE FROM at_work WHERE task = ? AND pid = ?').run(id, process.pid)
  try {
    await sleep(10 + Math.random() * 30, undefined, { signal })
    atomically(() => {
      const { changes } = target
        .prepare('INSERT OR IGNORE INTO moments VALUES (?, ?)')
        .run(id, logicalMs)
      if (changes === 1)
        target
          .prepare(
            'INSERT INTO counts VALUES (?, 1) ON CONFLICT (task) DO UPDATE SET count = count + 1',
          )
          .run(id)
      tell('end')
    })
  } finally {
    leave()
  }
  return undefined
}

const tasks = writes.map((thing, index): Task => {
  const id = `t${index}`
  const after = edges.flatMap(([earlier, later]) => (later === index ? [`t${earlier}`] : []))
  return madeTask(id, { writes: [`w${thing}`], after, run: work(id, `w${thing}`) })
})
const plan = pipeline('river', (p) =>
  p.schedule('minutely', {
    ...{ cron: '* * * * *', run: ['*'], catchUp: 'all', retries: 5, retryDelayMs: 20 },
  }),
)

const state = await openStateStore({ file: stateFile, clock })
const onNotice = () => {}
const runner = await openRunner({
  ...{ graph: taskGraph(tasks), store: runStore(state.runDatabase()), clock, onNotice },
  ...{ randomness: systemRandomness, chance: Math.random, concurrency: 3, leaseMs: 4_000 },
})
await startScheduler({
  ...{ schedules: schedulesOf([plan], { maintenance: 'off' }), runner, clock, onNotice },
  ...{ lookMs: 20, resumeMs: 200, historyMs: 1e12 },
})
process.stdout.write('ready\n')
setInterval(() => {}, 1 << 30)
