import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  EngineInterruptedError,
  EngineMemoryError,
  QueryRefusedError,
  SqlError,
} from '../../../src/sql/duckdb/errors.ts'
import { exportQuery, type QueryOptions, runQuery } from '../../../src/sql/duckdb/query.ts'
import { engineForTests } from './engine-for-tests.ts'

const held = engineForTests({ memoryLimitBytes: 256 * 1024 ** 2 })

const tables = [
  {
    schema: 'bronze',
    name: 'events',
    select: () => 'SELECT range AS n, range % 3 AS kind FROM range(10)',
  },
  { schema: 'gold', name: 'Odd "name"', select: async () => "SELECT 'x' AS a" },
  {
    schema: 'silver',
    name: 'never_named',
    select: (): string => {
      throw new Error('only tables that are named are asked for')
    },
  },
]

const run = (sql: string, options: Partial<QueryOptions> = {}) =>
  runQuery(held.engine, { sql, tables, ...options })

describe('query', () => {
  test('rows come typed, in forms that JSON can hold', async () => {
    const { columns, rows, truncated } = await run(
      `SELECT 1 AS one, 9007199254740993 AS big, 1.50::DECIMAL(5,2) AS money, make_timestamptz(1701234567890000) AS at,
        DATE '2024-02-29' AS day, 'nan'::DOUBLE AS nan, '\\x00\\xFF'::BLOB AS bin, [1, NULL] AS list, {'a': 'é'} AS st, MAP {'k': 2} AS map, NULL AS nothing -- end`,
    )
    expect(rows).toEqual([
      [
        1,
        '9007199254740993',
        '1.50',
        '2023-11-29 05:09:27.89+00',
        '2024-02-29',
        'NaN',
        '\\x00ff',
        [1, null],
        { a: 'é' },
        [{ key: 'k', value: 2 }],
        null,
      ],
    ])
    expect(columns[3]).toEqual({ name: 'at', type: 'TIMESTAMP WITH TIME ZONE' })
    expect(JSON.parse(JSON.stringify(rows))).toEqual(rows)
    expect(truncated).toBe(false)
  })

  test('tables are found by name, whatever the case, with CTEs and joins beside them', async () => {
    const { rows } = await run(
      'WITH few AS (SELECT * FROM Bronze.EVENTS WHERE n < 4) SELECT kind, count(*) FROM few JOIN gold."odd ""NAME""" ON true GROUP BY kind ORDER BY kind;',
    )
    expect(rows).toEqual([
      [0, 2],
      [1, 1],
      [2, 1],
    ])
    expect((await run('DESCRIBE bronze.events')).rows).toHaveLength(2)
    expect((await run('EXPLAIN SELECT * FROM bronze.events')).rows).not.toEqual([])
  })

  test('rows are bounded', async () => {
    const { rows, truncated } = await run('FROM bronze.events', { rowCountMax: 4 })
    expect(rows).toHaveLength(4)
    expect(truncated).toBe(true)
    expect((await run('FROM bronze.events', { rowCountMax: 10 })).truncated).toBe(false)
  })

  test.each([true, false])(
    'an unknown table is answered with the known ones (sandboxed: %s)',
    async (sandboxed) => {
      for (const sql of ['FROM bronze.nope', 'FROM nope.events', 'FROM events'])
        await expect(run(sql, { sandboxed })).rejects.toThrow(
          /bronze\.events, gold\.Odd "name", silver/,
        )
    },
  )

  test('errors say where they are', async () => {
    const error = await run('SELECT n,\n  nope FROM bronze.events').catch((e) => e)
    expect(error).toBeInstanceOf(SqlError)
    expect(error.message).toMatch(/line 2, column 3/)
    await expect(run('SELEC 1')).rejects.toThrow(SqlError)
    await expect(run("SELECT 'a'::INTEGER")).rejects.toMatchObject({ code: 'SQL_INVALID' })
  })

  test.each([
    'CREATE TABLE x AS SELECT 1',
    'SELECT 1; SELECT 2',
    "COPY (SELECT 1) TO '/tmp/never.csv'",
    'SET threads = 1',
    "ATTACH ':memory:' AS other",
    'INSTALL httpfs',
    "EXPLAIN ANALYZE COPY (SELECT 1) TO '/tmp/never.csv'",
  ])('%s is refused, sandboxed or not', async (sql) => {
    for (const sandboxed of [true, false])
      await expect(run(sql, { sandboxed })).rejects.toThrow(QueryRefusedError)
  })

  test.each([
    "FROM read_csv('FILE')",
    "SELECT * FROM bronze.events WHERE n IN (SELECT 1 FROM read_text('FILE'))",
    "FROM glob('/*')",
    "FROM query('SELECT 1')",
    "SELECT current_setting('temp_directory')",
    'FROM memory.main.secret',
    'FROM duckdb_settings()',
    'SHOW TABLES',
    "WITH a AS (FROM parquet_scan('FILE')) FROM a",
  ])('%s is refused in the sandbox', async (sql) => {
    await expect(run(sql)).rejects.toThrow(QueryRefusedError)
  })

  test('files are for the owner only, by function or by name', async () => {
    const file = path.join(held.folder, 'own.csv')
    writeFileSync(file, 'a\n1\n')
    for (const sql of [`FROM read_csv('${file}')`, `FROM '${file}'`]) {
      expect((await run(sql, { sandboxed: false })).rows).toEqual([[1]])
      await expect(run(sql)).rejects.toThrow()
    }
  })

  test('no name of the statement itself stands for a file or a system view where it does not hold', async () => {
    const file = path.join(held.folder, 'own.csv')
    writeFileSync(file, 'a\n1\n')
    for (const [name, from] of [
      [file, `'${file}'`],
      [file, `"${file}"`],
      ['duckdb_databases', 'duckdb_databases'],
    ]) {
      const own = `"${name}" AS (SELECT 1)`
      for (const sql of [
        `FROM ${from} WHERE EXISTS (WITH ${own} FROM "${name}")`,
        `SELECT (WITH ${own} SELECT count(*) FROM "${name}") FROM ${from}`,
        `WITH "${name}" AS (FROM "${name}") FROM "${name}"`,
        `WITH a AS (FROM "${name}"), ${own} FROM a`,
        `(WITH ${own} FROM "${name}") UNION ALL FROM ${from}`,
        `WITH RECURSIVE "${name}" AS (FROM "${name}" UNION ALL SELECT * FROM "${name}") FROM "${name}"`,
        `FROM (WITH ${own} FROM "${name}"), ${from}`,
      ])
        await expect(run(sql), sql).rejects.toMatchObject({
          code: expect.stringMatching(/QUERY_REFUSED|SQL_INVALID/),
          message: expect.stringMatching(/There is no table|may only read/),
        })
    }
  })

  test('names of the statement itself hold where SQL says so', async () => {
    for (const [sql, first] of [
      ['WITH a AS (SELECT 1 AS n), b AS (FROM a) SELECT n FROM b', 1],
      ['WITH a AS (SELECT 2 AS n) FROM (WITH a AS (FROM a) FROM a)', 2],
      ['WITH a AS (SELECT 3 AS n) FROM a UNION ALL FROM a', 3],
      [
        'WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 4) SELECT max(n) FROM r',
        4,
      ],
      ['WITH a AS (SELECT 5 AS n) SELECT (SELECT max(n) FROM A)', 5],
      [
        'WITH events AS (SELECT 6 AS n) SELECT min(e.n) FROM events e JOIN bronze.events b ON true',
        6,
      ],
      ['WITH a AS (SELECT 7 AS n) SELECT * FROM (SUMMARIZE a)', 'n'],
    ] as const)
      expect((await run(sql)).rows[0]![0], sql).toBe(first)
  })

  test('what grows a text without end, or plans another statement, is refused in the sandbox', async () => {
    for (const sql of [
      "SELECT repeat('x', 4000000000)",
      "SELECT len(lpad('x', 2000000000, 'y'))",
      "SELECT len(repeat(repeat(repeat('x', 10000), 10000), 10000))",
      "SELECT repeat('x', n) FROM bronze.events",
      "SELECT json_serialize_plan('FROM bronze.events')",
    ])
      await expect(run(sql), sql).rejects.toThrow(QueryRefusedError)
    expect((await run("SELECT lpad('7', 3, '0')")).rows).toEqual([['007']])
  })

  test('a signal, the clock and the memory limit stop a query; the engine goes on', async () => {
    const endless = 'SELECT sum(hash(a.range * b.range)) FROM range(10000000) a, range(10000000) b'
    const stop = new AbortController()
    setTimeout(() => stop.abort(), 50)
    await expect(run(endless, { signal: stop.signal })).rejects.toThrow(EngineInterruptedError)
    await expect(run(endless, { timeoutMs: 50 })).rejects.toThrow(EngineInterruptedError)
    await expect(
      run("SELECT len(list(repeat('x', 1000) || range)) FROM range(2000000)"),
    ).rejects.toThrow(EngineMemoryError)
    expect((await run('SELECT 1')).rows).toEqual([[1]])
  })

  test('results go to files, whole or not at all', async () => {
    const to = (name: string) => path.join(held.folder, name)
    const sql = 'SELECT n FROM bronze.events WHERE n < 2 ORDER BY n -- done'
    for (const name of ['out.csv', 'out.json', 'out.parquet', 'out.ndjson'])
      expect(await exportQuery(held.engine, { sql, tables, path: to(name) })).toEqual({
        rowCount: 2,
      })
    expect(readFileSync(to('out.csv'), 'utf8')).toBe('n\n0\n1\n')
    expect(JSON.parse(readFileSync(to('out.json'), 'utf8'))).toEqual([{ n: 0 }, { n: 1 }])
    expect(readFileSync(to('out.ndjson'), 'utf8')).toBe('{"n":0}\n{"n":1}\n')
    expect(
      (await run(`FROM '${to('out.parquet')}' ORDER BY n`, { sandboxed: false })).rows,
    ).toEqual([[0], [1]])
    const bad = { sql: "SELECT error('no')", tables, path: to('bad.csv') }
    await expect(exportQuery(held.engine, bad)).rejects.toThrow(SqlError)
    expect(existsSync(to('bad.csv')) || existsSync(to('bad.csv.partial'))).toBe(false)
    await expect(exportQuery(held.engine, { ...bad, path: to('bad.xlsx') })).rejects.toThrow(
      QueryRefusedError,
    )
  })
})

describe('a schema that DuckDB has a catalog of the same name for', () => {
  test('is ours, wherever the statement says it', async () => {
    const tables = [{ schema: 'system', name: 'ledger', select: () => "SELECT 'gateway' AS hop" }]
    for (const sql of [
      "SELECT 'ữ' AS x, hop FROM system.ledger",
      'SELECT l.hop FROM "system".ledger l JOIN system.LEDGER m USING (hop)',
      'EXPLAIN SELECT * FROM system.ledger',
      'WITH a AS (FROM system.ledger) SELECT * FROM a WHERE hop IN (SELECT hop FROM system.ledger)',
    ]) {
      expect((await runQuery(held.engine, { sql, tables })).rows, sql).not.toHaveLength(0)
    }
  })
})
