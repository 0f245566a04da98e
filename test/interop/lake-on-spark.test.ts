import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { tableKey } from '../../src/flow/lake-home.ts'
import { modelTasks } from '../../src/flow/run-model.ts'
import { type DeltaTable, openDeltaTable } from '../../src/lake/delta/table.ts'
import type { SchemaChange } from '../../src/lake/iceberg/evolve-schema.ts'
import { type IcebergTable, openIcebergTable } from '../../src/lake/iceberg/table.ts'
import { compare } from '../../src/model/predicate.ts'
import type { ScanPlan } from '../../src/model/scan-plan.ts'
import { merge } from '../../src/pipeline/materialization.ts'
import { type PipelineBuilder, pipeline } from '../../src/pipeline/pipeline.ts'
import { sparkScan } from '../../src/sql/models/scan-on-spark.ts'
import { type ModelHome, openModelHome, taskContext } from '../flow/model-home.ts'
import { ensureService } from '../services.ts'

/**
 * Goal: Spark reads the lake's tables where they lie and sees the same rows. Method: a table with everything that makes files differ from rows (deleted
 * rows, partitions, renamed, added and dropped columns, nested ones too, NaN and nulls), read by models on both engines.
 */
const spark = await ensureService('spark-connect')

const ROWS = (from: number, to: number) => `
  SELECT n AS id, ['north', 'south', NULL][1 + n % 3] AS region, DATE '1500-01-01' + (n * 13)::INTEGER AS day,
    CASE WHEN n % 7 = 0 THEN 'NaN'::DOUBLE WHEN n % 5 = 0 THEN NULL ELSE n / 4 END AS fraction,
    (n * 1.25)::DECIMAL(20, 4) AS amount, TIMESTAMPTZ '1969-12-31 23:59:59.999999Z' + to_seconds(n) AS moment,
    {'city': 'Huế ' || n, 'place': {'lat': n / 3, 'tags': ['a', NULL, 'b' || n]}} AS address, [{'x': n}, NULL] AS points,
    encode('bytes ' || n) AS raw, n % 2 = 0 AS even, n::FLOAT AS small
  FROM (SELECT range AS n FROM range(${from}, ${to}))`

/** JSON has no NaN. */
const TEXTS = 'SELECT COLUMNS(*)::VARCHAR FROM rows ORDER BY ALL'

const below = (value: number) => compare(['id'], '<', { type: 'int64', value: BigInt(value) })

async function makeDelta(home: ModelHome): Promise<void> {
  const options = {
    partitionBy: ['region'],
    properties: { 'delta.columnMapping.mode': 'name', 'delta.enableDeletionVectors': 'true' },
  }
  const table = (await home.add('bronze.odd', ROWS(0, 500), options)) as DeltaTable
  await table.alter({
    renameColumns: { amount: 'paid', region: 'part of the country' },
    dropColumns: ['small'],
    addColumns: [{ name: 'note', type: 'string', nullable: true }],
  })
  await changeRows(home, table, 'lat')
}

async function makeIceberg(home: ModelHome): Promise<void> {
  const options = {
    partitionBy: ['region'],
    properties: { 'write.delete.mode': 'merge-on-read', 'write.update.mode': 'merge-on-read' },
  }
  const table = (await home.add('bronze.odd', ROWS(0, 500), options)) as IcebergTable
  const changes: SchemaChange[] = [
    { kind: 'rename', path: ['amount'], name: 'paid' },
    { kind: 'rename', path: ['address', 'place', 'lat'], name: 'latitude' },
    { kind: 'rename', path: ['region'], name: 'part of the country' },
    { kind: 'drop', path: ['small'] },
    { kind: 'add', column: { name: 'note', type: 'string', nullable: true } },
  ]
  await table.changeColumns(changes)
  await changeRows(home, table, 'latitude')
}

/** Deletes that hit parts of files, and rows of the new columns. */
async function changeRows(
  home: ModelHome,
  table: DeltaTable | IcebergTable,
  latitude: string,
): Promise<void> {
  const opened = (await home.lake.open('bronze.odd'))!
  const more = `SELECT * EXCLUDE (small, address) RENAME (region AS "part of the country", amount AS paid),
    {'city': address.city, 'place': {'${latitude}': address.place.lat, 'tags': address.place.tags}} AS address, 'new' AS note
    FROM (${ROWS(600, 650)})`
  const names = opened.columns.map(({ name }) => `"${name}"`).join(', ')
  const properties = { 'delta.columnMapping.mode': 'name' }
  await home.add(
    'bronze.odd',
    `SELECT ${names} FROM (${more})`,
    latitude === 'lat' ? { properties } : {},
  )
  await table.delete({ where: below(40) })
  await table.delete({ where: compare(['id'], '=', { type: 'int64', value: 321n }) })
}

const define = (engine: 'duckdb' | 'spark') => (p: PipelineBuilder) => {
  const properties = { 'delta.columnMapping.mode': 'name' }
  p.model('silver.all', 'SELECT * FROM bronze.odd', { engine, properties })
  p.model(
    'silver.merged',
    'SELECT id, "part of the country" AS country, fraction, address.city AS city FROM incoming WHERE fraction > 100',
    { engine, incoming: 'bronze.odd', materialize: merge({ key: ['id'], deletes: 'follow' }) },
  )
}

describe.skipIf('skip' in spark)('tables of the lake on Spark', () => {
  const url = 'skip' in spark ? '' : spark.environment.SPARK_REMOTE!
  test.each([
    ['delta', makeDelta],
    ['iceberg', makeIceberg],
  ] as const)(
    '%s tables are read where they lie, and to the row',
    { timeout: 300_000 },
    async (format, make) => {
      await using home = await openModelHome(format)
      await make(home)
      const table = (await home.lake.open('bronze.odd'))!
      const plan: ScanPlan = await table.plan()
      expect(plan.files.some(({ deletedRows }) => (deletedRows?.positions.length ?? 0) > 0)).toBe(
        true,
      )
      expect(sparkScan(plan, 'odd')).toBeDefined()
      const run = async (engine: 'duckdb' | 'spark') => {
        const { lake, folder } = home
        const place = { url, folder: path.join(folder, 'handed') }
        for (const task of await modelTasks(
          { engine: home.engine, lake, spark: place },
          pipeline('models', define(engine)),
        ))
          await task.run(taskContext({ fullRefresh: engine === 'spark' }))
        return [
          await home.rows('silver.all', TEXTS),
          await home.rows('silver.merged', TEXTS),
        ] as const
      }
      const [all, merged] = await run('duckdb')
      expect(all).toHaveLength(509)
      expect(merged.length).toBeGreaterThan(50)
      expect(await run('spark')).toEqual([all, merged])
      // What went is followed there as well.
      const opened = await (format === 'delta'
        ? openDeltaTable(home.delta, tableKey('bronze.odd'))
        : openIcebergTable(home.lakeHome.iceberg, 'bronze.odd'))
      await opened.delete({ where: below(480) })
      const tasks = await modelTasks(
        {
          engine: home.engine,
          lake: home.lake,
          spark: { url, folder: path.join(home.folder, 'handed') },
        },
        pipeline('models', define('spark')),
      )
      for (const task of tasks) await task.run(taskContext())
      const left = await home.rows('silver.merged', TEXTS)
      expect(left).toEqual(merged.filter(([id]) => Number(id) >= 480))
    },
  )
})
