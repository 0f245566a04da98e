import type { TaskContext, TaskReport } from '../model/task.ts'

/** What a step may use. */
export interface StepContext extends TaskContext {
  /** Rows of a question to tables of the lake, at most a million; values are as `mekong sql --json` shows them. */
  query(sql: string): Promise<readonly Readonly<Record<string, unknown>>[]>
}

/** A task in plain TypeScript, for what is neither model, sync nor maintenance. */
export interface PlainTaskPlan {
  readonly name: string
  readonly reads: readonly string[]
  readonly writes: readonly string[]
  readonly tags: readonly string[]
  readonly run: (context: StepContext) => Promise<TaskReport | undefined>
}

export interface PlainTaskOptions {
  /** Tables it reads: whatever writes them runs before. */
  readonly reads?: readonly string[]
  /** Tables or stores it writes: nothing else writes them meanwhile, and what reads them runs after. */
  readonly writes?: readonly string[]
  readonly tags?: readonly string[]
  /**
   * The work. It may be called again after a failure, a timeout or a crash, so doing it twice must be the same as doing it once. It should
   * end soon after `context.signal` aborts.
   */
  // biome-ignore lint/suspicious/noConfusingVoidType: a function that returns nothing is welcome.
  readonly run: (context: StepContext) => Promise<TaskReport | void>
}

export const plainTaskPlan = (name: string, options: PlainTaskOptions): PlainTaskPlan => ({
  name,
  reads: options.reads ?? [],
  writes: options.writes ?? [],
  tags: options.tags ?? [],
  run: async (context) => (await options.run(context)) ?? undefined,
})
