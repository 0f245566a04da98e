import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { lakeQueryTables } from '../../src/flow/tables-to-sql.ts'
import { runQuery } from '../../src/sql/duckdb/query.ts'
import { type PlatformForTests, platformForTests } from '../api/platform-for-tests.ts'
import { ensureToolset } from '../services.ts'

// Apache Spark on the catalog of a running platform: it finds, makes and changes tables there, and so do we.

const run = promisify(execFile)
const tools = await ensureToolset('spark')

const SCRIPT = `
import json, sys
from pyspark.sql import SparkSession
spark = SparkSession.builder.config(map={
    'spark.sql.catalog.mekong': 'org.apache.iceberg.spark.SparkCatalog',
    'spark.sql.catalog.mekong.type': 'rest',
    'spark.sql.catalog.mekong.uri': sys.argv[1],
    'spark.log.level': 'ERROR',
}).getOrCreate()
for statement in json.loads(sys.argv[2])[:-1]:
    spark.sql(statement)
rows = spark.sql(json.loads(sys.argv[2])[-1]).collect()
print('ROWS ' + json.dumps([list(row) for row in rows], default=str))
`

describe.skipIf('skip' in tools)('Spark on the REST catalog', () => {
  let running: PlatformForTests
  beforeAll(async () => {
    running = await platformForTests()
  })
  afterAll(() => running?.stop())

  const spark = async (...statements: string[]): Promise<unknown> => {
    if ('skip' in tools) throw new Error(tools.skip)
    const { MEKONG_SPARK_PYTHON: python, ...environment } = tools.environment
    const { stdout } = await run(
      python!,
      ['-c', SCRIPT, `${running.platform.url}/iceberg`, JSON.stringify(statements)],
      { env: { ...process.env, ...environment }, maxBuffer: 16 * 1024 * 1024 },
    )
    return JSON.parse(/^ROWS (.*)$/m.exec(stdout)![1]!)
  }
  const ask = async (sql: string) => {
    const { engine, lake } = running.platform
    return (await runQuery(engine, { sql, tables: await lakeQueryTables(lake, engine) })).rows
  }

  test('makes, fills, changes and evolves a table; then reads what we added', {
    timeout: 600_000,
  }, async () => {
    const table = 'mekong.bronze.trips'
    const rows = await spark(
      'CREATE NAMESPACE IF NOT EXISTS mekong.raw',
      `CREATE TABLE ${table} (id BIGINT, city STRING, day DATE) USING iceberg PARTITIONED BY (city)`,
      `INSERT INTO ${table} VALUES (1, 'Hue', DATE '2026-01-01'), (2, 'Vinh', DATE '2026-01-02'), (3, 'Hue', NULL)`,
      `DELETE FROM ${table} WHERE id = 2`,
      `ALTER TABLE ${table} ADD COLUMN people INT`,
      `MERGE INTO ${table} t USING (SELECT 3L AS id, 'Hue' AS city, DATE '2026-01-03' AS day, 7 AS people) s
         ON t.id = s.id WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *`,
      `CREATE TABLE mekong.raw.copy USING iceberg AS SELECT * FROM ${table}`,
      `SELECT id, city, day, people FROM ${table} ORDER BY id`,
    )
    expect(rows).toEqual([
      [1, 'Hue', '2026-01-01', null],
      [3, 'Hue', '2026-01-03', 7],
    ])
    expect(await ask('SELECT id, city, day, people FROM bronze.trips ORDER BY id')).toEqual(rows)
    expect(await ask('SELECT count(*) FROM raw.copy')).toEqual([[2]])
    const again = await spark(`SELECT count(*) FROM ${table} VERSION AS OF 'main'`)
    expect(again).toEqual([[2]])
  })
})
