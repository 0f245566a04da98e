import type { Task, TaskContext, TaskReport } from '../../../src/model/task.ts'

type Made = Partial<Omit<Task, 'run'>> & {
  readonly run?: (context: TaskContext) => Promise<TaskReport | undefined>
}

/** A task for tests: it does nothing unless told. */
export const madeTask = (id: string, { run, ...facts }: Made = {}): Task => ({
  id,
  pipeline: 'river',
  kind: 'step',
  after: [],
  tags: [],
  writes: [],
  ...facts,
  run: async (context) => (await run?.(context)) ?? { status: 'done', facts: {} },
})
