import type { TaskKind, TaskRange, TaskReport, VersionRange } from './task.ts'

/** Tasks carried out once, in order, for a moment: what history tells of it. */
export interface Run extends RunRequest {
  readonly id: string
  readonly status: RunStatus
  readonly createdMs: number
  readonly endedMs: number | null
  /** How often whoever carried it out went away before the end. */
  readonly interruptions: number
}

/** `interrupted`: whoever carried it out is gone or was told to stop; what was done stays done, and the rest can go on. */
export type RunStatus = 'running' | 'succeeded' | 'failed' | 'cancelled' | 'interrupted'
export const RUN_STATUSES: readonly RunStatus[] = [
  ...(['running', 'succeeded', 'failed', 'cancelled', 'interrupted'] as const),
]

/** What is asked of a run. */
export interface RunRequest {
  readonly trigger: RunTrigger
  /** `<pipeline>/<name>`, when a schedule made it. */
  readonly schedule: string | null
  /** The backfill that it is a part of. */
  readonly backfill: string | null
  /** Tasks of this pipeline only; of all when null. */
  readonly pipeline: string | null
  readonly selectors: readonly string[]
  /** The moment the run is for, milliseconds since 1970. */
  readonly logicalMs: number
  readonly fullRefresh: boolean
  readonly range: TaskRange | null
  readonly versions: VersionRange | null
  readonly limits: AttemptLimits
}

export type RunTrigger = 'manual' | 'schedule' | 'load' | 'demo' | 'backfill'

/** How hard a task is tried. */
export interface AttemptLimits {
  /** Attempts after the first. */
  readonly retries: number
  /** Before the first retry; doubles with each. */
  readonly retryDelayMs: number
  /** For one attempt. */
  readonly timeoutMs: number
}

/** A task within a run. */
export interface RunTask {
  readonly runId: string
  readonly id: string
  readonly pipeline: string
  readonly kind: TaskKind
  /** In the order of the run, from 0. */
  readonly position: number
  readonly status: RunTaskStatus
  /** The last one begun, from 1; 0 before the first. */
  readonly attempt: number
  readonly startedMs: number | null
  readonly endedMs: number | null
  /** What it did; empty before the end. */
  readonly facts: TaskReport['facts']
  /** The code of the error that ended its last attempt. */
  readonly errorCode: string | null
  readonly error: string | null
  readonly progressDone: number | null
  readonly progressTotal: number | null
}

export type RunTaskStatus =
  | 'waiting'
  | 'running'
  | 'retrying'
  | 'done'
  | 'nothing_new'
  | 'failed'
  | 'skipped'
  | 'cancelled'
  | 'interrupted'

/** A line that a task said. */
export interface RunLogLine {
  readonly task: string
  readonly attempt: number
  readonly atMs: number
  readonly line: string
}
