import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { messageOf } from '../model/errors.ts'
import type { SqlModel, SqlSource } from '../model/sql-model.ts'
import type { ComputeEngine } from '../sql/duckdb/engine.ts'
import { ModelInvalidError } from '../sql/models/errors.ts'
import { inOrder } from '../sql/models/model-graph.ts'
import { type ReadModel, readModel, readTables } from '../sql/models/read-model.ts'

// The SQL of models, from their files.

/** A custom test's statement, and the tables it reads. */
export interface CustomTest {
  readonly sql: string
  readonly reads: readonly string[]
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
      const rows = materialize.kind === 'window' ? materialize.rows : undefined
      read.push(
        await readModel(connection, {
          ...{ model, sql },
          ...(touched === undefined ? {} : { touchedSql: await sqlText(touched, model.name) }),
          ...(rows === undefined ? {} : { rowsSql: await sqlText(rows, model.name) }),
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
