import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, type TestContext, test } from 'vitest'
import { SinkConfigError } from '../../../src/serve/errors.ts'
import {
  type PostgresConfig,
  postgresConfigFromVariables,
  secret,
} from '../../../src/serve/postgres/config.ts'
import {
  type EmbeddedPostgres,
  startEmbeddedPostgres,
} from '../../../src/serve/postgres/embedded.ts'
import { migrate } from '../../../src/serve/postgres/migrations.ts'
import { countPostgresRows, queryPostgres } from '../../../src/serve/postgres/query.ts'
import { ensureService, type ServiceHandle, type SkipReason } from '../../services.ts'

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

describe('a real server', () => {
  const ask = (config: PostgresConfig, sql = 'SELECT 1') => queryPostgres(config, { sql })
  let server: ServiceHandle | SkipReason
  beforeAll(async () => {
    server = await ensureService('postgres')
  })
  function configOf(context: TestContext): PostgresConfig {
    if ('skip' in server) return context.skip(server.skip)
    const resolved = postgresConfigFromVariables(server.environment)
    if (resolved.status !== 'resolved') throw new Error('the service gives a whole environment')
    return resolved.config
  }

  test('with a wrong password is for a person, not for another try', async (context) => {
    const config = { ...configOf(context), password: secret('not-the-password') }
    const failure = await failureOf(ask(config))
    expect(failure).toMatchObject({ code: 'SINK_MISCONFIGURED', retry: 'never' })
    expect(String(failure)).not.toContain('not-the-password')
  })

  test('is spoken to through TLS, and believed only with the right certificate', async (context) => {
    const config = configOf(context)
    const { folder } = server as ServiceHandle
    const sql = 'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()'
    expect((await ask({ ...config, sslMode: 'disable' }, sql)).rows).toEqual([[false]])
    expect((await ask({ ...config, sslMode: 'require' }, sql)).rows).toEqual([[true]])
    const checked: PostgresConfig = { ...config, sslMode: 'verify-full' }
    expect(await failureOf(ask(checked))).toBeInstanceOf(SinkConfigError)
    const sslRootCertificate = readFileSync(path.join(folder, 'data', 'server.crt'), 'utf8')
    expect((await ask({ ...checked, sslRootCertificate }, sql)).rows).toEqual([[true]])
  })
})
