import mysql, { type FieldPacket, type RowDataPacket } from 'mysql2/promise'
import type { MysqlConfig } from './config.ts'
import { mysqlError } from './errors.ts'

/** One connection, for one statement after another. Lost connections are noticed by the next call, which throws SinkUnavailableError. */
export interface MysqlConnection {
  /** `8.4.3` or `10.11.6-MariaDB-0+deb12u1`. */
  readonly serverVersion: string
  /** Rows as arrays. With `values`, `?` stands for the next of them. @throws SinkUnavailableError, SinkConfigError, SinkFailedError */
  run(sql: string, values?: readonly unknown[]): Promise<readonly (readonly unknown[])[]>
  /** The same with the types of the columns on the wire. */
  read(sql: string): Promise<{ readonly fields: readonly WireField[]; readonly rows: unknown[][] }>
  close(): Promise<void>
}

export interface WireField {
  readonly name: string
  readonly type: number
}

/** Connect. @throws SinkUnavailableError, SinkConfigError */
export async function connectMysql(
  config: MysqlConfig,
  signal?: AbortSignal,
): Promise<MysqlConnection> {
  const where = `MySQL at ${config.host}:${config.port}`
  const options = {
    ...{ host: config.host, port: config.port, database: config.database },
    ...{ user: config.user, password: config.password, charset: 'utf8mb4_unicode_ci' },
    ...{ connectTimeout: config.connectTimeoutMs, rowsAsArray: true, dateStrings: true },
    ...{ supportBigNumbers: true, bigNumberStrings: true, timezone: 'Z' },
  }
  const attempt = async <T>(work: () => Promise<T>): Promise<T> => {
    signal?.throwIfAborted()
    try {
      return await work()
    } catch (error) {
      signal?.throwIfAborted()
      throw mysqlError(error, where)
    }
  }
  const connection = await attempt(() => mysql.createConnection(options))
  // The driver tells of a lost connection as an event too; the next statement says it where somebody listens.
  connection.on('error', () => {})
  const aborted = () => connection.destroy()
  signal?.addEventListener('abort', aborted, { once: true })
  const query = async (sql: string, values?: readonly unknown[]) => {
    const [rows, fields] = await attempt(() =>
      connection.query<RowDataPacket[]>(sql, values === undefined ? undefined : [...values]),
    )
    return { rows: Array.isArray(rows) ? (rows as unknown as unknown[][]) : [], fields }
  }
  // Strict, in UTC, and without surprises from the server's own settings.
  await query(
    "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', time_zone = '+00:00'",
  )
  const version = await query('SELECT VERSION()')
  return {
    serverVersion: String(version.rows[0]?.[0]),
    run: async (sql, values) => (await query(sql, values)).rows,
    async read(sql) {
      const { rows, fields } = await query(sql)
      const wire = (fields as FieldPacket[]).map(({ name, type }) => ({ name, type: type ?? 0 }))
      return { rows, fields: wire }
    },
    async close() {
      signal?.removeEventListener('abort', aborted)
      await connection.end().catch(() => connection.destroy())
    },
  }
}
