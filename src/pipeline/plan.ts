import type { AggregatesShape } from '../model/aggregates.ts'
import type { Dashboard } from '../model/chart.ts'
import type { Columns } from '../model/column.ts'
import type { RecordSchema } from '../model/schema.ts'
import type { SqlModel } from '../model/sql-model.ts'
import type { Step } from '../model/step.ts'
import type { Upgrade } from '../model/upgrade.ts'
import type { CollectorPlan } from './collector.ts'
import type { DayFilesPlan } from './day-files.ts'
import type { LabelPlan } from './label.ts'
import type { MaintenancePlan } from './maintenance.ts'
import type { PlainTaskPlan } from './plain-task.ts'
import type { PublishPlan } from './publish.ts'
import type { ReadPlan } from './read.ts'
import type { SchedulePlan } from './schedule.ts'
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
  /** Read routes on the HTTP API. */
  readonly reads: readonly ReadPlan[]
  /** Tasks in plain TypeScript. */
  readonly plainTasks: readonly PlainTaskPlan[]
  readonly schedules: readonly SchedulePlan[]
  readonly maintenance: readonly MaintenancePlan[]
  readonly references: readonly ReferencePlan[]
  readonly documents: readonly DocumentsPlan[]
  readonly aggregates: readonly AggregatesPlan[]
  readonly collections: readonly CollectionPlan[]
  readonly warehouses: readonly WarehousePlan[]
  readonly dashboard?: Dashboard
  readonly queries: readonly URL[]
  readonly collector?: CollectorPlan
  readonly simulator?: SimulatorPlan
  readonly loaders: readonly LoaderPlan[]
  /** Day files that go straight into lake tables. */
  readonly files: readonly DayFilesPlan[]
  /** Tables of labels that a model or rules give. */
  readonly labels: readonly LabelPlan[]
  /** Lake tables that serving stores show as a whole. */
  readonly publishes: readonly PublishPlan[]
}

export interface TopicPlan {
  readonly name: string
  readonly schema: RecordSchema
  /** How values lie on the topic; JSON as it came when absent. */
  readonly codec?: TopicCodec
  /** Asked about records that the schema refuses. */
  readonly upgrade?: Upgrade
  readonly key?: string
  readonly id?: string
  readonly partitions: number
  readonly retentionMs?: number
  readonly retentionBytes?: number
}

/** Values as Avro under this name, by the topic's own schema. */
export interface TopicCodec {
  readonly kind: 'avro'
  readonly name: string
  readonly namespace: string
}

export interface IngestPlan {
  readonly path: string
  readonly topic: string
  readonly ack: 'durable' | 'accepted'
}

export interface TablePlan {
  /** `layer.name` */
  readonly name: string
  readonly topic: string
  /** Topics of the same schema whose records come along. */
  readonly alsoTopics: readonly string[]
  readonly steps: readonly Step[]
  readonly columns: Columns
  readonly format: 'delta' | 'iceberg'
  readonly partitionBy?: DayPartition
  /** One row for each value of this column: a row that comes again takes the older one's place. */
  readonly key?: string
  /** The format's own properties and any others, set when the table is made. */
  readonly properties?: Readonly<Record<string, string>>
  /** Whether the value as it was received is kept beside the columns, in `_raw`. */
  readonly keepRaw: boolean
}

/** One document for each row of a lake table, in the store of documents. */
export interface DocumentsPlan {
  /** A lake table that the pipeline keeps by key. */
  readonly from: string
  /** Column that names the document. */
  readonly id: string
  /** Of the document. */
  readonly columns: readonly string[]
  readonly collection: { readonly name: string; readonly indexes: readonly (readonly string[])[] }
}

/** A collection of documents that is replaced whole by what SQL yields. */
export interface CollectionPlan {
  readonly facts: DocumentsPlan['collection']
  readonly sql: URL | string
  /** Column that names the document. */
  readonly id: string
  /** Tables that are there before it is made. */
  readonly reads: readonly string[]
  readonly tags: readonly string[]
}

/** The lake's history in a warehouse, loaded by day. */
export interface WarehousePlan {
  readonly name: string
  /** A Delta table, whose commits say which days have changed. */
  readonly from: string
  /** Its column of days. */
  readonly day: string
  /** Other tables that are there before a load. */
  readonly reads: readonly string[]
  readonly tables: readonly WarehouseTablePlan[]
  readonly views: readonly { readonly name: string; readonly sql: string }[]
  readonly tags: readonly string[]
}

export interface WarehouseTablePlan {
  /** In the warehouse: `schema.table`. */
  readonly name: string
  /** Over tables of the lake, and `run.days` with the days to load as `day`. Yields the columns in their order. */
  readonly sql: URL | string
  readonly columns: Columns
  readonly load:
    | { readonly by: 'day'; readonly day: string }
    | { readonly by: 'key'; readonly key: string }
}

/** Aggregates of a lake table that are kept as it changes. */
export interface AggregatesPlan {
  readonly name: string
  /** A lake table of the pipeline. */
  readonly from: string
  readonly shape: AggregatesShape
  /** A collection of documents with the measures as they are now, one document for each period. */
  readonly collection?: string
}

/** Rows that somebody else changes, followed with all their versions. */
export interface ReferencePlan {
  readonly name: string
  /** In PostgreSQL. */
  readonly table: string
  readonly key: string
  /** Of the row, the key among them; `changedAt` is not. */
  readonly columns: Columns
  readonly changedAt: string
  /** `layer.name` of the lake table. */
  readonly history: string
  readonly migrations: URL
  readonly follow: FollowWay
  readonly pollIntervalMs: number
}

/** How a table is followed: by replication where the server offers it and else by asking, or one of the two. */
export type FollowWay = 'automatic' | 'replication' | 'polling'

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
  /** Rows of the pipeline's references, put in place before the first request. */
  readonly references?: () => Readonly<Record<string, readonly Readonly<Record<string, unknown>>[]>>
  /** What is sent to the front door. Default: nothing. */
  readonly requests?: (options: SimulatorOptions) => Iterable<SimulatedRequest>
  /** Day files that are written and then loaded. Default: none. */
  readonly files?: (options: SimulatorOptions) => Iterable<SimulatedFile>
}

/** A file of a simulated source. */
export interface SimulatedFile {
  /** Relative, with `/`: NDJSON as `.json` or `.json.gz`, or `.parquet` with the rows' own names and types. */
  readonly path: string
  /** One line each; a string is written as it is, and only into NDJSON. */
  readonly rows: Iterable<object | string>
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

/** How `mekong load` reads files: each for itself, or several together. */
export type LoaderPlan = FileLoaderPlan | FolderLoaderPlan

/** Turns rows of files into events, each file for itself. */
export interface FileLoaderPlan {
  readonly description: string
  readonly path: string
  readonly format: 'csv' | 'json'
  readonly matches: RegExp
  /**
   * One event for a row of the file (all columns as text, or one parsed JSON line); `null` skips it. Must be deterministic, ids included.
   * Default for JSON: the line as it is, byte for byte. CSV needs one.
   */
  readonly event?: (row: Readonly<Record<string, unknown>>) => object | null
}

/**
 * Turns files that belong together into events, by SQL: a folder, or all of its files given one by one. Files of the folder that no
 * relation names are left alone.
 */
export interface FolderLoaderPlan {
  readonly description: string
  readonly path: string
  readonly format: 'folder'
  /**
   * CSV files, which may be compressed, as relations for the SQL, all columns as text: those whose name matches, one after another. The
   * loader reads a folder in which each relation has at least one file.
   */
  readonly relations: Readonly<Record<string, RegExp>>
  /** Rows of the pipeline's references, put in place before the first event: the file yields the reference's own columns. */
  readonly references?: Readonly<Record<string, URL>>
  /** SQL that yields one column of text, each an event as JSON, in the order to send. Must be deterministic, ids included. */
  readonly events: URL
}
