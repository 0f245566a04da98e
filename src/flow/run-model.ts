import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { messageOf } from '../model/errors.ts'
import type { SqlModel, SqlSource } from '../model/sql-model.ts'
import type { Task, TaskContext, TaskReport } from '../model/task.ts'
import type { PipelinePlan } from '../pipeline/plan.ts'
import type { ComputeEngine } from '../sql/duckdb/engine.ts'
import { ModelInvalidError } from '../sql/models/errors.ts'
import { inOrder } from '../sql/models/model-graph.ts'
import { type ReadModel, readModel, readTables } from '../sql/models/read-model.ts'
import { type BuildOutcome, buildModel } from './build-model.ts'
import type { ModelLake } from './model-lake.ts'
import { type CustomTest, testModel } from './test-model.ts'

// SQL models as tasks. In: a pipeline's plan. Out: one task for each model, knowing what it has to wait for. What a run
// does is in `build-model.ts`; what a crash leaves is told there.

export interface ModelWorld {
  /** Models run here; the lake's tables are written by the same one. */
  readonly engine: ComputeEngine
  readonly lake: ModelLake
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
      run: (context) => runModel(world, { pipeline: plan.name, read, views, context }),
    }
  })
}

/** The view models among some, by name. */
export const viewsOf = (models: readonly ReadModel[]): ReadonlyMap<string, ReadModel> =>
  new Map(
    models.flatMap((read) =>
      read.model.materialize.kind === 'view' ? [[read.model.name, read] as const] : [],
    ),
  )

/** Models with what their SQL says, each after those it reads. */
export async function readModels(
  engine: ComputeEngine,
  models: readonly SqlModel[],
): Promise<readonly ReadModel[]> {
  const connection = await engine.connection()
  try {
    const read: ReadModel[] = []
    for (const model of models) {
      const { materialize } = model
      const sql = await sqlText(model.sql, model.name)
      const touched = materialize.kind === 'partitions' ? materialize.touched : undefined
      read.push(
        await readModel(connection, {
          ...{ model, sql },
          ...(touched === undefined ? {} : { touchedSql: await sqlText(touched, model.name) }),
        }),
      )
    }
    return inOrder(read, ({ model, reads }) => ({ name: model.name, reads }))
  } finally {
    connection.close()
  }
}

async function sqlText(source: SqlSource, model: string): Promise<string> {
  if (typeof source === 'string') return source.replace(/[;\s]+$/, '')
  try {
    return (await readFile(fileURLToPath(source), 'utf8')).replace(/[;\s]+$/, '')
  } catch (error) {
    throw new ModelInvalidError(`The SQL of ${model} cannot be read: ${messageOf(error)}.`, {
      cause: error,
    })
  }
}

/** Build, then test what was built; also what an earlier run built and did not come to test. */
async function runModel(
  { engine, lake }: ModelWorld,
  run: {
    readonly pipeline: string
    readonly read: ReadModel
    readonly views: ReadonlyMap<string, ReadModel>
    readonly context: TaskContext
  },
): Promise<TaskReport> {
  const isView = run.read.model.materialize.kind === 'view'
  const report: TaskReport = isView
    ? { status: 'nothing_new', facts: {} }
    : reportOf(await buildModel({ engine, lake, ...run }))
  const custom = await readCustomTests(engine, run.read.model)
  const results = await testModel({ engine, lake, custom, ...run })
  if (results.length === 0) return report
  const warned = results.filter(({ failingCount }) => failingCount > 0).length
  return { ...report, facts: { ...report.facts, tests: results.length, tests_warned: warned } }
}

/** The SQL of a model's custom tests, by name. */
export async function readCustomTests(
  engine: ComputeEngine,
  model: SqlModel,
): Promise<ReadonlyMap<string, CustomTest>> {
  const custom = new Map<string, CustomTest>()
  for (const test of model.tests) {
    if (test.kind !== 'custom') continue
    const sql = await sqlText(test.sql, `the test ${test.name} of ${model.name}`)
    const connection = await engine.connection()
    try {
      custom.set(test.name, { sql, reads: await readTables(connection, test.name, sql) })
    } finally {
      connection.close()
    }
  }
  return custom
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
