/**
 * A piece of work that somebody runs on a schedule or by hand: a model, a sync, maintenance. Doorways make them, the
 * orchestrator runs them and knows nothing else about them.
 */
export interface Task {
  /** `gold.user_activity`, `sync/catalog/clickhouse`; unique in a platform. */
  readonly id: string
  readonly pipeline: string
  readonly kind: TaskKind
  /**
   * What must have succeeded before: ids of tasks, or tables that tasks write. What no task of the platform writes, such as a table that is
   * filled from a topic, waits for nobody.
   */
  readonly after: readonly string[]
  readonly tags: readonly string[]
  /** Tables or stores it writes: two tasks that write one thing never run at once. */
  readonly writes: readonly string[]
  run(context: TaskContext): Promise<TaskReport>
}

export type TaskKind = 'model' | 'publish' | 'sync' | 'maintenance' | 'step' | 'files'

export interface TaskContext {
  readonly runId: string
  /** The moment the run is for, milliseconds since 1970. */
  readonly logicalMs: number
  /** From 1. */
  readonly attempt: number
  readonly signal: AbortSignal
  /** Make everything anew, whatever was done before. */
  readonly fullRefresh: boolean
  /** Backfill: this part alone. */
  readonly range?: TaskRange
  /** Backfill: these versions of the incoming table alone. */
  readonly versions?: VersionRange
  log(line: string): void
  progress(done: number, total?: number): void
}

/** Days as `YYYY-MM-DD`, both inclusive. */
export interface TaskRange {
  readonly from: string
  readonly to: string
}

/** Committed versions, both inclusive. */
export interface VersionRange {
  readonly from: number
  readonly to: number
}

export interface TaskReport {
  readonly status: 'done' | 'nothing_new'
  /** Rows in, rows out, files, bytes: what the task did, in snake case. */
  readonly facts: Readonly<Record<string, number | string | boolean | null>>
}
