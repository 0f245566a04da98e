import type { Relation } from '../model/relation.ts'
import type { ScanPlan } from '../model/scan-plan.ts'
import type { WindowMaterialization } from '../model/sql-model.ts'
import { quoteIdentifier } from '../sql/duckdb/quote-identifier.ts'
import { ModelInvalidError, ModelRowsError, ModelSourceError } from '../sql/models/errors.ts'
import { totalsOf } from '../sql/models/made-relations.ts'
import type { ModelSession } from '../sql/models/model-session.ts'
import { emptyRowsSql, type NetChanges } from '../sql/models/net-changes.ts'
import { INCOMING, type ReadModel, TOTALS } from '../sql/models/read-model.ts'
import type { SparkRelation } from '../sql/models/rows-of-spark.ts'
import type { ProgressStep, RunDecision } from '../sql/models/run-decision.ts'
import {
  type DayWindow,
  daySql,
  daysPredicate,
  movedTotalsSql,
  saidLastDay,
  spanOf,
  type TotalsSql,
  type WindowRows,
  type WindowStep,
  wholeTotalsSql,
  windowPredicate,
  windowStep,
  windowUpTo,
} from '../sql/models/window-totals.ts'
import type { ModelTable } from './model-lake.ts'
import type { RunSql } from './model-run.ts'

// One run of a window model. In: its own table, which holds the sums of an earlier window, and the incoming table as it is and as it was then. Out: the rows
// of the window that ends with the newest day there is now, or with the one that was said, and that day, to be committed with them. Of the log only days are read that came,
// left or changed. Nothing is kept besides: after a crash the table holds the earlier window and says so.

/** Application id under which a window's table keeps its last day, as days since 1970. */
const WINDOW_APP_ID = 'mekong/model/window'

export interface WindowBuild {
  readonly session: ModelSession
  readonly read: ReadModel
  readonly how: WindowMaterialization
  /** The incoming table. */
  readonly source: ModelTable
  /** The model's own, as it was left. */
  readonly target: ModelTable | undefined
  readonly decision: Exclude<RunDecision, { kind: 'nothing_new' }>
  readonly runSql: RunSql
}

export interface WindowBuilt {
  /** `undefined` when the window is the same to the row. */
  readonly made: Relation | undefined
  readonly step: ProgressStep
  readonly scanned: readonly ScanPlan[]
  readonly rowsIn: number
  readonly rowsGone: number
  /** Days looked at. */
  readonly days: number
}

/** @throws ModelInvalidError, ModelRowsError, ModelSourceError */
export async function buildWindow(build: WindowBuild): Promise<WindowBuilt> {
  const { session, how, source, target, decision } = build
  const last = saidLastDay(how) ?? (await newestDay(session, how, await source.plan()))
  const after = windowUpTo(last, how.days)
  const expected = target?.progress.get(WINDOW_APP_ID) ?? null
  const step: ProgressStep = { appId: WINDOW_APP_ID, version: last, expected }
  const isMoved = decision.kind === 'increment' && expected !== null && target !== undefined
  const part = isMoved
    ? await movedTotals(build, { after, before: windowUpTo(expected, how.days), target })
    : await wholeTotals(build, after)
  if (part === undefined)
    return { ...{ made: undefined, step, scanned: [] }, rowsIn: 0, rowsGone: 0, days: 0 }
  const { totals, parts, keeps, ...facts } = part
  const made = await rowsOver(build, totals, parts)
  checkKept(build, keeps, made)
  await checkRows(build, made)
  return { ...facts, step, made }
}

interface TotalsPart extends Omit<WindowBuilt, 'made' | 'step'> {
  readonly totals: string
  /** Relations that it names. */
  readonly parts: readonly SparkRelation[]
  /** Its columns, all of which the next run goes on from. */
  readonly keeps: readonly string[]
}

/** What the model makes of the sums, which DuckDB works out once, and Spark on the way. */
async function rowsOver(
  { session, read, runSql }: WindowBuild,
  totals: string,
  parts: readonly SparkRelation[],
): Promise<Relation> {
  const { model, sql } = read
  if (model.engine === 'duckdb') {
    await session.table(TOTALS, totals)
    return session.lazyRows(model.name, sql)
  }
  await session.view(TOTALS, totals)
  return runSql(sql, [...parts, { name: TOTALS, viewSql: totals }])
}

/** Rows of the days that come, of those that go, and the sums that are kept. */
const COME = 'window_come'
const GO = 'window_go'
const KEPT = 'window_kept'

async function wholeTotals(build: WindowBuild, window: DayWindow): Promise<TotalsPart> {
  const { session, read, how, source } = build
  const plan = await source.plan(windowPredicate(how.day, window))
  await session.view(INCOMING, emptyRowsSql(source.columns))
  const of = await totalsOf(session, read, how)
  const rowCountMax = rowsAtMost([plan])
  await session.scan(COME, [plan], plan.columns)
  return {
    totals: wholeTotalsSql(
      { ...of, rowCountMax },
      { rowsSql: read.rowsSql!, scan: `FROM ${COME}`, window },
    ),
    parts: [{ name: COME }],
    keeps: columnsOf(of),
    ...{ scanned: [plan], rowsIn: rowsOf(plan), rowsGone: 0, days: how.days },
  }
}

/** The totals by what came and went; `undefined` when nothing did that concerns the window. */
async function movedTotals(
  build: WindowBuild,
  { before, after, target }: { before: DayWindow; after: DayWindow; target: ModelTable },
): Promise<TotalsPart | undefined> {
  const { session, read, how, source, decision } = build
  const from = decision.kind === 'increment' ? decision.fromVersion : 0
  const changes = await source.changesSince(from)
  if (changes === undefined) throw lostVersion(build, from)
  const step = windowStep(before, after, await touchedDays(session, how, changes))
  if (step.come.length + step.go.length === 0) return undefined
  const { come, go } = await plansOf(build, step, from)
  const own = await target.plan()
  await session.view(INCOMING, emptyRowsSql(source.columns))
  const of = await totalsOf(session, read, how)
  const keeps = columnsOf(of)
  const scans = new Map([[KEPT, own]])
  if (come !== undefined) scans.set(COME, come)
  if (go !== undefined) scans.set(GO, go)
  for (const [name, plan] of scans) await session.scan(name, [plan], plan.columns)
  const rows = (name: string, days: readonly number[]): WindowRows | undefined =>
    scans.has(name)
      ? { rowsSql: read.rowsSql!, scan: `FROM ${name}`, window: spanOf(days) }
      : undefined
  return {
    totals: movedTotalsSql(
      { ...of, rowCountMax: rowsAtMost([come, go]) },
      `SELECT ${keeps.map(quoteIdentifier).join(', ')} FROM ${KEPT}`,
      { come: rows(COME, step.come), go: rows(GO, step.go) },
    ),
    parts: [...scans.keys()].map((name) => ({ name })),
    keeps,
    ...{ scanned: [...scans.values()], rowsIn: rowsOf(come), rowsGone: rowsOf(go) },
    days: new Set([...step.come, ...step.go]).size,
  }
}

async function plansOf(build: WindowBuild, { come, go }: WindowStep, from: number) {
  const { how, source } = build
  const then = go.length === 0 ? undefined : await source.planAt(from, daysPredicate(how.day, go))
  if (go.length > 0 && then === undefined) throw lostVersion(build, from)
  const now = come.length === 0 ? undefined : await source.plan(daysPredicate(how.day, come))
  return { come: now, go: then }
}

/** Days of rows that came or went, and perhaps of some that did both: a day too many costs a look, and changes nothing. */
async function touchedDays(
  session: ModelSession,
  { day }: WindowMaterialization,
  { plus, minus, feed }: NetChanges,
): Promise<ReadonlySet<number>> {
  const touched = new Set<number>()
  const plans = [...plus, ...minus, ...feed]
  const scanOf = await session.compile(plans)
  for (const plan of plans)
    for (const [value] of await session.read(
      `SELECT DISTINCT ${daySql(quoteIdentifier(day))} FROM (${scanOf(plan)}) WHERE ${quoteIdentifier(day)} IS NOT NULL`,
    ))
      touched.add(Number(value))
  return touched
}

/** An incoming table without rows has a window without any: that of the first day of 1970. */
async function newestDay(
  session: ModelSession,
  { day }: WindowMaterialization,
  plan: ScanPlan,
): Promise<number> {
  const told = newestPartition(plan, day)
  if (told !== undefined) return Math.max(0, told)
  const scanOf = await session.compile([plan])
  const [row] = await session.read(
    `SELECT ${daySql(`max(${quoteIdentifier(day)})`)} FROM (${scanOf(plan)})`,
  )
  return Math.max(0, Number(row?.[0] ?? 0))
}

/** The newest day without a look at any row, where files are laid by day and none of them can be empty. */
function newestPartition({ columns, files, residual }: ScanPlan, day: string): number | undefined {
  const source = columns.find(({ name }) => name === day)?.source
  if (source?.kind !== 'partition' || residual !== undefined) return undefined
  let newest = 0
  for (const { rowCount, deletedRows, equalityDeletes, partitionValues } of files) {
    const deleted = deletedRows?.positions.length ?? 0
    if (rowCount === undefined || equalityDeletes !== undefined || rowCount <= deleted)
      return undefined
    const value = partitionValues[source.index]
    if (typeof value === 'bigint') newest = Math.max(newest, Number(value))
  }
  return newest
}

/** Rows of a plan, as far as its files say. */
const rowsOf = (plan: ScanPlan | undefined) =>
  plan?.files.reduce(
    (sum, { rowCount, deletedRows }) =>
      sum + (rowCount ?? 0) - (deletedRows?.positions.length ?? 0),
    0,
  ) ?? 0

/** No more rows than this can come out of a plan; `undefined` when that is not known. */
const rowsAtMost = (plans: readonly (ScanPlan | undefined)[]): number | undefined => {
  const counts = plans.flatMap((plan) => plan?.files.map(({ rowCount }) => rowCount) ?? [])
  return counts.some((count) => count === undefined)
    ? undefined
    : counts.reduce<number>((sum, count) => sum + count!, 0)
}

const columnsOf = ({ key, sums, how }: TotalsSql) => [...key, ...sums, how.daysCount]

/** @throws ModelInvalidError when the model leaves out what it is kept by */
function checkKept({ read }: WindowBuild, keeps: readonly string[], { columns }: Relation): void {
  const lacking = keeps.filter((name) => !columns.some((column) => column.name === name))
  if (lacking.length > 0)
    throw new ModelInvalidError(
      `The SQL of ${read.model.name} leaves out ${lacking.join(', ')}. A window goes on from the sums in its own table. Nothing was written. Select all columns of "${TOTALS}" under their names.`,
    )
}

/** @throws ModelRowsError when a key is null, or the table does not hold what the days say */
async function checkRows(
  { session, read, how, target }: WindowBuild,
  made: Relation,
): Promise<void> {
  const keyIsNull = how.key.map((name) => `${quoteIdentifier(name)} IS NULL`).join(' OR ')
  const [counts] = await session.read(
    `SELECT count(*) FILTER (${keyIsNull}), count(*) FILTER (${quoteIdentifier(how.daysCount)} <= 0) FROM ${made.name}`,
  )
  const [nulls, strange] = counts!.map(Number) as [number, number]
  const { name } = read.model
  if (nulls > 0)
    throw new ModelRowsError(
      `The rows of ${name} have a null in their key (${how.key.join(', ')}). Nothing was written. Leave such rows out: WHERE ${how.key[0]} IS NOT NULL.`,
    )
  if (strange > 0)
    throw new ModelRowsError(
      `${strange} rows of ${name} are not the sums of its days: somebody else wrote to the table${target === undefined ? '' : ` before version ${target.version}`}. Nothing was written. Make it anew: mekong run ${name} --full-refresh.`,
    )
}

const lostVersion = ({ read, source }: WindowBuild, from: number) =>
  new ModelSourceError(
    `What ${source.name} held at version ${from} can no longer be told: its commits were cleaned up before ${read.model.name} read on. ` +
      `Nothing was written. Make the model anew: mekong run ${read.model.name} --full-refresh.`,
  )
