import { mkdirSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, expectTypeOf, test } from 'vitest'
import type { StageFilesPort } from '../../../src/lake/stage-files.ts'
import type { Columns } from '../../../src/model/column.ts'
import {
  type FileStager,
  fileStager,
  splitQuotedPath,
} from '../../../src/sql/duckdb/stage-files.ts'
import { engineForTests } from './engine-for-tests.ts'

const held = engineForTests()
/** Enough for one thread that writes wide rows, not for four. */
const small = engineForTests({ memoryLimitBytes: 72 * 1024 ** 2, threads: 4 })
let folderCount = 0

async function stage(
  select: string,
  columns: Columns,
  options: Partial<Parameters<FileStager['stageFiles']>[0]> = {},
) {
  const name = held.engine.relationName('rows')
  await held.connection.run(`CREATE TABLE ${name} AS ${select}`)
  const [row] = await held.connection.rows(`SELECT count(*) FROM ${name}`)
  const directory = path.join(held.folder, `out-${folderCount++}`)
  mkdirSync(directory)
  const files = await fileStager(held.engine).stageFiles({
    relation: { name, columns, rowCount: Number(row![0]) },
    columns,
    partitionBy: [],
    directory,
    fileBytesTarget: 64 * 1024 * 1024,
    ...options,
  })
  await held.connection.run(`DROP TABLE ${name}`)
  return { files, directory }
}

const column = (name: string, type: Columns[number]['type']) => ({ name, type, nullable: true })

describe('stage files', () => {
  test('fills the port of the lake', () => {
    expectTypeOf<FileStager>().toExtend<StageFilesPort>()
    const port: StageFilesPort = fileStager(held.engine)
    expect(port).toBeDefined()
  })

  test('one file, with the statistics of every leaf', async () => {
    const inner: Columns = [column('a.b', 'int32'), column('q"q', 'string')]
    const { files } = await stage(
      `SELECT range::INTEGER AS n, 'w"' || range AS word, {'a.b': range::INTEGER, 'q"q': NULL::VARCHAR} AS st,
        [1.5::DOUBLE, 'nan'::DOUBLE] AS reals, make_timestamptz(1701234567890123 + range) AS at,
        repeat('e', 300) AS long, NULL::DATE AS day FROM range(3)`,
      [
        { ...column('n', 'int32') },
        column('word', 'string'),
        column('st', { kind: 'struct', columns: inner }),
        column('reals', { kind: 'list', element: 'float64', elementNullable: true }),
        column('at', 'timestamp'),
        column('long', 'string'),
        column('day', 'date'),
      ],
    )
    expect(files).toHaveLength(1)
    const [file] = files
    expect(file).toMatchObject({ rowCount: 3, partitionValues: {} })
    const found = new Map(file!.columnStatistics.map((c) => [c.path.join('/'), c]))
    expect([...found.keys()].sort()).toEqual(
      ['at', 'day', 'long', 'n', 'reals/element', 'st/a.b', 'st/q"q', 'word'].sort(),
    )
    expect(found.get('n')).toMatchObject({
      valueCount: 3,
      nullCount: 0,
      min: '0',
      max: '2',
      minIsExact: true,
    })
    expect(found.get('word')).toMatchObject({ min: 'w"0', max: 'w"2', maxIsExact: true })
    expect(found.get('st/a.b')).toMatchObject({ min: '0', max: '2' })
    expect(found.get('st/q"q')).toMatchObject({ nullCount: 3 })
    expect(found.get('st/q"q')!.min).toBeUndefined()
    expect(found.get('reals/element')).toMatchObject({ valueCount: 6, hasNan: true })
    expect(found.get('at')).toMatchObject({
      min: '2023-11-29 05:09:27.890123+00',
      max: '2023-11-29 05:09:27.890125+00',
    })
    expect(found.get('long')).toMatchObject({ minIsExact: false, maxIsExact: false })
    expect(found.get('long')!.min!.length).toBeLessThan(300)
  })

  test('field ids and instants are in the Parquet schema', async () => {
    const { files } = await stage(
      'SELECT 1 AS a, make_timestamptz(5) AS b, make_timestamp(5) AS c',
      [
        { ...column('a', 'int32'), fieldId: 7 } as Columns[number],
        { ...column('b', 'timestamp'), fieldId: 9 } as Columns[number],
        column('c', 'timestamp_ntz'),
      ],
    )
    const schema = await held.connection.rows(
      `SELECT name, field_id, logical_type FROM parquet_schema('${files[0]!.path}') WHERE name IN ('a', 'b', 'c')`,
    )
    expect(schema.map(([name, id]) => [name, id])).toEqual([
      ['a', 7n],
      ['b', 9n],
      ['c', null],
    ])
    expect(schema[1]![2]).toMatch(/isAdjustedToUTC=1.*MICROS=MicroSeconds/)
    expect(schema[2]![2]).toMatch(/isAdjustedToUTC=0/)
  })

  test('rows are split by value; null, empty and odd texts stay apart', async () => {
    const { files } = await stage(
      `SELECT range AS n, CASE range % 5 WHEN 0 THEN NULL WHEN 1 THEN '' WHEN 2 THEN 'NULL' WHEN 3 THEN '__HIVE_DEFAULT_PARTITION__' ELSE 'a/b=''c' END AS p,
        DATE '2024-01-01' + (range % 2)::INTEGER AS d FROM range(1000)`,
      [column('n', 'int64')],
      { partitionBy: ['p', 'd'] },
    )
    const seen = files.map((f) => [f.partitionValues.p, f.partitionValues.d, f.rowCount])
    expect(seen).toHaveLength(10)
    expect(seen).toContainEqual([null, '2024-01-01', 100])
    expect(seen).toContainEqual(['__HIVE_DEFAULT_PARTITION__', '2024-01-02', 100])
    expect(seen).toContainEqual(["a/b='c", '2024-01-02', 100])
    expect(files.reduce((sum, f) => sum + f.rowCount, 0)).toBe(1000)
    const rows = await held.connection.rows(
      `SELECT count(*), count(DISTINCT n) FROM read_parquet([${files.map((f) => `'${f.path.replaceAll("'", "''")}'`).join(', ')}], hive_partitioning = false)`,
    )
    expect(rows).toEqual([[1000n, 1000n]])
    expect(files[0]!.columnStatistics.map((c) => c.path)).toEqual([['n']])
  })

  test('large results are cut, with and without partitions, and sorted within row groups', async () => {
    const select = `SELECT hash(range) AS n, range % 2 AS p FROM range(600000)`
    for (const partitionBy of [[], ['p']]) {
      const { files } = await stage(select, [column('n', 'int64')], {
        partitionBy,
        orderBy: ['n'],
        fileBytesTarget: 500_000,
      })
      expect(files.length).toBeGreaterThan(2)
      expect(files.reduce((sum, f) => sum + f.rowCount, 0)).toBe(600_000)
      const paths = files.map((f) => `'${f.path}'`).join(', ')
      const [row] = await held.connection.rows(
        `SELECT count(*) FILTER (n < before), count(DISTINCT n) FROM (SELECT n, lag(n) OVER (PARTITION BY filename ORDER BY file_row_number) AS before
          FROM read_parquet([${paths}], filename = true, file_row_number = true, hive_partitioning = false))`,
      )
      // A step back can only be where one row group follows another: no more than there are groups.
      expect(Number(row![0])).toBeLessThan(10)
      expect(row![1]).toBe(600_000n)
    }
  })

  test('wide rows keep to the target too, though fewer than a row group would be', async () => {
    const select = `SELECT range AS n, range % 2 AS p, md5(range::VARCHAR) || md5((-range)::VARCHAR) AS wide FROM range(40000)`
    for (const partitionBy of [[], ['p']]) {
      const { files } = await stage(select, [column('n', 'int64'), column('wide', 'string')], {
        partitionBy,
        fileBytesTarget: 300_000,
      })
      expect(files.length).toBeGreaterThan(2)
      expect(Math.max(...files.map(({ bytes }) => bytes))).toBeLessThan(700_000)
      expect(files.reduce((sum, f) => sum + f.rowCount, 0)).toBe(40_000)
    }
  })

  test('where memory is short, one thread writes what several could not, and each row once', async () => {
    const rows = 'SELECT range AS n, repeat(md5(range::VARCHAR), 30) AS wide FROM range(100000)'
    await small.connection.run(`CREATE VIEW wide_rows AS ${rows}`)
    const columns: Columns = [column('n', 'int64'), column('wide', 'string')]
    const directory = path.join(small.folder, 'out')
    mkdirSync(directory)
    const files = await fileStager(small.engine).stageFiles({
      ...{ relation: { name: 'wide_rows', columns, rowCount: 100_000 }, columns },
      ...{ partitionBy: [], directory, fileBytesTarget: 64 * 1024 * 1024 },
    })
    expect(files.reduce((sum, { rowCount }) => sum + rowCount, 0)).toBe(100_000)
    expect(readdirSync(directory)).toHaveLength(files.length)
    const [row] = await held.connection.rows(
      `SELECT count(*), count(DISTINCT n) FROM read_parquet('${directory}/*.parquet')`,
    )
    expect(row).toEqual([100_000n, 100_000n])
    expect(await small.connection.rows("SELECT current_setting('threads')::INTEGER")).toEqual([[4]])
  })

  test('no rows, no files', async () => {
    const { files, directory } = await stage('SELECT 1 AS n WHERE false', [column('n', 'int32')])
    expect(files).toEqual([])
    expect(readdirSync(directory)).toEqual([])
  })

  test('quoted paths are taken apart', () => {
    expect(splitQuotedPath('"a"')).toEqual(['a'])
    expect(splitQuotedPath('"a.b"."c""d"."".""""')).toEqual(['a.b', 'c"d', '', '"'])
  })
})
