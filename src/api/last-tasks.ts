import type { RunTask } from '../model/run.ts'
import type { Runner } from '../orchestrator/runs/runner.ts'

/** How far back is looked at the beginning, and each time. More runs than these between two looks, and a task may be told of late. */
const FIRST_LOOK_RUNS = 200
const LOOK_RUNS = 50

/** A task as its newest run has it. */
export interface LastTask {
  readonly task: RunTask
  readonly runId: string
}

/**
 * What became of each task the last time, kept from look to look: a run that is over is read once. Tasks that were skipped or stopped before they began
 * say nothing of themselves, so what was before them counts.
 */
export function lastTasks({ store }: Pick<Runner, 'store'>): () => Promise<readonly LastTask[]> {
  const last = new Map<string, LastTask & { readonly createdMs: number }>()
  const read = new Set<string>()
  return async () => {
    const limit = read.size === 0 ? FIRST_LOOK_RUNS : LOOK_RUNS
    const runs = await store.list({ limit })
    for (const { id, createdMs } of runs.filter(({ id: known }) => !read.has(known)).reverse()) {
      const { run, tasks } = await store.find(id)
      for (const task of tasks.filter(({ attempt }) => attempt > 0))
        if ((last.get(task.id)?.createdMs ?? 0) <= createdMs)
          last.set(task.id, { task, runId: id, createdMs })
      if (run.endedMs !== null && run.status !== 'interrupted') read.add(id)
    }
    return [...last.values()]
  }
}
