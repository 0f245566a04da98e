import { existsSync, globSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, test } from 'vitest'
import { modelTasks } from '../../src/flow/run-model.ts'
import type { Task } from '../../src/model/task.ts'
import type { PipelinePlan } from '../../src/pipeline/plan.ts'
import { type ModelHome, openModelHome, taskContext } from '../flow/model-home.ts'
import { ensureService } from '../services.ts'
import { SEEDS } from './model-seeds.ts'

/**
 * Goal: a model says the same on both engines. Method: the models of every pipeline run on DuckDB in one lake and on Spark in another, over the
 * same rows, first half of them and then all; the tables must be equal to the row. Views are kept as tables for that.
 */
const ROOT = path.resolve(import.meta.dirname, '../..')
const EVENTS = path.join(ROOT, '../shared/data/github-events')
const spark = await ensureService('spark-connect')

const plans = await Promise.all(
  globSync('pipelines/*/pipeline.ts', { cwd: ROOT }).map(
    async (file) =>
      ((await import(pathToFileURL(path.join(ROOT, file)).href)) as { default: PipelinePlan })
        .default,
  ),
)

describe.skipIf('skip' in spark || !existsSync(EVENTS))('models on Spark', () => {
  const url = 'skip' in spark ? '' : spark.environment.SPARK_REMOTE!
  for (const plan of plans.filter(({ models }) => models.length > 0))
    test(`those of ${plan.name} make the same tables as on DuckDB`, {
      timeout: 600_000,
    }, async () => {
      await using here = await openModelHome()
      await using there = await openModelHome()
      const tasksIn = ({ engine, lake, folder }: ModelHome, on: 'duckdb' | 'spark') =>
        modelTasks(
          { engine, lake, spark: { url, folder: path.join(folder, 'handed') } },
          {
            ...plan,
            models: plan.models.map((model) => ({
              ...model,
              engine: on,
              ...(model.materialize.kind === 'view' ? AS_TABLE : {}),
              tests: [],
            })),
          },
        )
      for (const half of [0, 1] as const) {
        const compared: string[] = []
        const tasks = [await tasksIn(here, 'duckdb'), await tasksIn(there, 'spark')] as const
        for (const home of [here, there]) await seed(home, tasks[0], half)
        for (const task of tasks[0]) await task.run(taskContext())
        for (const task of tasks[1]) {
          await task.run(taskContext())
          const rows = await here.rows(task.id)
          expect(rows, task.id).not.toHaveLength(0)
          expect(await there.rows(task.id), task.id).toEqual(rows)
          compared.push(task.id)
        }
        expect(compared.toSorted()).toEqual(plan.models.map(({ name }) => name).toSorted())
      }
    })
})

/** Names with spaces need names of their own in the files. */
const AS_TABLE = {
  materialize: { kind: 'table' },
  properties: { 'delta.columnMapping.mode': 'name' },
} as const

/** Rows into the tables that no model makes. */
async function seed(home: ModelHome, tasks: readonly Task[], half: 0 | 1): Promise<void> {
  const made = new Set(tasks.map(({ id }) => id))
  const read = new Set(tasks.flatMap(({ after }) => after))
  for (const table of read) if (!made.has(table)) await home.add(table, SEEDS[table]!(half))
}
