export type {
  Collected,
  CollectedEvent,
  CollectItem,
  CollectList,
  Collector,
  CollectRequest,
  ListedItem,
  SourceAnswer,
  SourceClient,
  SourceRequest,
} from './model/collect.ts'
export type { Body, Row } from './model/schema.ts'
export {
  boolean,
  date,
  decimal,
  epoch,
  float64,
  int32,
  int64,
  json,
  list,
  nested,
  optional,
  record,
  text,
  timestamp,
} from './model/schema.ts'
export type { DataTest, UnitTest } from './model/sql-model.ts'
export type { Json, SyncItem, SyncRow } from './model/sync.ts'
export type { Upgrade, UpgradeOutcome } from './model/upgrade.ts'
export { type ConfigFile, defineConfig } from './orchestrator/settings.ts'
export type { CollectorPlan } from './pipeline/collector.ts'
export { type ChartOptions, chart, type DashboardOptions, dashboard } from './pipeline/dashboard.ts'
export {
  accepted,
  customSql,
  expression,
  freshness,
  notNull,
  relationship,
  rowCount,
  unique,
} from './pipeline/data-test.ts'
export type { DayFilesOptions, DayFilesPlan } from './pipeline/day-files.ts'
export { PlanError, type PlanProblem } from './pipeline/errors.ts'
export {
  addMillis,
  and,
  arrivalTime,
  choose,
  concat,
  type Expr,
  field,
  isoText,
  lower,
  not,
  or,
  processingTime,
  recordId,
  recordOffset,
  recordPartition,
  sql,
  traceId,
  trim,
  upper,
} from './pipeline/expression.ts'
export type { LabelOptions, LabelPlan } from './pipeline/label.ts'
export { liveFind, liveMeasures, liveSeries, liveSparklines } from './pipeline/live-blocks.ts'
export { sortBy, zOrder } from './pipeline/maintenance.ts'
export { merge, partitions, snapshot } from './pipeline/materialization.ts'
export type { ModelOptions } from './pipeline/model.ts'
export { avro, day, type PipelineBuilder, pipeline, type Topic } from './pipeline/pipeline.ts'
export type { StepContext } from './pipeline/plain-task.ts'
export type {
  FileLoaderPlan,
  FolderLoaderPlan,
  LoaderPlan,
  PipelinePlan,
  SimulatedFile,
  SimulatedRequest,
  SimulatorOptions,
  SimulatorPlan,
} from './pipeline/plan.ts'
export { type MysqlTableOptions, mysql, type PublishTarget } from './pipeline/publish.ts'
export { ReadRefusedError, type ReadStores, type SearchHit } from './pipeline/read.ts'
export type { Reference, ReferenceOptions } from './pipeline/reference.ts'
export { type Stream, union } from './pipeline/stream.ts'
export { clickhouse, graph, type SyncSource, vectors } from './pipeline/sync.ts'
export { postgres, type Target } from './pipeline/target.ts'
