import { execFile } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { lakeFunctions } from '../../src/flow/tables-to-sql.ts'
import type { Columns } from '../../src/model/column.ts'
import { compare } from '../../src/model/predicate.ts'
import { runQuery } from '../../src/sql/duckdb/query.ts'
import { type LakeOfBoth, openLakeOfBoth } from '../flow/lake-of-both.ts'

// What we write, ClickHouse reads: chDB, which is ClickHouse without a server, over the same folders. It is an optional package.

const run = promisify(execFile)
const QUERY = path.join(import.meta.dirname, 'chdb-query.ts')
const isThere = await run(process.execPath, [QUERY, 'SELECT 1']).then(
  () => true,
  () => false,
)
if (!isThere) console.log('skipped: the optional package chdb is not installed')

const COLUMNS: Columns = [
  { name: 'id', type: 'int64', nullable: true },
  { name: 'kind', type: 'string', nullable: true },
  { name: 'small', type: 'int32', nullable: true },
  { name: 'price', type: 'float64', nullable: true },
  { name: 'money', type: { kind: 'decimal', precision: 18, scale: 2 }, nullable: true },
  { name: 'day', type: 'date', nullable: true },
  { name: 'moment', type: 'timestamp', nullable: true },
  { name: 'open', type: 'boolean', nullable: true },
]

const rowsSql = (from: number, count: number) =>
  `SELECT (${from} + range)::BIGINT AS id,
    CASE WHEN range % 7 = 0 THEN NULL ELSE 'kind ' || (range % 3) || ' é' END AS kind,
    (range * 37 % 1000 - 500)::INTEGER AS small, (range / 8)::DOUBLE AS price,
    (range * 1.25)::DECIMAL(18, 2) AS money, DATE '2024-02-28' + (range % 5)::INTEGER AS day,
    make_timestamptz(1709164799000000 + range * 1000001) AS moment, range % 2 = 0 AS open
   FROM range(${count})`

/** Every value as text that both engines write alike. */
const TEXTS = {
  mekong: `id::VARCHAR, kind, small::VARCHAR, (price * 8)::BIGINT::VARCHAR, (money * 100)::BIGINT::VARCHAR,
    day::VARCHAR, epoch_us(moment)::VARCHAR, open::INTEGER::VARCHAR`,
  clickhouse: `toString(id), kind, toString(small), toString(toInt64(price * 8)), toString(toInt64(money * 100)),
    toString(day), toString(toUnixTimestamp64Micro(toDateTime64(moment, 6, 'UTC'))), toString(toUInt8(open))`,
}

describe.skipIf(!isThere)('ClickHouse', () => {
  let world: LakeOfBoth
  beforeAll(async () => {
    world = await openLakeOfBoth()
  })
  afterAll(() => world?.close())

  async function expectSame(format: 'delta' | 'iceberg', name: string) {
    const { rows: ours } = await runQuery(world.engine, {
      sql: `SELECT ${TEXTS.mekong} FROM ${format}('${name}') ORDER BY id`,
      tables: [],
      functions: lakeFunctions(world.places, world.engine),
      sandboxed: false,
    })
    const reader = format === 'delta' ? 'deltaLakeLocal' : 'icebergLocal'
    const place = path.join(world.folder, ...name.split('.'))
    const { stdout } = await run(
      process.execPath,
      [QUERY, `SELECT ${TEXTS.clickhouse} FROM ${reader}('${place}/') ORDER BY id`],
      { cwd: world.folder },
    )
    expect(JSON.parse(stdout).data).toEqual(ours)
    return ours.length
  }

  test.each(['delta', 'iceberg'] as const)('reads our %s tables as we do', async (format) => {
    const name = `bronze.chdb_${format}`
    const table =
      format === 'delta'
        ? await world.delta(name, COLUMNS)
        : await world.icebergTable(name, COLUMNS)
    const append = async (from: number, count: number) => {
      const rows = await world.relation(rowsSql(from, count), COLUMNS)
      expect(await table.commitAppend((await table.prepareAppend(rows)) as never)).toMatchObject({
        status: 'committed',
      })
    }
    await append(0, 100)
    await append(100, 50)
    expect(await expectSame(format, name)).toBe(150)
    const where = compare(['id'], '<', { type: 'int64', value: 30n })
    expect(await table.delete({ where })).toMatchObject({ status: 'committed' })
    expect(await expectSame(format, name)).toBe(120)
    expect(await table.optimize()).toMatchObject({ status: 'committed' })
    await append(150, 10)
    expect(await expectSame(format, name)).toBe(130)
  })
})
