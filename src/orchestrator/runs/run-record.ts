import type { Clock } from '../../model/clock.ts'
import { assert } from '../../model/errors.ts'
import type { Run, RunLogLine, RunTask } from '../../model/run.ts'
import type { RunStore } from '../../state/run-store.ts'
import { type TaskEvent, taskTransition } from './task-status.ts'

/** What a run's tasks are doing and saying, kept in the state store. */
export interface RunRecord {
  readonly run: Run
  tasks(): readonly RunTask[]
  task(id: string): RunTask
  /** Move a task on; kept with the next flush. */
  move(id: string, event: TaskEvent, facts?: Partial<RunTask>): RunTask
  /** A line of a task; kept soon. */
  say(id: string, line: string): void
  progress(id: string, done: number, total: number | undefined): void
  /** Returns when everything so far is durable. @throws StateUnavailableError */
  flush(): Promise<void>
}

export interface RunRecordOptions {
  readonly run: Run
  readonly tasks: readonly RunTask[]
  readonly store: RunStore
  readonly clock: Clock
  /** Told of every change, before it is durable. */
  readonly onTask: (run: Run, task: RunTask) => void
}

/** Lines and progress wait for one another so long, so that a task that says much costs few commits. */
const GATHER_MS = 500
/** What one attempt may say; a log is for reading. */
const LINE_COUNT_MAX = 10_000
const LINE_LENGTH_MAX = 4_000

export function runRecord({ run, tasks, store, clock, onTask }: RunRecordOptions): RunRecord {
  const current = new Map(tasks.map((task) => [task.id, task]))
  const changed = new Set<string>()
  const counts = new Map<string, number>()
  let lines: (RunLogLine & { readonly number: number })[] = []
  let writing: Promise<void> = Promise.resolve()
  let timer: NodeJS.Timeout | undefined
  const task = (id: string) => {
    const found = current.get(id)
    assert(found !== undefined, `run ${run.id} has the task ${id}`)
    return found
  }
  const keep = (next: RunTask) => {
    current.set(next.id, next)
    changed.add(next.id)
    onTask(run, next)
    return next
  }
  const write = async () => {
    const batch = { runId: run.id, tasks: [...changed].map(task), lines }
    changed.clear()
    lines = []
    await store.record(batch)
  }
  const flush = () => {
    clearTimeout(timer)
    timer = undefined
    // One after another, so that an older state never overwrites a newer one.
    const written = writing.then(write)
    writing = written.catch(() => {})
    return written
  }
  const soon = () => {
    timer ??= setTimeout(() => void flush().catch(() => {}), GATHER_MS).unref()
  }
  return {
    run,
    tasks: () => [...current.values()],
    task,
    move(id, event, facts = {}) {
      const { status } = task(id)
      const next = taskTransition(status, event)
      assert(next !== undefined, `a task that is ${status} takes the event ${event}`)
      return keep({ ...task(id), ...facts, status: next })
    },
    say(id, line) {
      const { attempt } = task(id)
      const key = `${id}\n${attempt}`
      const number = (counts.get(key) ?? 0) + 1
      if (number > LINE_COUNT_MAX) return
      counts.set(key, number)
      const text = number === LINE_COUNT_MAX ? '… it said more than is kept' : line
      const said = { task: id, attempt, atMs: clock.nowMs(), line: text.slice(0, LINE_LENGTH_MAX) }
      lines.push({ ...said, number })
      soon()
    },
    progress(id, done, total) {
      keep({ ...task(id), progressDone: done, progressTotal: total ?? null })
      soon()
    },
    flush,
  }
}
