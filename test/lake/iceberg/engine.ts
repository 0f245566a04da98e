import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { ParquetPort } from '../../../src/lake/parquet-port.ts'
import type { RowsPort } from '../../../src/lake/rows-port.ts'
import type { ScratchPort } from '../../../src/lake/scratch-port.ts'
import type { StageFilesPort } from '../../../src/lake/stage-files.ts'
import type { Columns } from '../../../src/model/column.ts'
import type { Relation } from '../../../src/model/relation.ts'
import type { ScanPlan } from '../../../src/model/scan-plan.ts'
import { openComputeEngine } from '../../../src/sql/duckdb/engine.ts'
import { lakeRows } from '../../../src/sql/duckdb/lake-rows.ts'
import { parquetTables } from '../../../src/sql/duckdb/parquet-tables.ts'
import { compileScan } from '../../../src/sql/duckdb/scan-by-id.ts'
import { fileStager } from '../../../src/sql/duckdb/stage-files.ts'

/** The platform's own compute engine behind the lake's ports, with a folder of the test's own. */
export interface Bench extends AsyncDisposable {
  readonly folder: string
  readonly ports: {
    readonly stageFiles: StageFilesPort
    readonly parquet: ParquetPort
    readonly scratch: ScratchPort
    readonly tableRows: RowsPort
  }
  /** Run SQL, get row objects of JSON values. */
  rows(sql: string): Promise<Record<string, unknown>[]>
  /** The rows of a plan; `wrap` puts its query into another, as `(q) => \`SELECT count(*) FROM (${q})\``. */
  scan(plan: ScanPlan, wrap?: (query: string) => string): Promise<Record<string, unknown>[]>
  /** Run SQL, get the driver's own values. */
  valuesOf(sql: string): Promise<readonly (readonly unknown[])[]>
  compile(plan: ScanPlan): Promise<string>
  relation(sql: string, columns: Columns): Promise<Relation>
}

export async function openBench(): Promise<Bench> {
  const folder = await mkdtemp(path.join(tmpdir(), 'mekong-iceberg-'))
  const engine = await openComputeEngine({ spillDirectory: path.join(folder, 'spill'), threads: 2 })
  const connection = await engine.connection()
  const rows = async (sql: string) => {
    const reader = await connection.driver.runAndReadAll(sql)
    return reader.getRowObjectsJson() as Record<string, unknown>[]
  }
  return {
    folder,
    ports: {
      stageFiles: fileStager(engine),
      parquet: parquetTables(() => engine.connection()),
      tableRows: lakeRows({
        connect: () => engine.connection(),
        relationName: (word) => engine.relationName(word),
      }),
      scratch: {
        async makeFolder() {
          const made = await mkdtemp(path.join(folder, 'scratch-'))
          const remove = () => rm(made, { recursive: true, force: true })
          return { path: made, [Symbol.asyncDispose]: remove }
        },
      },
    },
    rows,
    async scan(plan, wrap = (query) => query) {
      return rows(wrap(await compileScan(plan, (sql) => connection.rows(sql))))
    },
    valuesOf: (sql) => connection.rows(sql),
    compile: (plan) => compileScan(plan, (sql) => connection.rows(sql)),
    async relation(sql, columns) {
      const name = `relation_${randomUUID().replaceAll('-', '')}`
      await connection.run(`CREATE TABLE ${name} AS ${sql}`)
      const [count] = await rows(`SELECT count(*)::INTEGER AS n FROM ${name}`)
      return { name, columns, rowCount: count!.n as number }
    },
    async [Symbol.asyncDispose]() {
      engine.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
