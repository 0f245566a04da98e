import type { Columns } from '../../model/column.ts'
import type { UnitRow, UnitTest } from '../../model/sql-model.ts'
import type { ComputeEngine } from '../duckdb/engine.ts'
import { quoteIdentifier } from '../duckdb/quote-identifier.ts'
import { ModelInvalidError } from './errors.ts'
import { inferredRowsSql, jsonRowsSql, jsonStructureSql } from './json-rows.ts'
import { madeRelations } from './made-relations.ts'
import { type ModelSession, openModelSession } from './model-session.ts'
import { emptyRowsSql } from './net-changes.ts'
import { INCOMING, type ReadModel, TOUCHED } from './read-model.ts'

export interface UnitTestOptions {
  readonly read: ReadModel
  readonly test: UnitTest
  /** View models that the model may read, by name. */
  readonly views: ReadonlyMap<string, ReadModel>
  /** Columns of a table that a pipeline declares. */
  readonly columnsOf: (table: string) => Columns | undefined
  readonly signal?: AbortSignal
}

export interface UnitTestResult {
  readonly passed: boolean
  /** Expected rows that did not come out, and rows that came out unexpected; as many of each as there are. */
  readonly missing: readonly UnitRow[]
  readonly surplus: readonly UnitRow[]
}

const RUN_TIME_DEFAULT = '2026-01-01T00:00:00Z'

/**
 * Run a model's SQL on rows given by hand and compare what comes out, in any order. Needs no lake.
 * @throws ModelInvalidError when a relation it reads is not given and its columns are not known; SqlError
 */
export async function runUnitTest(
  engine: ComputeEngine,
  { read, test, views, columnsOf, signal }: UnitTestOptions,
): Promise<UnitTestResult> {
  const runTimeMs = Date.parse(test.runTime ?? RUN_TIME_DEFAULT)
  const session = await openModelSession(engine, {
    ...{ runTimeMs, signal, parameters: read.model.parameters },
  })
  try {
    const give = giver(session, { read, test, views, columnsOf })
    const { model } = read
    if (model.incoming !== undefined) await give(INCOMING)
    for (const name of new Set([...read.namesTables, ...read.touchedTables])) await give(name)
    if (read.readsItself) await give(model.name)
    if (test.given[TOUCHED] !== undefined) await give(TOUCHED)
    else if (read.readsTouched || model.materialize.kind === 'window')
      await madeRelations(session, read)
    const made = await session.rows(model.name, read.sql)
    return await compare(session, made, test)
  } finally {
    await session.close()
  }
}

function giver(
  session: ModelSession,
  { read, test, views, columnsOf }: Omit<UnitTestOptions, 'signal'>,
): (relation: string) => Promise<void> {
  const { model } = read
  const made = new Set<string>()
  const give = async (relation: string): Promise<void> => {
    if (made.has(relation)) return
    made.add(relation)
    const rows = test.given[relation]
    const columns =
      relation === model.name
        ? model.columns
        : columnsOf(relation === INCOMING ? model.incoming! : relation)
    if (typeof rows === 'string') return session.view(relation, rows)
    const view = views.get(relation)
    if (rows === undefined && view !== undefined) {
      for (const under of view.reads) await give(under)
      return session.view(relation, view.sql)
    }
    if (columns !== undefined)
      return session.view(
        relation,
        rows === undefined || rows.length === 0
          ? emptyRowsSql(columns)
          : jsonRowsSql(rows, columns),
      )
    if (rows === undefined || rows.length === 0)
      throw new ModelInvalidError(
        `The unit test "${test.name}" of ${model.name} gives no rows of ${relation}, and its columns are declared nowhere. ` +
          `Give some, or a SELECT that yields none: "SELECT NULL::BIGINT AS id WHERE false".`,
      )
    const [[structure]] = (await session.read(jsonStructureSql(rows))) as [[string]]
    return session.view(relation, inferredRowsSql(rows, structure))
  }
  return give
}

async function compare(
  session: ModelSession,
  made: { readonly name: string; readonly columns: Columns },
  test: UnitTest,
): Promise<UnitTestResult> {
  const names = new Set(test.expect.flatMap((row) => Object.keys(row)))
  const unknown = [...names].filter((name) => !made.columns.some((column) => column.name === name))
  if (unknown.length > 0)
    throw new ModelInvalidError(
      `The unit test "${test.name}" expects ${unknown.join(', ')}, which the model does not yield. Its columns are ${made.columns.map(({ name }) => name).join(', ')}.`,
    )
  const columns =
    names.size === 0 ? made.columns : made.columns.filter(({ name }) => names.has(name))
  const list = columns.map(({ name }) => quoteIdentifier(name)).join(', ')
  await session.table(
    'expected_rows',
    test.expect.length === 0 ? emptyRowsSql(columns) : jsonRowsSql(test.expect, columns),
  )
  const difference = async (a: string, b: string) => {
    const rows = await session.read(
      `SELECT to_json(d)::VARCHAR FROM (SELECT ${list} FROM ${a} EXCEPT ALL SELECT ${list} FROM ${b}) AS d ORDER BY ALL`,
    )
    return rows.map(([json]) => JSON.parse(json as string) as UnitRow)
  }
  const missing = await difference('expected_rows', made.name)
  const surplus = await difference(made.name, 'expected_rows')
  return { passed: missing.length + surplus.length === 0, missing, surplus }
}
