import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { compiledPlan } from '../../src/flow/compiled-plans.ts'
import { type LakeHome, openLakeHome, tableKey } from '../../src/flow/lake-home.ts'
import type { ModelLake } from '../../src/flow/model-lake.ts'
import { openModelLake } from '../../src/flow/open-model-lake.ts'
import { modelTasks } from '../../src/flow/run-model.ts'
import { createDeltaTable } from '../../src/lake/delta/create.ts'
import { type DeltaTable, openDeltaTable } from '../../src/lake/delta/table.ts'
import type { DeltaDeps } from '../../src/lake/delta/table-log.ts'
import { createIcebergTable } from '../../src/lake/iceberg/create.ts'
import { type IcebergTable, openIcebergTable } from '../../src/lake/iceberg/table.ts'
import { type Clock, systemClock, systemRandomness } from '../../src/model/clock.ts'
import type { Task, TaskContext, TaskReport } from '../../src/model/task.ts'
import { type PipelineBuilder, pipeline } from '../../src/pipeline/pipeline.ts'
import { type ComputeEngine, openComputeEngine } from '../../src/sql/duckdb/engine.ts'
import { openModelSession } from '../../src/sql/models/model-session.ts'

/** A lake in a temporary folder, with an engine, for running models on. */
export interface ModelHome extends AsyncDisposable {
  readonly folder: string
  readonly engine: ComputeEngine
  readonly delta: DeltaDeps
  readonly lake: ModelLake
  readonly lakeHome: LakeHome
  /** Add rows to a table, making it with their columns if need be. */
  add(name: string, select: string, options?: SourceOptions): Promise<DeltaTable | IcebergTable>
  table(name: string): Promise<DeltaTable>
  /** Rows of a query over `rows`, which is the table, as JSON values. */
  rows(name: string, query?: string): Promise<readonly (readonly unknown[])[]>
  tasks(describe: (p: PipelineBuilder) => void): Promise<readonly Task[]>
  /** Run all tasks in order; reports by task. */
  run(
    describe: (p: PipelineBuilder) => void,
    context?: Partial<TaskContext>,
  ): Promise<Record<string, TaskReport>>
}

export interface SourceOptions {
  readonly partitionBy?: readonly string[]
  readonly properties?: Readonly<Record<string, string>>
  /** Default: that of the home. */
  readonly format?: 'delta' | 'iceberg'
}

export const RUN_MS = Date.UTC(2026, 0, 10)

export const taskContext = (context: Partial<TaskContext> = {}): TaskContext => ({
  ...{ runId: 'run-1', logicalMs: RUN_MS, attempt: 1, fullRefresh: false },
  signal: new AbortController().signal,
  log: () => {},
  progress: () => {},
  ...context,
})

export interface ModelHomeOptions {
  /** Default: a new one, removed in the end. */
  readonly folder?: string
  /** Default: the system's. */
  readonly clock?: Clock
  /** Asked before and after every change of the lake; what it throws is thrown there, as if the process died. */
  readonly strike?: () => void
}

export async function openModelHome(
  defaultFormat: 'delta' | 'iceberg' = 'delta',
  options: ModelHomeOptions = {},
): Promise<ModelHome> {
  const folder = options.folder ?? (await mkdtemp(path.join(tmpdir(), 'mekong-models-')))
  const engine = await openComputeEngine({ spillDirectory: path.join(folder, 'spill') })
  const lakeHome = await openLakeHome({
    ...{ folder: path.join(folder, 'lake'), engine },
    ...{ clock: options.clock ?? systemClock, randomness: systemRandomness },
  })
  const { delta, iceberg } =
    options.strike === undefined ? lakeHome : mortal(lakeHome, options.strike)
  const lake = openModelLake({ ...lakeHome, delta, iceberg })
  const table = (name: string) => openDeltaTable(delta, tableKey(name))
  const tasks = (describe: (p: PipelineBuilder) => void) =>
    modelTasks({ engine, lake }, pipeline('models', inFormat(describe, defaultFormat)))
  return {
    ...{ folder, engine, delta, lake, table, tasks, lakeHome },
    async add(name, select, source = {}) {
      const session = await openModelSession(engine, { runTimeMs: RUN_MS })
      try {
        const rows = await session.rows(name, select)
        const { format = defaultFormat, partitionBy = [], properties = {} } = source
        const { columns } = rows
        if (format === 'iceberg') {
          const split = partitionBy.map((column) => ({ column }))
          await createIcebergTable(iceberg, name, {
            ...{ columns, partitionBy: split, properties, location: tableKey(name) },
          })
          const opened = await openIcebergTable(iceberg, name)
          await opened.commitAppend(await opened.prepareAppend(rows))
          return opened
        }
        await createDeltaTable(delta, tableKey(name), { name, columns, partitionBy, properties })
        const opened = await table(name)
        await opened.commitAppend(await opened.prepareAppend(rows))
        return opened
      } finally {
        await session.close()
      }
    },
    async rows(name, query = 'SELECT * FROM rows ORDER BY ALL') {
      const opened = await lake.open(name)
      const connection = await engine.connection()
      try {
        const result = await connection.run(
          `SELECT to_json(r)::VARCHAR FROM (WITH rows AS (${await compiledPlan(await opened!.plan(), engine)}) ${query}) AS r`,
        )
        const all = await result.getRows()
        return all.map(([json]) => Object.values(JSON.parse(json as string) as object))
      } finally {
        connection.close()
      }
    },
    async run(describe, context) {
      const reports: Record<string, TaskReport> = {}
      for (const task of await tasks(describe))
        reports[task.id] = await task.run(taskContext(context))
      return reports
    },
    async [Symbol.asyncDispose]() {
      lakeHome.close()
      engine.close()
      if (options.folder === undefined) await rm(folder, { recursive: true, force: true })
    },
  }
}

/** The same pipeline with its models in a format, unless they say one. */
const inFormat =
  (describe: (p: PipelineBuilder) => void, format: 'delta' | 'iceberg') => (p: PipelineBuilder) =>
    describe({
      ...p,
      model: (name, sql, options = {}) => p.model(name, sql, { format, ...options }),
    })

/** The same lake, asked at every step that changes it whether the process dies there. */
function mortal(
  { delta, iceberg }: LakeHome,
  strike: () => void,
): Pick<LakeHome, 'delta' | 'iceberg'> {
  const around = <T extends object>(what: T, methods: readonly (keyof T)[]): T =>
    new Proxy(what, {
      get(target, name) {
        const method = Reflect.get(target, name, target) as unknown
        if (typeof method !== 'function') return method
        if (!methods.includes(name as keyof T)) return method.bind(target) as unknown
        return async (...given: unknown[]) => {
          strike()
          const answer = (await Reflect.apply(method, target, given)) as unknown
          strike()
          return answer
        }
      },
    })
  const store = around(delta.store, ['put', 'putIfAbsent', 'putFile', 'remove'])
  return {
    delta: { ...delta, store },
    iceberg: { ...iceberg, store, catalog: around(iceberg.catalog, ['commit']) },
  }
}
