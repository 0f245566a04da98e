import { mkdtemp, readFile, rm } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { openDeltaTable } from '../lake/delta/table.ts'
import type { DeltaDeps } from '../lake/delta/table-log.ts'
import { ChangesMissingError } from '../lake/errors.ts'
import type { Task, TaskContext, TaskReport } from '../model/task.ts'
import type { PipelinePlan, WarehousePlan, WarehouseTablePlan } from '../pipeline/plan.ts'
import type { TableLoad, Warehouse, WarehouseTable } from '../serve/warehouse.ts'
import type { ComputeEngine } from '../sql/duckdb/engine.ts'
import { exportQuery, type QueryTable } from '../sql/duckdb/query.ts'
import { quoteIdentifier, quoteText } from '../sql/duckdb/quote-identifier.ts'
import { compiledChanges } from './compiled-plans.ts'
import type { LakeCatalog } from './lake-catalog.ts'
import { tableKey } from './lake-home.ts'
import { lakeQueryTables } from './tables-to-sql.ts'

// The lake into a warehouse, by day. In: the days that have ended and that the table's commits touched since the last load, or the days of a
// backfill. Out: their rows, replaced, and rows by key, merged, in one transaction with the cursor. Survives a crash: the warehouse as it was
// or as it is to be. An order that comes late touches its day, and the day is loaded again.

export interface WarehouseWorld {
  readonly engine: ComputeEngine
  readonly catalog: LakeCatalog
  readonly deltaLake: DeltaDeps
  readonly warehouse: Warehouse | undefined
}

const DAY_MS = 86_400_000
/** The run's own timeout and signal end it before. */
const QUERY_MS_MAX = 24 * 3_600_000

export function warehouseTasks(world: WarehouseWorld, plan: PipelinePlan): readonly Task[] {
  return plan.warehouses.map(
    (warehouse): Task => ({
      id: `warehouse/${plan.name}/${warehouse.name}`,
      pipeline: plan.name,
      kind: 'publish',
      after: [warehouse.from, ...warehouse.reads],
      tags: warehouse.tags,
      writes: warehouse.tables.map(({ name }) => `warehouse/${name}`),
      run: (context) => loadDays(world, plan.name, warehouse, context),
    }),
  )
}

async function loadDays(
  world: WarehouseWorld,
  pipeline: string,
  plan: WarehousePlan,
  context: TaskContext,
): Promise<TaskReport> {
  const { warehouse, catalog, deltaLake } = world
  if (warehouse === undefined || !(await catalog.names()).includes(plan.from))
    return { status: 'nothing_new', facts: {} }
  const consumer = `${pipeline}/${plan.name}`
  const tables = plan.tables.map(tableOf)
  await warehouse.open(tables, plan.views)
  const before = context.fullRefresh ? undefined : await warehouse.cursor(consumer)
  const { version } = await (await openDeltaTable(deltaLake, tableKey(plan.from))).snapshot()
  const lastDay = dayText(context.logicalMs - DAY_MS)
  const days = await daysToLoad(world, plan, { before, version, lastDay }, context)
  // A backfill tells nothing about what else was touched.
  const cursor = context.range === undefined ? { version, day: lastDay } : before
  if (days.length === 0 && before?.version === version) return { status: 'nothing_new', facts: {} }
  const folder = await mkdtemp(path.join(world.engine.spillDirectory, 'warehouse-'))
  try {
    const loads: TableLoad[] = []
    for (const [index, table] of plan.tables.entries()) {
      const file = path.join(folder, `${table.name}.csv`)
      const rowCount = await writeCsv(world, table, { file, days, context })
      loads.push({ table: tables[index]!, file, rowCount, days })
      context.progress(index + 1, plan.tables.length)
    }
    await warehouse.load(consumer, loads, cursor ?? { version: -1, day: '' })
    const rows = loads.map(({ table, rowCount }) => [`${table.name}.rows`, rowCount])
    const facts = { days: days.length, from_day: days[0] ?? null, to_day: days.at(-1) ?? null }
    return { status: 'done', facts: { ...facts, ...Object.fromEntries(rows) } }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

interface DaysWanted {
  readonly before: { readonly version: number; readonly day: string } | undefined
  readonly version: number
  /** The last day that has ended. */
  readonly lastDay: string
}

/** Days that have ended and are not in the warehouse as they are in the lake, in order. */
async function daysToLoad(
  { engine, catalog, deltaLake }: WarehouseWorld,
  { from, day }: WarehousePlan,
  { before, version, lastDay }: DaysWanted,
  { range, signal }: TaskContext,
): Promise<readonly string[]> {
  const named = quoteIdentifier(day)
  const asks = async (sql: string, tables: readonly QueryTable[] = []) => {
    const connection = await engine.connection()
    try {
      const source = tables[0] === undefined ? '' : await tables[0].select()
      const rows = await connection.rows(
        sql.replace('$SOURCE', () => source),
        signal,
      )
      return rows.map(([value]) => value as string)
    } finally {
      connection.close()
    }
  }
  const all = (await lakeQueryTables(catalog, engine)).filter(
    ({ schema, name }) => `${schema}.${name}` === from,
  )
  const daysOfTable = (condition: string) =>
    asks(`SELECT DISTINCT ${named}::VARCHAR FROM ($SOURCE) WHERE ${condition} ORDER BY 1`, all)
  if (range !== undefined) return daysBetween(range.from, range.to)
  const ended = `${named} <= DATE ${quoteText(lastDay)}`
  if (before === undefined || before.version < 0) return daysOfTable(ended)
  const sinceThen =
    before.version >= version
      ? []
      : await (await openDeltaTable(deltaLake, tableKey(from)))
          .changes({ from: before.version + 1, to: version }, signal)
          .then((plan) => compiledChanges(plan, engine, signal))
          .then((changes) =>
            asks(`SELECT DISTINCT ${named}::VARCHAR FROM (${changes}) WHERE ${ended}`),
          )
          .catch((error) => {
            // The lake no longer says what changed, so everything may have.
            if (error instanceof ChangesMissingError) return daysOfTable(ended)
            throw error
          })
  const endedMeanwhile = await daysOfTable(`${ended} AND ${named} > DATE ${quoteText(before.day)}`)
  return [...new Set([...sinceThen, ...endedMeanwhile])].sort()
}

async function writeCsv(
  { engine, catalog }: WarehouseWorld,
  { sql }: WarehouseTablePlan,
  { file, days, context }: { file: string; days: readonly string[]; context: TaskContext },
): Promise<number> {
  const text = typeof sql === 'string' ? sql : await readFile(fileURLToPath(sql), 'utf8')
  const list = days.map((day) => `(DATE ${quoteText(day)})`).join(', ')
  const select =
    days.length === 0
      ? 'SELECT NULL::DATE AS day WHERE false'
      : `SELECT * FROM (VALUES ${list}) d(day)`
  const tables = [
    ...(await lakeQueryTables(catalog, engine)),
    { schema: 'run', name: 'days', select: () => select },
  ]
  const { rowCount } = await exportQuery(engine, {
    ...{ sql: text, tables, path: file, signal: context.signal, timeoutMs: QUERY_MS_MAX },
  })
  return rowCount
}

const tableOf = ({ name, columns, load }: WarehouseTablePlan): WarehouseTable => ({
  ...{ name, columns, load },
})

const dayText = (ms: number) => new Date(ms).toISOString().slice(0, 10)

function daysBetween(from: string, to: string): string[] {
  const days: string[] = []
  for (let ms = Date.parse(from); ms <= Date.parse(to); ms += DAY_MS) days.push(dayText(ms))
  return days
}
