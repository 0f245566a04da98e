import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { openComputeEngine } from '../../../src/sql/duckdb/engine.ts'
import { EngineInterruptedError, EngineIoError, SqlError } from '../../../src/sql/duckdb/errors.ts'
import { exportQuery } from '../../../src/sql/duckdb/query.ts'
import { quoteIdentifier, quotePath, quoteText } from '../../../src/sql/duckdb/quote-identifier.ts'
import { engineForTests } from './engine-for-tests.ts'

const held = engineForTests()

describe('engine', () => {
  test('is set up as promised', async () => {
    const setting = async (name: string) =>
      (await held.connection.rows(`SELECT current_setting('${name}')`))[0]![0]
    expect(await setting('TimeZone')).toBe('UTC')
    expect(await setting('memory_limit')).toBe('512.0 MiB')
    expect(await setting('autoinstall_known_extensions')).toBe(false)
    expect(await setting('autoload_known_extensions')).toBe(false)
    expect(await setting('temp_directory')).toBe(path.join(held.folder, 'spill'))
  })

  test('relations are seen by every connection, and have names of their own', async () => {
    const other = await held.engine.connection()
    const [a, b] = [held.engine.relationName('rows'), held.engine.relationName('rows')]
    expect(a).not.toBe(b)
    await held.connection.run(`CREATE TABLE ${a} AS SELECT 1 AS n`)
    expect(await other.rows(`FROM ${a}`)).toEqual([[1]])
    await other.run(`DROP TABLE ${a}`)
    other.close()
    other.close()
  })

  test('errors are typed, whatever their text', async () => {
    await expect(held.connection.run('SELEC 1')).rejects.toThrow(SqlError)
    await expect(held.connection.run('FROM nowhere')).rejects.toMatchObject({
      facts: { type: 'Catalog', kind: 'Table', name: 'nowhere', position: 5 },
    })
    await expect(held.connection.run("FROM read_csv('/no/such/file')")).rejects.toThrow(
      EngineIoError,
    )
    await expect(held.connection.run("FROM 's3://bucket/a.parquet'")).rejects.toThrow(SqlError)
    for (const text of ['no', '{"exception_type":"INTERRUPT"}'])
      await expect(held.connection.run(`SELECT error('${text}')`)).rejects.toMatchObject({
        code: 'SQL_INVALID',
        facts: { type: 'Invalid Input', text },
      })
  })

  test('a signal that has aborted starts nothing; one that aborts stops a stream', async () => {
    await expect(held.connection.run('SELECT 1', { signal: AbortSignal.abort() })).rejects.toThrow(
      EngineInterruptedError,
    )
    const stop = new AbortController()
    const reading = (async () => {
      let count = 0
      for await (const chunk of held.connection.stream('FROM range(100000000)', stop.signal)) {
        count += chunk.rowCount
        if (count > 10_000) stop.abort()
      }
    })()
    await expect(reading).rejects.toThrow(EngineInterruptedError)
    expect(await held.connection.rows('SELECT 1')).toEqual([[1]])
  })

  test('more than the memory limit is spilled, not refused', async () => {
    const [row] = await held.connection.rows(
      "SELECT count(*), max(len(x)) FROM (SELECT repeat('x', 900) || range AS x, hash(range) AS h FROM range(1000000) ORDER BY h)",
    )
    expect(row).toEqual([1_000_000n, 906n])
  })

  test('an export keeps the order that was asked for, however large', async () => {
    const file = path.join(held.folder, 'sorted.csv')
    const sql = 'SELECT n FROM (SELECT hash(range) % 1000000 AS n FROM range(600000)) ORDER BY n'
    await exportQuery(held.engine, { sql, tables: [], path: file })
    const numbers = readFileSync(file, 'utf8').trimEnd().split('\n').slice(1).map(Number)
    expect(numbers).toHaveLength(600_000)
    expect(numbers.every((n, index) => index === 0 || numbers[index - 1]! <= n)).toBe(true)
    expect(existsSync(`${file}.partial`)).toBe(false)
  })

  test('quoting', async () => {
    expect(quoteIdentifier('a"b')).toBe('"a""b"')
    expect(quoteText("it's")).toBe("'it''s'")
    for (const text of ["it's", 'a\0b', '\0', "\\n'\0'"])
      expect(await held.connection.rows(`SELECT ${quoteText(text)}`)).toEqual([[text]])
    expect(quotePath(['a', 'b.c'])).toBe('"a"."b.c"')
  })
})

describe('closing under a running statement', () => {
  test('ends the statement, and harms nobody', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'mekong-engine-'))
    try {
      const engine = await openComputeEngine({ spillDirectory: folder })
      const slow =
        'SELECT count(*) FROM range(100_000) a, range(100_000) b WHERE a.range + b.range = 7'
      const connection = await engine.connection()
      const one = connection.run(slow)
      one.catch(() => {})
      connection.close()
      const other = (await engine.connection()).run(slow)
      other.catch(() => {})
      engine.close()
      await expect(one).rejects.toMatchObject({ code: 'ENGINE_INTERRUPTED' })
      await expect(other).rejects.toMatchObject({ code: 'ENGINE_INTERRUPTED' })
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
