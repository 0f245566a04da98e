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
export { type ConfigFile, defineConfig } from './orchestrator/settings.ts'
export type { DayFilesOptions, DayFilesPlan } from './pipeline/day-files.ts'
export { PlanError, type PlanProblem } from './pipeline/errors.ts'
export {
  and,
  arrivalTime,
  concat,
  type Expr,
  lower,
  not,
  or,
  processingTime,
  recordId,
  trim,
  upper,
} from './pipeline/expression.ts'
export { day, type PipelineBuilder, pipeline, type Topic } from './pipeline/pipeline.ts'
export type {
  LoaderPlan,
  PipelinePlan,
  SimulatedRequest,
  SimulatorOptions,
  SimulatorPlan,
} from './pipeline/plan.ts'
export type { Stream } from './pipeline/stream.ts'
export { postgres, type Target } from './pipeline/target.ts'
