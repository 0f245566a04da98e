import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { expect } from 'vitest'
import { openLakeHome } from '../../src/flow/lake-home.ts'
import type { DeltaDeps } from '../../src/lake/delta/table-log.ts'
import { systemClock, systemRandomness } from '../../src/model/clock.ts'
import type { Columns } from '../../src/model/column.ts'
import type { Relation } from '../../src/model/relation.ts'
import type { ScanPlan } from '../../src/model/scan-plan.ts'
import { openComputeEngine } from '../../src/sql/duckdb/engine.ts'
import { quoteIdentifier, quoteText } from '../../src/sql/duckdb/quote-identifier.ts'
import { compileScan } from '../../src/sql/duckdb/scan-by-id.ts'

/** A lake of the test's own, as the platform opens one, with the compute engine to make rows and to compare them. */
export interface Workshop {
  /** Tables are at their keys in it. */
  readonly folder: string
  readonly deps: DeltaDeps
  /** Run a statement; its rows as JSON values. */
  sql(statement: string): Promise<Record<string, unknown>[]>
  /** A plan as a query. */
  compile(plan: ScanPlan): Promise<string>
  /** Run a query; the rows stay until the workshop closes. */
  relation(query: string, columns: Columns): Promise<Relation>
  /** A path for a Parquet file that is not there yet. */
  newFile(): string
  /** Write the rows of a query into a new Parquet file, for others to read. */
  fileOf(query: string): Promise<string>
  close(): Promise<void>
}

export async function openWorkshop(): Promise<Workshop> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'mekong-interop-'))
  const engine = await openComputeEngine({
    spillDirectory: path.join(folder, '.spill'),
    memoryLimitBytes: 512 * 1024 ** 2,
    threads: 2,
  })
  const connection = await engine.connection()
  const { delta: deps } = await openLakeHome({
    folder,
    engine,
    clock: systemClock,
    randomness: systemRandomness,
  })
  let fileCount = 0
  const sql = async (statement: string) =>
    (await connection.driver.runAndReadAll(statement)).getRowObjectsJson() as Record<
      string,
      unknown
    >[]
  const newFile = () => path.join(folder, `rows-${++fileCount}.parquet`)
  return {
    folder,
    deps,
    sql,
    compile: (plan) => compileScan(plan, (query) => connection.rows(query)),
    async relation(query, columns) {
      const name = engine.relationName('rows')
      await sql(`CREATE TABLE ${name} AS ${query}`)
      const [counted] = await sql(`SELECT count(*)::INTEGER AS n FROM ${name}`)
      return { name, columns, rowCount: Number(counted!.n) }
    },
    newFile,
    async fileOf(query) {
      const file = newFile()
      await sql(`COPY (${query}) TO ${quoteText(file)} (FORMAT parquet)`)
      return file
    },
    async close() {
      connection.close()
      engine.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

export interface Rows {
  /** Who says so, for the message. */
  readonly from: string
  readonly query: string
}

/** The rows of a Parquet file. */
export const rowsOfFile = (from: string, file: string): Rows => ({
  from,
  query: `SELECT * FROM read_parquet(${quoteText(file)}, hive_partitioning = false)`,
})

/** The rows that we read by a plan. */
export const rowsOfPlan = async ({ compile }: Workshop, plan: ScanPlan): Promise<Rows> => ({
  from: 'mekong',
  query: await compile(plan),
})

/** Fail unless both have the same rows, as multisets, with the same column names, order and types. */
export async function expectSameRows({ sql }: Workshop, a: Rows, b: Rows): Promise<void> {
  const [typesOfA, typesOfB] = await Promise.all([typesOf(sql, a), typesOf(sql, b)])
  expect({ [a.from]: typesOfA }).toEqual({ [a.from]: typesOfB })
  const only = async (x: Rows, y: Rows) => ({
    [`only ${x.from} has`]: await sql(`(${x.query}) EXCEPT ALL (${y.query}) LIMIT 3`),
  })
  const differences = { ...(await only(a, b)), ...(await only(b, a)) }
  expect(differences).toEqual({ [`only ${a.from} has`]: [], [`only ${b.from} has`]: [] })
}

async function typesOf(sql: Workshop['sql'], { query }: Rows): Promise<string[]> {
  const described = await sql(`DESCRIBE ${query}`)
  return described.map(
    ({ column_name, column_type }) => `${quoteIdentifier(String(column_name))} ${column_type}`,
  )
}
