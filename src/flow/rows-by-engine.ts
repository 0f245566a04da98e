import { ModelInvalidError } from '../sql/models/errors.ts'
import { INCOMING, TOUCHED } from '../sql/models/read-model.ts'
import { rowsOfSpark, type SparkPlace, type SparkRelation } from '../sql/models/rows-of-spark.ts'
import type { ModelRun, RunSql } from './model-run.ts'

/** The engine that a model's statements run on: DuckDB where the session is, or a Spark that is handed what they read. */
export function rowsByEngine(run: ModelRun, spark: SparkPlace | undefined): RunSql {
  const { model, session, context } = run
  if (model.engine === 'duckdb') return (sql) => session.rows(model.name, sql)
  if (spark === undefined)
    throw new ModelInvalidError(
      `${model.name} runs on Spark, and no Spark is named. Set SPARK_REMOTE, such as sc://127.0.0.1:15002, or leave engine out.`,
    )
  return (sql, also = []) =>
    rowsOfSpark(session, spark, {
      ...{ model: model.name, sql },
      relations: [...namedRelations(run), ...also],
      ...{ runTimeMs: context.logicalMs, parameters: model.parameters, signal: context.signal },
    })
}

/** What a model's statements may name, those that others name first. */
function namedRelations({ model, read, views, decision }: ModelRun): readonly SparkRelation[] {
  const relations = new Map<string, SparkRelation>()
  const add = (name: string) => {
    if (relations.has(name)) return
    const view = views.get(name)
    for (const under of view?.reads ?? []) add(under)
    relations.set(name, view === undefined ? { name } : { name, viewSql: view.sql })
  }
  for (const name of read.namesTables) add(name)
  if (read.readsItself) add(model.name)
  if (read.readsIncoming) add(INCOMING)
  if (model.materialize.kind === 'partitions' && (decision.kind !== 'whole' || read.readsTouched))
    add(TOUCHED)
  return [...relations.values()]
}
