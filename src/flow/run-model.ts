import type { Task, TaskContext, TaskReport } from '../model/task.ts'
import type { PipelinePlan } from '../pipeline/plan.ts'
import type { ComputeEngine } from '../sql/duckdb/engine.ts'
import { TestsFailedError } from '../sql/models/errors.ts'
import type { ReadModel } from '../sql/models/read-model.ts'
import type { SparkPlace } from '../sql/models/rows-of-spark.ts'
import { type BuildOutcome, buildModel } from './build-model.ts'
import type { ModelLake } from './model-lake.ts'
import type { LineageEmitter } from './open-lineage.ts'
import { readCustomTests, readModels, viewsOf } from './read-models.ts'
import { lineageTeller } from './tell-lineage.ts'
import { graveFailures, type TestResult, testModel } from './test-model.ts'

// SQL models as tasks. In: a pipeline's plan. Out: one task for each model, knowing what it has to wait for. What a run
// does is in `build-model.ts`; what a crash leaves is told there.

export interface ModelWorld {
  /** Models run here; the lake's tables are written by the same one. */
  readonly engine: ComputeEngine
  readonly lake: ModelLake
  /** Where models with `engine: 'spark'` run. */
  readonly spark?: SparkPlace | undefined
  /** Told of every run. Default: nobody. */
  readonly lineage?: LineageEmitter | undefined
}

/** The models of a pipeline as tasks, each after those it reads. @throws ModelInvalidError, SqlError, QueryRefusedError */
export async function modelTasks(world: ModelWorld, plan: PipelinePlan): Promise<readonly Task[]> {
  const models = await readModels(world.engine, plan.models)
  const views = viewsOf(models)
  return models.map((read): Task => {
    const { name, tags } = read.model
    return {
      id: name,
      pipeline: plan.name,
      kind: 'model',
      after: read.reads,
      tags,
      writes: [name],
      run: (context) => runTold(world, plan, { pipeline: plan.name, read, views, context }),
    }
  })
}

interface ModelRun {
  readonly pipeline: string
  readonly read: ReadModel
  readonly views: ReadonlyMap<string, ReadModel>
  readonly context: TaskContext
}

/** Run a model and tell of it where somebody wants to know. @throws TestsFailedError when a test of severity `error` found rows */
async function runTold(world: ModelWorld, plan: PipelinePlan, run: ModelRun): Promise<TaskReport> {
  const { lineage } = world
  const teller = lineage === undefined ? undefined : lineageTeller({ ...world, lineage }, plan, run)
  await teller?.started()
  const { outcome, report, results } = await runModel(world, run).catch(async (error: unknown) => {
    await teller?.failed(error)
    throw error
  })
  await teller?.completed(outcome, results)
  const failures = graveFailures(results)
  if (failures.length > 0)
    throw new TestsFailedError(
      run.read.model.name,
      failures.map(({ test, failingCount }) => ({ test: test.name, failingCount })),
    )
  return report
}

interface ModelRan {
  readonly report: TaskReport
  readonly outcome: BuildOutcome | undefined
  readonly results: readonly TestResult[]
}

/** Build, then test what was built; also what an earlier run built and did not come to test. */
async function runModel({ engine, lake, spark }: ModelWorld, run: ModelRun): Promise<ModelRan> {
  const isView = run.read.model.materialize.kind === 'view'
  const outcome = isView ? undefined : await buildModel({ engine, lake, spark, ...run })
  const report: TaskReport =
    outcome === undefined ? { status: 'nothing_new', facts: {} } : reportOf(outcome)
  const custom = await readCustomTests(engine, run.read.model)
  const results = await testModel({ engine, lake, custom, ...run })
  if (results.length === 0) return { report, outcome, results }
  const warned = results.filter(({ failingCount }) => failingCount > 0).length
  const facts = { ...report.facts, tests: results.length, tests_warned: warned }
  return { report: { ...report, facts }, outcome, results }
}

/** A run in numbers. */
function reportOf(outcome: BuildOutcome): TaskReport {
  if (outcome.status === 'waiting')
    return { status: 'nothing_new', facts: { waiting_for: outcome.table } }
  const versions = Object.fromEntries(
    outcome.reads.flatMap(({ table, from, to }) => [
      [`${table}.from_version`, from],
      [`${table}.to_version`, to],
    ]),
  )
  if (outcome.status === 'nothing_new') return { status: 'nothing_new', facts: versions }
  const { decision, written } = outcome
  return {
    status: 'done',
    facts: {
      build: decision.kind,
      ...(decision.kind === 'whole' ? { why: decision.why } : {}),
      ...versions,
      rows_in: outcome.rowsIn ?? null,
      rows_gone: outcome.rowsGone,
      ...(outcome.partitions === undefined ? {} : { partitions: outcome.partitions }),
      rows_made: outcome.rowsMade,
      rows_added: written.rowsAdded,
      rows_changed: written.rowsChanged,
      rows_removed: written.rowsRemoved,
      files_read: outcome.filesRead,
      bytes_read: outcome.bytesRead,
      files_written: written.filesWritten,
      files_removed: written.filesRemoved,
      bytes_written: written.bytesWritten,
      version: written.version,
    },
  }
}
