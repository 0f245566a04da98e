import { createHash } from 'node:crypto'
import type { Columns } from '../model/column.ts'
import type { DataTest, Severity } from '../model/sql-model.ts'
import type { TaskContext } from '../model/task.ts'
import type { ComputeEngine } from '../sql/duckdb/engine.ts'
import {
  failingRowsSql,
  rowCondition,
  rowConditionsSql,
  severityOf,
  TESTED,
  TESTED_NEW,
} from '../sql/models/data-test-sql.ts'
import { ModelInvalidError } from '../sql/models/errors.ts'
import { jsonRowsSql } from '../sql/models/json-rows.ts'
import { type ModelSession, openModelSession } from '../sql/models/model-session.ts'
import { cameSql, type NetChanges, onlyGrows, plansOf } from '../sql/models/net-changes.ts'
import type { ReadModel } from '../sql/models/read-model.ts'
import type { ModelLake, ModelTable } from './model-lake.ts'
import type { CustomTest } from './read-models.ts'

// The data tests of one model. In: its table as committed. Out: rows in `system.test_failures` with the failing rows, and in the same
// commit how far the table has been tested. Rows are tested once: those that came since the tests last passed; only their age is asked each time. When a test of severity
// `error` fails that cursor stays, so that the rows are looked at again until they are mended; a crash before the commit does the same.

/** Failing rows kept of one test; their number is always told. */
const KEPT_ROW_COUNT_MAX = 100

export const FAILURES_TABLE = 'system.test_failures'

const FAILURE_COLUMNS: Columns = [
  { name: 'run_id', type: 'string', nullable: false },
  { name: 'tested_at', type: 'timestamp', nullable: false },
  { name: 'pipeline', type: 'string', nullable: false },
  { name: 'model', type: 'string', nullable: false },
  { name: 'test', type: 'string', nullable: false },
  { name: 'kind', type: 'string', nullable: false },
  { name: 'severity', type: 'string', nullable: false },
  { name: 'version', type: 'int64', nullable: true, doc: 'Of the table that was tested.' },
  { name: 'failing_rows', type: 'int64', nullable: false, doc: 'How many there are in all.' },
  { name: 'row', type: 'string', nullable: true, doc: 'One of them, as JSON.' },
]

export interface TestOptions {
  readonly engine: ComputeEngine
  readonly lake: ModelLake
  readonly pipeline: string
  readonly read: ReadModel
  readonly views: ReadonlyMap<string, ReadModel>
  /** Texts of the custom tests, by name of the test, with the tables they read. */
  readonly custom: ReadonlyMap<string, CustomTest>
  readonly context: Pick<TaskContext, 'runId' | 'logicalMs' | 'signal' | 'log'>
}

export interface TestResult {
  readonly test: DataTest
  readonly severity: Severity
  readonly failingCount: number
  /** Some of the rows. */
  readonly rows: readonly Readonly<Record<string, unknown>>[]
}

/** Test what nobody has tested yet, and how old it is in any case, and keep what failed. */
export async function testModel(options: TestOptions): Promise<readonly TestResult[]> {
  const { lake, read, context } = options
  const { model } = read
  if (model.tests.length === 0) return []
  const isView = model.materialize.kind === 'view'
  const table = isView ? undefined : await lake.open(model.name)
  if (table === undefined && !isView) return []
  const passed = table === undefined ? undefined : await testedVersion(lake, read, table)
  const isTested = passed !== undefined && passed === table?.version
  const tests = isTested ? model.tests.filter(({ kind }) => kind === 'freshness') : model.tests
  if (tests.length === 0) return []
  const asked = { ...options, read: { ...read, model: { ...model, tests } } }
  const results = await testResults(asked, { table, since: isTested ? undefined : passed })
  const failed = results.filter(({ failingCount }) => failingCount > 0)
  await keep(options, { table, failed, moves: !isTested && graveFailures(results).length === 0 })
  for (const { test, severity, failingCount } of failed)
    context.log(`${model.name}: test ${test.name} found ${failingCount} rows (${severity})`)
  return results
}

/** Tests that stop what depends on the model. */
export const graveFailures = (results: readonly TestResult[]): readonly TestResult[] =>
  results.filter(({ severity, failingCount }) => severity === 'error' && failingCount > 0)

/** Ask the tests. `since` is the version up to which rows have passed; without one, all rows are looked at. */
export async function testResults(
  options: Omit<TestOptions, 'pipeline'>,
  { table, since }: { readonly table: ModelTable | undefined; readonly since: number | undefined },
): Promise<readonly TestResult[]> {
  const { engine, context } = options
  const session = await openModelSession(engine, {
    runTimeMs: context.logicalMs,
    signal: context.signal,
  })
  try {
    const widen = await makeRelations(session, options, { table, since })
    return await askTests(session, options, widen)
  } finally {
    await session.close()
  }
}

/** Where `tested_new` has but the columns that decide, what gives it all of them: to show rows that failed. */
type Widen = (() => Promise<void>) | undefined

async function makeRelations(
  session: ModelSession,
  { lake, read, views, custom }: Omit<TestOptions, 'pipeline'>,
  { table, since }: { readonly table: ModelTable | undefined; readonly since: number | undefined },
): Promise<Widen> {
  const { model } = read
  const made = new Set<string>()
  const make = async (name: string) => {
    if (made.has(name)) return
    made.add(name)
    const view = name === model.name && table === undefined ? read : views.get(name)
    if (view !== undefined) {
      for (const under of view.reads) await make(under)
      return session.view(name, view.sql)
    }
    const opened = name === model.name ? table : await lake.open(name)
    if (opened === undefined)
      throw new ModelInvalidError(`A test of ${model.name} reads ${name}, which is not there.`)
    const plan = await opened.plan()
    await session.scan(name, [plan], plan.columns)
  }
  await make(model.name)
  const others = model.tests.flatMap((test) =>
    test.kind === 'relationship'
      ? [test.table]
      : test.kind === 'custom'
        ? (custom.get(test.name)?.reads ?? [])
        : [],
  )
  for (const name of others) await make(name)
  await session.view(TESTED, `SELECT * FROM ${model.name}`)
  // Rows that are all made anew are all looked at: which of them are new would cost more to find out.
  const { kind } = model.materialize
  const isRemade = kind === 'table' || kind === 'window'
  const changes = since === undefined || isRemade ? undefined : await table?.changesSince(since)
  if (changes === undefined) await session.view(TESTED_NEW, `SELECT * FROM ${model.name}`)
  else if (onlyGrows(changes)) await session.scan(TESTED_NEW, changes.plus, changes.columns)
  else return makeChanged(session, model.tests, changes)
  return undefined
}

async function makeChanged(
  session: ModelSession,
  tests: readonly DataTest[],
  changes: NetChanges,
): Promise<Widen> {
  const scanOf = await session.compile(plansOf(changes))
  const make = (columns: Columns) =>
    session.table(TESTED_NEW, cameSql({ ...changes, columns }, scanOf))
  const deciding = decidingColumns(tests, changes.columns)
  await make(deciding ?? changes.columns)
  return deciding && (() => make(changes.columns))
}

/**
 * Columns that tell alone whether a row fails: one that has them as a row had that passed, passes. To compare only these takes a fraction of
 * the memory that whole rows take. `undefined` where a test looks further, or may have let a row pass that failed.
 */
function decidingColumns(tests: readonly DataTest[], columns: Columns): Columns | undefined {
  const names = new Set<string>()
  for (const test of tests) {
    if (test.severity !== 'error') return undefined
    if (test.kind === 'unique') for (const name of test.columns) names.add(name)
    else if (test.kind === 'not_null' || test.kind === 'accepted') names.add(test.column)
    else return undefined
  }
  const found = columns.filter(({ name }) => names.has(name))
  return found.length === names.size ? found : undefined
}

async function askTests(
  session: ModelSession,
  { read, custom }: Pick<TestOptions, 'read' | 'custom'>,
  widen: Widen,
): Promise<readonly TestResult[]> {
  const { materialize, tests } = read.model
  // A row that was only changed is not among the new ones where few columns are compared, though another may repeat its key.
  const keptUnique = materialize.kind === 'merge' && widen === undefined ? materialize.key : []
  const conditions = tests.flatMap((test) => {
    const condition = rowCondition(test)
    return condition === undefined ? [] : [{ test, condition }]
  })
  const counts = new Map<DataTest, number>()
  if (conditions.length > 0) {
    const [row] = await session.read(rowConditionsSql(conditions.map(({ condition }) => condition)))
    for (const [index, { test }] of conditions.entries()) counts.set(test, Number(row![index]))
  }
  const results: TestResult[] = []
  // One row a key is how a window is made.
  const isKept = (test: DataTest) =>
    materialize.kind === 'window' &&
    test.kind === 'unique' &&
    materialize.key.every((name) => test.columns.includes(name))
  for (const test of tests) {
    if (counts.get(test) === 0 || isKept(test)) {
      results.push({ test, severity: test.severity, failingCount: 0, rows: [] })
      continue
    }
    if (counts.has(test)) await widen?.()
    const customSql = custom.get(test.name)?.sql
    const sql = failingRowsSql(test, {
      keptUnique,
      ...(customSql === undefined ? {} : { customSql }),
    })
    await session.table('failing', sql)
    const [[count]] = (await session.read('SELECT count(*) FROM failing')) as [[unknown]]
    const kept = await session.read(
      `SELECT to_json(f)::VARCHAR FROM failing AS f LIMIT ${KEPT_ROW_COUNT_MAX}`,
    )
    const rows = kept.map(([json]) => JSON.parse(json as string) as Record<string, unknown>)
    const severity = rows[0] === undefined ? test.severity : severityOf(test, rows[0])
    results.push({ test, severity, failingCount: Number(count), rows })
  }
  return results
}

/** Application id under which the failures' table keeps how far a table has passed its tests. Other tests begin anew. */
function testedAppId({ model }: ReadModel, table: ModelTable): string {
  const said = JSON.stringify(model.tests, (_, value: unknown) =>
    value instanceof URL ? value.pathname.split('/').at(-1) : value,
  )
  const hash = createHash('sha256').update(said).digest('hex').slice(0, 12)
  return `mekong/tests/${model.name}/${table.id}/${hash}`
}

async function testedVersion(
  lake: ModelLake,
  read: ReadModel,
  table: ModelTable,
): Promise<number | undefined> {
  const failures = await lake.open(FAILURES_TABLE)
  return failures?.progress.get(testedAppId(read, table))
}

async function keep(
  { engine, lake, pipeline, read, context }: TestOptions,
  {
    table,
    failed,
    moves,
  }: {
    readonly table: ModelTable | undefined
    readonly failed: readonly TestResult[]
    readonly moves: boolean
  },
): Promise<void> {
  if (failed.length === 0 && (!moves || table === undefined)) return
  const failures =
    (await lake.open(FAILURES_TABLE)) ??
    (await lake.create({
      ...{ name: FAILURES_TABLE, format: 'delta', columns: FAILURE_COLUMNS },
      ...{ partitionBy: [], properties: {} },
    }))
  const steps =
    moves && table !== undefined
      ? [
          {
            appId: testedAppId(read, table),
            version: table.version,
            expected: failures.progress.get(testedAppId(read, table)) ?? null,
          },
        ]
      : []
  const testedAt = new Date(context.logicalMs).toISOString()
  const rows = failed.flatMap(({ test, severity, failingCount, rows: some }) =>
    (some.length === 0 ? [null] : some).map((row) => ({
      ...{ run_id: context.runId, tested_at: testedAt, pipeline, model: read.model.name },
      ...{ test: test.name, kind: test.kind, severity, version: table?.version ?? null },
      ...{ failing_rows: failingCount, row: row === null ? null : JSON.stringify(row) },
    })),
  )
  const session = await openModelSession(engine, { runTimeMs: context.logicalMs })
  try {
    const relation = await session.relation(jsonRowsSql(rows, FAILURE_COLUMNS), FAILURE_COLUMNS)
    const write =
      rows.length === 0
        ? ({ kind: 'nothing' } as const)
        : ({ kind: 'append', rows: relation } as const)
    await failures.write(write, steps, context.signal)
  } finally {
    await session.close()
  }
}
