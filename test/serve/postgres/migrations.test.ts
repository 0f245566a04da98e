import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { SinkConfigError } from '../../../src/serve/errors.ts'
import { postgresConfig, secret } from '../../../src/serve/postgres/config.ts'
import {
  type EmbeddedPostgres,
  startEmbeddedPostgres,
} from '../../../src/serve/postgres/embedded.ts'
import { migrate } from '../../../src/serve/postgres/migrations.ts'
import { countPostgresRows, queryPostgres } from '../../../src/serve/postgres/query.ts'
import { postgresSink } from '../../../src/serve/postgres/sink.ts'
import { ensureService } from '../../services.ts'

let folder: string
let embedded: EmbeddedPostgres
beforeAll(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'mekong-postgres-'))
  embedded = await startEmbeddedPostgres({ folder, port: 0 })
})
afterAll(async () => {
  await embedded.close()
  rmSync(folder, { recursive: true })
})

const failureOf = (work: Promise<unknown>) =>
  work.then(
    () => null,
    (error: unknown) => error,
  )

describe('migrations', () => {
  const one = { name: '001_a.sql', sql: 'CREATE TABLE a (n int);\nCREATE INDEX ON a (n);' }
  const two = { name: '002_b.sql', sql: 'ALTER TABLE a ADD word text' }

  test('run once each, in order, also when one is added later', async () => {
    const apply = (...list: (typeof one)[]) => migrate(embedded.config, 'a', list)
    expect(await apply(one)).toEqual(['001_a.sql'])
    expect(await apply(one, two)).toEqual(['002_b.sql'])
    expect(await apply(one, { ...two, sql: two.sql.replaceAll('\n', '\r\n') })).toEqual([])
  })

  test('one that changed after it was applied is an error that says what to do', async () => {
    const changed = { ...one, sql: `${one.sql} -- better` }
    const failure = await failureOf(migrate(embedded.config, 'a', [changed, two]))
    expect(failure).toBeInstanceOf(SinkConfigError)
    expect(String(failure)).toMatch(/001_a\.sql.*restore the file.*next number/s)
  })

  test('one that fails leaves nothing of itself and stops those after it', async () => {
    const half = {
      name: '001.sql',
      sql: 'CREATE TABLE half (n int); CREATE TABLE nonsense (n intt)',
    }
    const after = { name: '002.sql', sql: 'CREATE TABLE after_half (n int)' }
    const failure = await failureOf(migrate(embedded.config, 'half', [half, after]))
    expect(failure).toBeInstanceOf(SinkConfigError)
    expect(String(failure)).toContain('001.sql')
    const { rows } = await queryPostgres(embedded.config, {
      sql: "SELECT count(*) FROM pg_tables WHERE tablename IN ('half', 'after_half')",
    })
    expect(rows).toEqual([[0n]])
  })

  test('a table that nobody created is named', async () => {
    const sink = postgresSink(embedded.config, {
      table: 'nowhere',
      columns: [{ name: 'n', type: 'int32', nullable: false }],
      migrations: [],
    })
    const failure = await failureOf(sink.open())
    await sink.close()
    expect(failure).toBeInstanceOf(SinkConfigError)
    expect(String(failure)).toContain('no table nowhere')
  })
})

describe('questions', () => {
  test('are answered with types', async () => {
    const sql = `SELECT 1 AS n, 2::bigint AS big, 1.50::numeric(5,2) AS money, true AS yes, NULL::text AS nothing,
      timestamptz '2023-11-29 05:09:27.890+00' AS at, date '2024-02-29' AS day, '{"a":1}'::jsonb AS doc`
    const { columns, rows, truncated } = await queryPostgres(embedded.config, { sql })
    expect(columns.map((column) => column.type)).toEqual([
      ...['int32', 'int64', { kind: 'decimal', precision: 5, scale: 2 }, 'boolean', 'string'],
      ...['timestamp', 'date', 'string'],
    ])
    const expected = [1, 2n, '1.50', true, null, 1_701_234_567_890_000n, '2024-02-29', '{"a": 1}']
    expect(rows).toEqual([expected])
    expect(truncated).toBe(false)
  })

  test('stop at the limit', async () => {
    const sql = 'SELECT * FROM generate_series(1, 1000000) AS n ORDER BY n;'
    const answer = await queryPostgres(embedded.config, { sql, rowCountMax: 3 })
    expect(answer).toMatchObject({ rows: [[1], [2], [3]], truncated: true })
    const shown = await queryPostgres(embedded.config, { sql: 'SHOW server_encoding' })
    expect(shown.rows).toEqual([['UTF8']])
  })

  test('cannot change anything', async () => {
    await migrate(embedded.config, 'safe', [{ name: '1', sql: 'CREATE TABLE safe AS SELECT 1 n' }])
    const attempts = ['DELETE FROM safe', 'SELECT 1; DELETE FROM safe', 'COMMIT; DELETE FROM safe']
    attempts.push('WITH gone AS (DELETE FROM safe RETURNING 1) SELECT * FROM gone')
    for (const sql of attempts)
      expect(await failureOf(queryPostgres(embedded.config, { sql }))).toBeInstanceOf(
        SinkConfigError,
      )
    expect(await countPostgresRows(embedded.config, 'safe')).toBe(1)
  })

  test('with a mistake in them say where', async () => {
    const failure = await failureOf(queryPostgres(embedded.config, { sql: 'SELECT nothing' }))
    expect(failure).toBeInstanceOf(SinkConfigError)
    expect(String(failure)).toContain('nothing')
  })
})

test('a wrong password is for a person, not for another try', async (context) => {
  const server = await ensureService('postgres')
  if ('skip' in server) return context.skip(server.skip)
  const config = postgresConfig({
    ...{ host: '127.0.0.1', port: server.port, database: 'mekong', user: 'mekong' },
    password: secret('not-the-password'),
  })
  const failure = await failureOf(queryPostgres(config, { sql: 'SELECT 1' }))
  expect(failure).toMatchObject({ code: 'SINK_MISCONFIGURED', retry: 'never' })
  expect(String(failure)).not.toContain('not-the-password')
})
