import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { messageOf } from '../model/errors.ts'
import { StateUnavailableError, StateVersionError } from './errors.ts'
import type { Cells, RunDatabase, Statement } from './run-database.ts'
import { RUN_LAYOUT } from './run-layout.ts'

// Runs in PostgreSQL 13 or newer, for platforms that share them: in a schema of their own, made when it is first opened. Survives whatever
// the server's commits survive. Not for more than a few hundred tasks a minute, and made for no more.

export interface PostgresRunsConfig {
  readonly host: string
  readonly port: number
  readonly database: string
  readonly user: string
  readonly password: { reveal(): string } | null
  readonly ssl: false | { readonly rejectUnauthorized: boolean; readonly ca?: string }
  /** For messages; without the password. */
  readonly name: string
}

const SCHEMA = 'mekong_runs'
/** Of the schema's tables; kept in its table `layout`. */
const LAYOUT_VERSION = 1
/** Whoever opens the schema first makes it, the others wait; any number that nobody else locks. */
const LAYOUT_LOCK = 7_312_540_917
const CONNECTION_COUNT_MAX = 4
const CONNECT_MS_MAX = 10_000
const STATEMENT_MS_MAX = 30_000
const ATTEMPT_COUNT_MAX = 5
const INT8 = 20
/** Two transactions were in each other's way; the server undid one. https://www.postgresql.org/docs/current/errcodes-appendix.html */
const COLLISIONS = new Set(['40001', '40P01'])

/** @throws StateUnavailableError, StateVersionError */
export async function openPostgresRuns(config: PostgresRunsConfig): Promise<RunDatabase> {
  const { host, port, database, user, password, ssl } = config
  const pool = new pg.Pool({
    ...{ host, port, database, user, ssl, max: CONNECTION_COUNT_MAX },
    ...(password === null ? {} : { password: password.reveal() }),
    application_name: 'mekong runs',
    connectionTimeoutMillis: CONNECT_MS_MAX,
    statement_timeout: STATEMENT_MS_MAX,
    options: `-c search_path=${SCHEMA}`,
    types: {
      getTypeParser: (oid: number, format?: 'text') =>
        oid === INT8 ? Number : pg.types.getTypeParser(oid, format),
    } as pg.CustomTypesConfig,
  })
  // A connection that dies while nobody uses it is replaced; whoever uses one is told by its own error.
  pool.on('error', () => {})
  const all = (statements: readonly Statement[]) =>
    inTransaction(pool, config.name, async (client) => {
      const answers: (readonly Cells[])[] = []
      for (const { sql, values } of statements)
        answers.push((await client.query<Cells>(sql, [...values])).rows)
      return answers
    })
  try {
    await makeLayout(pool, config.name)
  } catch (error) {
    await pool.end()
    throw error
  }
  return {
    nowMsSql: '(EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::BIGINT',
    shared: true,
    all,
    close: () => pool.end(),
  }
}

async function makeLayout(pool: pg.Pool, name: string): Promise<void> {
  const version = await inTransaction(pool, name, async (client) => {
    await client.query('SELECT pg_advisory_xact_lock($1)', [LAYOUT_LOCK])
    await client.query(`CREATE SCHEMA IF NOT EXISTS ${SCHEMA}`)
    await client.query('CREATE TABLE IF NOT EXISTS layout (version INTEGER NOT NULL)')
    const { rows } = await client.query<{ version: number }>('SELECT version FROM layout')
    if (rows[0] !== undefined) return rows[0].version
    await client.query(RUN_LAYOUT)
    await client.query('INSERT INTO layout VALUES ($1)', [LAYOUT_VERSION])
    return LAYOUT_VERSION
  })
  if (version > LAYOUT_VERSION)
    throw new StateVersionError(
      `The runs in ${name} have layout ${version}, and this program knows up to ${LAYOUT_VERSION}. Use the newer program.`,
    )
}

async function inTransaction<T>(
  pool: pg.Pool,
  name: string,
  work: (client: pg.PoolClient) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await once(pool, work)
    } catch (error) {
      const { code = '' } = error as { code?: string }
      if (!COLLISIONS.has(code) || attempt === ATTEMPT_COUNT_MAX)
        throw new StateUnavailableError(
          `The runs in ${name} cannot be used: ${messageOf(error)}. What was under way was not kept, unless the server kept it without saying so.`,
          { cause: error },
        )
    }
    await sleep(attempt * 20 * Math.random())
  }
}

async function once<T>(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect()
  let failed: Error | undefined
  try {
    await client.query('BEGIN')
    const result = await work(client)
    await client.query('COMMIT')
    return result
  } catch (error) {
    failed = error as Error
    await client.query('ROLLBACK').catch(() => {})
    throw error
  } finally {
    // After an error nobody knows what state the connection is in; a new one does.
    client.release(failed !== undefined)
  }
}
