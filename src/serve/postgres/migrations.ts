import { createHash } from 'node:crypto'
import { SinkConfigError } from '../errors.ts'
import { connect, type PostgresConnection } from './client.ts'
import { type PostgresConfig, postgresName } from './config.ts'
import { SYSTEM_TABLES_SQL } from './encode.ts'
import { sinkError } from './errors.ts'

/** A numbered SQL file, read by the caller. It runs once, whole, in a transaction of its own. */
export interface Migration {
  /** The file's name, such as `001_user_events.sql`. */
  readonly name: string
  /** One or more statements, without BEGIN and COMMIT. */
  readonly sql: string
}

/** Any number that nobody else is likely to choose; all Mekong starters of one database queue here. */
const LOCK_KEY = '7308604897'
/** Building an index on a large table takes hours, not seconds. */
const MIGRATION_MS_MAX = 24 * 60 * 60 * 1000

/**
 * Bring the tables of `target` up to date: create our own, then apply each migration that was not applied yet, in the order given.
 * Running it again changes nothing; two starters take turns. Returns the names of those applied now.
 * @throws SinkConfigError when an applied migration was changed since or when one fails, SinkUnavailableError
 */
export async function migrate(
  config: PostgresConfig,
  target: string,
  migrations: readonly Migration[],
  signal?: AbortSignal,
): Promise<readonly string[]> {
  const connection = await connect({ ...config, statementTimeoutMs: MIGRATION_MS_MAX }, signal)
  const aborted = () => connection.destroy()
  signal?.addEventListener('abort', aborted, { once: true })
  const appliedNow: string[] = []
  try {
    const where = postgresName(config)
    await inTurn(connection, `prepare the schema mekong in ${where}`, () =>
      connection.run(SYSTEM_TABLES_SQL),
    )
    for (const migration of migrations) {
      const attempt = `apply the migration ${migration.name} of ${target} to ${where}`
      await inTurn(connection, attempt, async () => {
        if (await isApplied(connection, target, migration)) return
        await connection.run(migration.sql)
        await connection.run(
          'INSERT INTO mekong.migrations (target, name, checksum) VALUES ($1, $2, $3)',
          [target, migration.name, checksumOf(migration)],
        )
        appliedNow.push(migration.name)
      })
    }
    return appliedNow
  } catch (error) {
    signal?.throwIfAborted()
    throw error
  } finally {
    signal?.removeEventListener('abort', aborted)
    await connection.close()
  }
}

/** Do `work` in a transaction while no other starter does, and commit it. */
async function inTurn(
  connection: PostgresConnection,
  attempt: string,
  work: () => Promise<unknown>,
): Promise<void> {
  try {
    // `statement_timeout = 0`: also waiting for our turn may take as long as another's migration takes.
    await connection.run(
      `BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0;
SET LOCAL client_min_messages = warning; SELECT pg_advisory_xact_lock(${LOCK_KEY})`,
    )
    await work()
    await connection.run('COMMIT')
  } catch (error) {
    if (!connection.lost) await connection.run('ROLLBACK').catch(() => connection.destroy())
    throw sinkError(attempt, error)
  }
}

async function isApplied(
  connection: PostgresConnection,
  target: string,
  migration: Migration,
): Promise<boolean> {
  const { rows } = await connection.run(
    'SELECT checksum, applied_at FROM mekong.migrations WHERE target = $1 AND name = $2',
    [target, migration.name],
  )
  const applied = rows[0]
  if (applied === undefined) return false
  if (applied[0] !== checksumOf(migration))
    throw new SinkConfigError(
      `The migration ${migration.name} of ${target} was applied on ${applied[1]} and its text has changed since. ` +
        'Applied migrations are history: restore the file and put the change into a new one with the next number. ' +
        `Nothing was changed in the database. (If only wording changed, set its checksum in mekong.migrations to ${checksumOf(migration)}.)`,
    )
  return true
}

/** Of the text without carriage returns, so that a checkout on Windows is no change. */
function checksumOf(migration: Migration): string {
  return createHash('sha256').update(migration.sql.replaceAll('\r\n', '\n')).digest('hex')
}
