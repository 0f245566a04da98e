import type { Task, TaskContext, TaskReport } from '../model/task.ts'
import type { PipelinePlan } from '../pipeline/plan.ts'
import type { PublishPlan } from '../pipeline/publish.ts'
import type { TablePublisher } from '../serve/table-publisher.ts'
import type { ComputeEngine } from '../sql/duckdb/engine.ts'
import { measureRows, selectRows } from '../sql/duckdb/select-rows.ts'
import { compiledPlan } from './compiled-plans.ts'
import type { ModelLake } from './model-lake.ts'

// Whole lake tables into a serving store. Comes in: one version of a table. Goes out: the same rows under a name that readers know, replaced in one step. The store
// notes with the table which version it holds; a version that is there is not sent again. A crash leaves the table as it was.

export interface PublishWorld {
  readonly engine: ComputeEngine
  readonly lake: ModelLake
  readonly publisher: () => TablePublisher
}

/** The published tables of a pipeline as tasks, each after the model that makes its table. */
export function publishTasks(world: PublishWorld, plan: PipelinePlan): readonly Task[] {
  return plan.publishes.map((publish): Task => {
    const id = publishTaskId(plan.name, publish)
    return {
      ...{ id, pipeline: plan.name, kind: 'publish', tags: publish.tags },
      ...{ after: [publish.from], writes: [id] },
      run: (context) => publishTable(world, publish, context),
    }
  })
}

export const publishTaskId = (pipeline: string, { target }: PublishPlan): string =>
  `publish/${pipeline}/${target.table}`

async function publishTable(
  { engine, lake, publisher }: PublishWorld,
  { from, target }: PublishPlan,
  { signal, fullRefresh }: Pick<TaskContext, 'signal' | 'fullRefresh'>,
): Promise<TaskReport> {
  const table = await lake.open(from)
  if (table === undefined) return { status: 'nothing_new', facts: { waiting_for: from } }
  const store = publisher()
  try {
    const { id, version, columns } = table
    const there = await store.published(target.table, signal)
    if (!fullRefresh && there?.id === id && there.version === version)
      return { status: 'nothing_new', facts: { store: store.name, version, rows: there.rows } }
    const select = await compiledPlan(await table.plan(), engine)
    const { count, textLengths } = await measureRows(engine, select, columns, signal)
    const rows = selectRows(engine, select, columns)
    const { key, indexes } = target
    await store.replace(
      {
        ...{ table: target.table, columns, key, indexes, textLengths },
        source: { id, version, rows: count },
      },
      { count, csv: () => rows.csv(signal), chunks: () => rows.chunks(signal) },
      signal,
    )
    return { status: 'done', facts: { store: store.name, version, rows: count } }
  } finally {
    await store.close()
  }
}
