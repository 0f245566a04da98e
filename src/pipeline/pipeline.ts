import type { Dashboard } from '../model/chart.ts'
import {
  type Body,
  columnsOf,
  type FieldMap,
  type RecordSchema,
  type Row,
} from '../model/schema.ts'
import type { SqlModel } from '../model/sql-model.ts'
import type { Upgrade } from '../model/upgrade.ts'
import type { CollectorPlan } from './collector.ts'
import { type DayFilesOptions, type DayFilesPlan, dayFilesPlan } from './day-files.ts'
import {
  type AggregatesOptions,
  type CollectionOptions,
  type DocumentsOptions,
  type WarehouseOptions,
  warehousePlan,
} from './following.ts'
import type { LabelOptions, LabelPlan } from './label.ts'
import { type MaintenanceOptions, type MaintenancePlan, maintenancePlan } from './maintenance.ts'
import { type ModelOptions, modelPlan } from './model.ts'
import { type PlainTaskOptions, type PlainTaskPlan, plainTaskPlan } from './plain-task.ts'
import type {
  AggregatesPlan,
  CollectionPlan,
  DayPartition,
  DocumentsPlan,
  IngestPlan,
  LoaderPlan,
  PipelinePlan,
  ReferencePlan,
  ServePlan,
  SimulatorPlan,
  TablePlan,
  TopicCodec,
  TopicPlan,
  WarehousePlan,
} from './plan.ts'
import type { PublishPlan, PublishTarget } from './publish.ts'
import type { ReadOptions, ReadParameter, ReadPlan } from './read.ts'
import { type Reference, type ReferenceOptions, referencePlan } from './reference.ts'
import { type ScheduleOptions, type SchedulePlan, schedulePlan } from './schedule.ts'
import { type Rows, type Stream, stream } from './stream.ts'
import type { SyncOptions, SyncPlan } from './sync.ts'
import type { Target } from './target.ts'
import { checkedPlan } from './validate.ts'

// The authoring API. Comes in: a function that describes a pipeline. Goes out: a frozen, validated
// PipelinePlan. Nothing here opens, reads or starts anything, so a pipeline is a module that can be
// imported by anyone, at any time, for any purpose.

/** A topic of a pipeline: a stream of the records appended to it, and the name to ingest into. */
export interface Topic<R, B> extends Stream<R> {
  /** Exists for the compiler only. */
  readonly _body?: B
}

export interface TopicOptions<Fields extends FieldMap> {
  readonly value: RecordSchema<Fields>
  /** Field whose value is the record's key, nested ones as `repo.id`: records with one key keep their order. */
  readonly key?: (keyof Fields & string) | `${keyof Fields & string}.${string}`
  /** Field whose value is the record's id: the same id is the same record. Without one an id is assigned on arrival. */
  readonly id?: keyof Fields & string
  /**
   * Keep values as Avro on the topic, under this name: smaller, and readable by whoever has the schema, which is registered in the topic
   * `mekong.schemas`. Fields that the schema does not name are not kept then. Default: the JSON as it came.
   */
  readonly codec?: TopicCodec
  /** Brings records of older shapes into this one, at the front door; what it cannot is kept as dead letters. Default: none are known. */
  readonly upgrade?: Upgrade
  /** Default 3. Cannot change once the topic exists. */
  readonly partitions?: number
  readonly retention?: { readonly days?: number; readonly gigabytes?: number }
}

export interface TableOptions<R> {
  readonly from: Rows<R>
  /** Delta tables are known by their folder, Iceberg tables by the lake's catalog. Cannot change once the table exists. Default `delta`. */
  readonly format?: 'delta' | 'iceberg'
  readonly partitionBy?: DayPartition & { readonly column: keyof R & string }
  /** For rows that are joined with references: one row for each value, written anew when the reference changes what it says. */
  readonly key?: keyof R & string
  /** The format's own properties and any others, such as `write.target-file-size-bytes`; set when the table is made. */
  readonly properties?: Readonly<Record<string, string>>
  /** Keep the value as it was received in `_raw`; false saves its bytes where the columns hold all that counts. Default true. */
  readonly keepRaw?: boolean
}

/** Every column of the target with its type, and no other: an extra column is a mistake as much as a missing one. */
type Exactly<R, T> = T & { readonly [Name in Exclude<keyof R, keyof T>]: never }

export interface IngestOptions {
  /**
   * When a record is answered. `durable`: once it is on disk, or acknowledged by all replicas. `accepted`: as soon as it is judged and waits in
   * memory; faster, and lost if the process dies before it is written. The answer says `"durable":false` then. Default `durable`.
   */
  readonly ack?: 'durable' | 'accepted'
}

/** What a pipeline can say about itself. */
export interface PipelineBuilder {
  /** A partitioned, durable, replayable log of records. */
  topic<const Fields extends FieldMap>(
    name: string,
    options: TopicOptions<Fields>,
  ): Topic<Row<RecordSchema<Fields>>, Body<RecordSchema<Fields>>>

  /** Accept records for a topic at `POST path` (and at `/v1/topics/<topic>`). */
  ingest<R, B>(path: string, topic: Topic<R, B>, options?: IngestOptions): void

  /** Keep the rows of a stream in a lake table named `layer.name`, each exactly once. */
  table<R>(name: string, options: TableOptions<R>): void

  /** Rows in PostgreSQL that others change, followed with all their versions and kept in the lake, for joins. */
  reference<const Fields extends FieldMap>(
    name: string,
    options: ReferenceOptions<Fields>,
  ): Reference<Row<RecordSchema<Fields>>>
  /**
   * A table or view made by SQL, in a file of its own: `new URL('./models/x.sql', import.meta.url)`. What it reads is found by parsing.
   */
  model(name: string, sql: URL | string, options?: ModelOptions): void

  /** Keep the rows of a stream in a serving store, each exactly once. */
  serve<R extends Exactly<R, T>, T>(rows: Rows<R>, target: Target<T>): void

  /** One document for each row of a lake table of this pipeline, following its changes: in PostgreSQL, or MongoDB when there is one. */
  documents(collection: string, options: DocumentsOptions): void

  /** A collection of documents made by SQL, replaced whole and at once by a task, also when nothing is in it. */
  collection(name: string, options: CollectionOptions): void

  /** Days of the lake into the warehouse by a task, each day as a whole and again when it changes: a DuckDB file, Snowflake or BigQuery. */
  warehouse(name: string, options: WarehouseOptions): void

  /** Counts and sums of a lake table of this pipeline, kept as it changes and read over HTTP in a few milliseconds, however large it is. */
  aggregates(name: string, options: AggregatesOptions): void
  /** Let a store follow tables by their changes: only what differs is sent, deletes included. */
  sync(name: string, options: SyncOptions): void

  /** Answer `GET path`, below `/v1/<pipeline>/`, from the lake, the graph and the vectors. */
  read<const Query extends Readonly<Record<string, ReadParameter>>>(
    path: string,
    options: ReadOptions<Query>,
  ): void

  /** A task in plain TypeScript, for what is neither model, sync nor maintenance. */
  step(name: string, options: PlainTaskOptions): void

  /** Run tasks of this pipeline at the moments of a cron expression, one run at a time. */
  schedule(name: string, options: ScheduleOptions): void

  /**
   * Keep a lake table in shape: put small files together, forget old versions, remove what no version needs. Bronze tables that are not
   * named get `DEFAULT_MAINTENANCE`, unless the setting `maintenance` is `off`.
   */
  maintain(table: string, options?: MaintenanceOptions): void
  /** Keep day files in a lake table, each day exactly once; a day that is sent again replaces that day. */
  files<const Fields extends FieldMap>(name: string, options: DayFilesOptions<Fields>): void

  /** Show a lake table in a serving store, replaced at once whenever the lake has a newer version. */
  publish(
    from: string,
    target: PublishTarget,
    options?: { readonly tags?: readonly string[] },
  ): void

  /** Keep labels for texts in a lake table, each text asked once. */
  label(name: string, options: LabelOptions): void

  /** A folder of `.sql` files for people, run with `mekong sql --query <pipeline>/<file>`. */
  queries(folder: URL): void

  /** A page of charts for this pipeline. */
  dashboard(dashboard: Dashboard): void

  /** How `mekong collect` fetches this pipeline's records from a source on the network. */
  collect(collector: CollectorPlan): void

  /** How `mekong demo` plays this pipeline's source. */
  simulate(simulator: SimulatorPlan): void

  /** How `mekong load` reads files into this pipeline. */
  load(loader: LoaderPlan): void
}

/** Values of a topic as Avro: a name and a namespace such as `com.github.events`. */
export const avro = (name: { readonly name: string; readonly namespace: string }): TopicCodec =>
  Object.freeze({ kind: 'avro', ...name })

/** Lay rows by the UTC day of an instant, in a column named `event_date` unless told otherwise. */
export function day<const Name extends string>(
  column: Name,
  options: { readonly as?: string } = {},
): DayPartition & { readonly column: Name } {
  return Object.freeze({ transform: 'day', column, as: options.as ?? 'event_date' })
}

/**
 * Describe a pipeline. The plan is validated at once.
 * @throws PlanError with every problem found: where, what, and how to fix it
 */
export function pipeline(name: string, describe: (p: PipelineBuilder) => void): PipelinePlan {
  const topics: TopicPlan[] = []
  const ingests: IngestPlan[] = []
  const tables: TablePlan[] = []
  const models: SqlModel[] = []
  const serves: ServePlan[] = []
  const syncs: SyncPlan[] = []
  const reads: ReadPlan[] = []
  const plainTasks: PlainTaskPlan[] = []
  const schedules: SchedulePlan[] = []
  const maintenance: MaintenancePlan[] = []
  const references: ReferencePlan[] = []
  const documents: DocumentsPlan[] = []
  const aggregates: AggregatesPlan[] = []
  const collections: CollectionPlan[] = []
  const warehouses: WarehousePlan[] = []
  const dashboards: Dashboard[] = []
  const queries: URL[] = []
  const collectors: CollectorPlan[] = []
  const simulators: SimulatorPlan[] = []
  const loaders: LoaderPlan[] = []
  const files: DayFilesPlan[] = []
  const labels: LabelPlan[] = []
  const publishes: PublishPlan[] = []

  describe({
    topic<const Fields extends FieldMap>(topicName: string, options: TopicOptions<Fields>) {
      const { value, key, id, codec, upgrade, partitions = 3, retention = {} } = options
      topics.push({
        name: topicName,
        schema: value,
        partitions,
        ...(key === undefined ? {} : { key }),
        ...(id === undefined ? {} : { id }),
        ...(codec === undefined ? {} : { codec }),
        ...(upgrade === undefined ? {} : { upgrade }),
        ...(retention.days === undefined ? {} : { retentionMs: retention.days * 86_400_000 }),
        ...(retention.gigabytes === undefined ? {} : { retentionBytes: retention.gigabytes * 1e9 }),
      })
      return stream<Row<RecordSchema<Fields>>>(topicName, columnsOf(value))
    },
    ingest: (path, topic, { ack = 'durable' } = {}) =>
      void ingests.push({ path, topic: topic.topic, ack }),
    table(tableName, { from, format = 'delta', partitionBy, key, properties, keepRaw = true }) {
      const { topic, alsoTopics, steps, columns } = from
      tables.push({
        name: tableName,
        topic,
        alsoTopics,
        steps,
        columns,
        format,
        keepRaw,
        ...(partitionBy === undefined ? {} : { partitionBy }),
        ...(key === undefined ? {} : { key }),
        ...(properties === undefined ? {} : { properties }),
      })
    },
    reference(referenceName, options) {
      const plan = referencePlan(referenceName, options)
      references.push(plan)
      return Object.freeze({ plan })
    },
    model: (modelName, sql, options = {}) => void models.push(modelPlan(modelName, sql, options)),
    serve(rows, target) {
      serves.push({
        name: `${target.store}.${target.table}`,
        topic: rows.topic,
        alsoTopics: rows.alsoTopics,
        steps: rows.steps,
        columns: rows.columns,
        target,
      })
    },
    documents: (collection, { from, id, columns, indexes = [] }) =>
      void documents.push({ from, id, columns, collection: { name: collection, indexes } }),
    collection: (collectionName, { sql, id, reads, indexes = [], tags = [] }) =>
      void collections.push({ facts: { name: collectionName, indexes }, sql, id, reads, tags }),
    warehouse: (warehouseName, options) =>
      void warehouses.push(warehousePlan(warehouseName, options)),
    aggregates: (aggregatesName, { from, collection, ...shape }) =>
      void aggregates.push({
        ...{ name: aggregatesName, from, shape },
        ...(collection === undefined ? {} : { collection }),
      }),
    sync: (syncName, { target, from, tags = [] }) =>
      void syncs.push({ name: syncName, target, from, tags }),
    read: (path, { query, ...options }) =>
      void reads.push({ path, query: query ?? {}, ...options } as ReadPlan),
    step: (taskName, options) => void plainTasks.push(plainTaskPlan(taskName, options)),
    schedule: (schedule, options) => void schedules.push(schedulePlan(schedule, options)),
    maintain: (table, options = {}) => void maintenance.push(maintenancePlan(table, options)),
    files: (filesName, options) => void files.push(dayFilesPlan(filesName, options)),
    publish: (from, target, { tags = [] } = {}) => void publishes.push({ from, target, tags }),
    label: (table, options) => void labels.push({ tags: [], ...options, name: table }),
    dashboard: (page) => void dashboards.push(page),
    queries: (folder) => void queries.push(folder),
    collect: (collector) => void collectors.push(collector),
    simulate: (simulator) => void simulators.push(simulator),
    load: (loader) => void loaders.push(loader),
  })

  return checkedPlan({
    ...{ name, topics, ingests, tables, models, serves, references, documents, aggregates },
    ...{ collections, warehouses, files, labels, publishes, syncs, reads },
    ...{ plainTasks, schedules, maintenance, dashboards, queries, collectors, simulators, loaders },
  })
}
