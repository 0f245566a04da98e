import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ColumnType } from '../../../src/model/column.ts'
import { InvariantError } from '../../../src/model/errors.ts'
import type { ScanColumn, ScanPlan } from '../../../src/model/scan-plan.ts'
import { scanSql } from '../../../src/sql/duckdb/scan.ts'
import { openTestEngine, type TestEngine } from '../../lake/duckdb-ports.ts'

let folder: string
let engine: TestEngine
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'mekong-scan-'))
  engine = await openTestEngine()
})
afterAll(async () => {
  engine?.close()
  await rm(folder, { recursive: true, force: true })
})

async function parquet(name: string, sql: string, options = ''): Promise<string> {
  const file = path.join(folder, name)
  await engine.rows(`COPY (${sql}) TO '${file.replaceAll("'", "''")}' (FORMAT parquet${options})`)
  return file
}

const inFile = (name: string, type: ColumnType, more: object = {}): ScanColumn => ({
  name,
  type,
  nullable: true,
  source: { kind: 'file', physicalName: name, physicalType: type, ...more },
})

const planOf = (parts: Partial<ScanPlan>): ScanPlan => ({
  table: 't',
  version: '0',
  columns: [],
  residualColumns: [],
  matchBy: 'name',
  files: [],
  residual: undefined,
  ...parts,
})

const file = (location: string, more: object = {}) => ({
  location,
  bytes: 1,
  rowCount: undefined,
  partitionValues: [],
  ...more,
})

describe('a scan plan in DuckDB', () => {
  test('of files that must be looked into first is never compiled without that', () => {
    const column = inFile('n', 'int64', { fieldId: 1, names: ['n'] })
    const plan = planOf({ matchBy: 'field_id', columns: [column], files: [file('/a.parquet')] })
    const byValue = {
      location: '/d.parquet',
      bytes: 1,
      columns: [inFile('n', 'int64', { fieldId: 1 })],
    }
    const deleted = planOf({
      ...{ matchBy: 'field_id', columns: byValue.columns, equalityDeletes: [byValue] },
      files: [file('/a.parquet', { equalityDeletes: [0] })],
    })
    for (const each of [plan, deleted]) expect(() => scanSql(each)).toThrow(InvariantError)
  })

  test('leaves out deleted rows, few or many, in some files or all', async () => {
    const big = await parquet('big.parquet', 'SELECT range AS n FROM range(300000)')
    const small = await parquet('small.parquet', 'SELECT range AS n FROM range(10)')
    const dense = Float64Array.from({ length: 100_000 }, (_, index) => index * 3)
    const count = async (deleted: readonly (Float64Array | undefined)[]) => {
      const files = [big, small, big].map((location, index) =>
        file(location, deleted[index] ? { deletedRows: { positions: deleted[index] } } : {}),
      )
      const sql = scanSql(planOf({ columns: [inFile('n', 'int64')], files }))
      return engine.rows(
        `SELECT count(*)::INTEGER AS n, sum(n)::BIGINT::VARCHAR AS total FROM (${sql})`,
      )
    }
    const sum = (299_999 * 300_000) / 2
    const denseSum = (3 * 99_999 * 100_000) / 2
    expect(await count([])).toEqual([{ n: 600_010, total: String(2 * sum + 45) }])
    expect(await count([dense])).toEqual([{ n: 500_010, total: String(2 * sum + 45 - denseSum) }])
    expect(await count([Float64Array.of(299_999), Float64Array.of(0, 9), dense])).toEqual([
      { n: 500_007, total: String(2 * sum + 45 - 299_999 - 9 - denseSum) },
    ])
  })

  test('takes paths literally', async () => {
    const names = [
      "it's.parquet",
      'a*b?.parquet',
      'c[1].parquet',
      'k=v.parquet',
      'p%20q ü#.parquet',
    ]
    const files = []
    for (const [index, name] of names.entries())
      files.push(file(await parquet(name, `SELECT ${index} AS n`)))
    await parquet('aXbY.parquet', 'SELECT 99 AS n')
    const sql = scanSql(planOf({ columns: [inFile('n', 'int32')], files }))
    expect(await engine.rows(`SELECT n FROM (${sql}) ORDER BY n`)).toEqual(
      names.map((_, n) => ({ n })),
    )
  })

  test('gives files that lack a column nulls, or the value for missing', async () => {
    const old = await parquet('old.parquet', 'SELECT 1 AS a')
    const young = await parquet('young.parquet', `SELECT 'x' AS c, 2::TINYINT AS a, 3 AS b`)
    const sql = scanSql(
      planOf({
        columns: [
          inFile('a', 'int64'),
          inFile('b', 'int32', { missing: 7n }),
          inFile('c', 'string'),
        ],
        files: [file(old), file(young)],
      }),
    )
    expect(await engine.rows(`SELECT * FROM (${sql}) ORDER BY a`)).toEqual([
      { a: '1', b: 7, c: null },
      { a: '2', b: 3, c: 'x' },
    ])
  })

  test('finds columns by field id, whatever they are called', async () => {
    const one = await parquet('one.parquet', 'SELECT 1 AS x, 2 AS y', ', FIELD_IDS {x: 1, y: 2}')
    const two = await parquet('two.parquet', 'SELECT 3 AS y, 4 AS z', ', FIELD_IDS {y: 1, z: 2}')
    const sql = scanSql(
      planOf({
        matchBy: 'field_id',
        columns: [
          inFile('first', 'int32', { fieldId: 1 }),
          inFile('second', 'int32', { fieldId: 2 }),
        ],
        files: [file(one), file(two)],
      }),
    )
    expect(await engine.rows(`SELECT * FROM (${sql}) ORDER BY first`)).toEqual([
      { first: 1, second: 2 },
      { first: 3, second: 4 },
    ])
  })

  test('gives nested fields the names that users see', async () => {
    const nested = await parquet(
      'nested.parquet',
      `SELECT {'p1': 1, 'p2': 'a'} AS c, [{'p3': 2}, NULL] AS l, MAP {'k': {'p4': 3}} AS m
       UNION ALL SELECT NULL, NULL, NULL`,
    )
    const struct = (...names: string[]): ColumnType => ({
      kind: 'struct',
      columns: names.map((name, index) => ({
        name,
        type: index === 1 ? 'string' : 'int32',
        nullable: true,
      })),
    })
    const list = (element: ColumnType): ColumnType => ({
      kind: 'list',
      element,
      elementNullable: true,
    })
    const map = (value: ColumnType): ColumnType => ({
      kind: 'map',
      key: 'string',
      value,
      valueNullable: true,
    })
    const renamed = (name: string, type: ColumnType, physicalType: ColumnType): ScanColumn => ({
      ...inFile(name, type),
      source: { kind: 'file', physicalName: name[0]!, physicalType },
    })
    const sql = scanSql(
      planOf({
        columns: [
          renamed('c.x', struct('one', 'two'), struct('p1', 'p2')),
          renamed('l x', list(struct('three')), list(struct('p3'))),
          renamed('m"x', map(struct('four')), map(struct('p4'))),
        ],
        files: [file(nested)],
      }),
    )
    expect(await engine.rows(sql)).toEqual([
      {
        'c.x': { one: 1, two: 'a' },
        'l x': [{ three: 2 }, null],
        'm"x': [{ key: 'k', value: { four: 3 } }],
      },
      { 'c.x': null, 'l x': null, 'm"x': null },
    ])
  })

  test.each([3, 1_200])('gives each of %d files its own partition values', async (fileCount) => {
    const location = await parquet(`part-${fileCount}.parquet`, 'SELECT 1 AS n')
    const inPartition = (name: string, type: ColumnType, index: number): ScanColumn => ({
      ...{ name, type, nullable: true },
      source: { kind: 'partition', index },
    })
    const columns = [
      inPartition('day', 'date', 0),
      inFile('n', 'int32'),
      inPartition('word', 'string', 1),
      inPartition('amount', { kind: 'decimal', precision: 5, scale: 2 }, 2),
    ]
    const files = Array.from({ length: fileCount }, (_, index) =>
      file(location, {
        partitionValues: index === 1 ? [null, null, null] : [BigInt(index), `o'${index}`, 125n],
      }),
    )
    const rows = await engine.rows(
      `SELECT day::VARCHAR AS day, n, word, amount::VARCHAR AS amount FROM (${scanSql(planOf({ columns, files }))}) AS all_rows ORDER BY all_rows.day NULLS FIRST LIMIT 3`,
    )
    expect(rows).toEqual([
      { day: null, n: 1, word: null, amount: null },
      { day: '1970-01-01', n: 1, word: "o'0", amount: '1.25' },
      { day: '1970-01-03', n: 1, word: "o'2", amount: '1.25' },
    ])
  })
})
