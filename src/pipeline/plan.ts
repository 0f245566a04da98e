import type { Columns } from '../model/column.ts'
import type { RecordSchema } from '../model/schema.ts'
import type { SqlModel } from '../model/sql-model.ts'
import type { Step } from '../model/step.ts'
import type { SyncPlan } from './sync.ts'
import type { Target } from './target.ts'

/** A pipeline as a value: frozen, validated, without I/O. Everything else in the platform is built from this. */
export interface PipelinePlan {
  readonly name: string
  readonly topics: readonly TopicPlan[]
  readonly ingests: readonly IngestPlan[]
  readonly tables: readonly TablePlan[]
  /** Tables that SQL makes from other tables. */
  readonly models: readonly SqlModel[]
  readonly serves: readonly ServePlan[]
  /** Stores that follow tables by their changes. */
  readonly syncs: readonly SyncPlan[]
  readonly queries: readonly URL[]
  readonly simulator?: SimulatorPlan
  readonly loaders: readonly LoaderPlan[]
}

export interface TopicPlan {
  readonly name: string
  readonly schema: RecordSchema
  readonly key?: string
  readonly id?: string
  readonly partitions: number
  readonly retentionMs?: number
  readonly retentionBytes?: number
}

export interface IngestPlan {
  readonly path: string
  readonly topic: string
}

export interface TablePlan {
  /** `layer.name` */
  readonly name: string
  readonly topic: string
  /** Topics of the same schema whose records come along. */
  readonly alsoTopics: readonly string[]
  readonly steps: readonly Step[]
  readonly columns: Columns
  readonly format: 'delta'
  readonly partitionBy?: DayPartition
}

/** Rows are laid by the UTC day of an instant, in a column of their own. */
export interface DayPartition {
  readonly transform: 'day'
  readonly column: string
  readonly as: string
}

export interface ServePlan {
  /** `store.table`, the name of the hop. */
  readonly name: string
  readonly topic: string
  /** Topics of the same schema whose records come along. */
  readonly alsoTopics: readonly string[]
  readonly steps: readonly Step[]
  /** Of the stream, which the target's must equal. */
  readonly columns: Columns
  readonly target: Target<unknown>
}

/** Plays a pipeline's source through its real front door. The same seed and count give the same requests. */
export interface SimulatorPlan {
  readonly eventCountDefault: number
  readonly requests: (options: SimulatorOptions) => Iterable<SimulatedRequest>
}

export interface SimulatorOptions {
  readonly seed: number
  readonly eventCount: number
  /** The moment "now" of the simulation, milliseconds since 1970. */
  readonly nowMs: number
}

export interface SimulatedRequest {
  readonly path: string
  /** Sent as NDJSON, one line each; a string is sent as it is (for deliberately broken lines). */
  readonly events: readonly (object | string)[]
}

/** Turns rows of files into events, for `mekong load`. */
export interface LoaderPlan {
  readonly description: string
  readonly path: string
  readonly format: 'csv' | 'json'
  readonly matches: RegExp
  /** One event for a row of the file (all columns as text, or one parsed JSON line); `null` skips it. Must be deterministic, ids included. */
  readonly event: (row: Readonly<Record<string, unknown>>) => object | null
}
