import type { Connection } from 'snowflake-sdk'
import { SinkConfigError } from '../errors.ts'
import { type SnowflakeConfig, snowflakeName } from './config.ts'
import { snowflakeError } from './errors.ts'

/** One session. Statements run one after another. */
export interface SnowflakeSession {
  /** Rows as objects; names in the case that Snowflake answers them, which is upper case. @throws as `snowflakeError` */
  run(sql: string): Promise<readonly Readonly<Record<string, unknown>>[]>
  close(): Promise<void>
}

/** Retries of the driver itself end after this; the task that loads tries again later. */
const RETRY_SECONDS = 60

/** @throws SinkConfigError without the package, SinkUnavailableError */
export async function connectSnowflake(config: SnowflakeConfig): Promise<SnowflakeSession> {
  const { default: snowflake } = await import('snowflake-sdk').catch((cause) => {
    throw new SinkConfigError(
      'The package snowflake-sdk is not installed: it is an optional dependency. Install it, or leave SNOWFLAKE_ACCOUNT unset.',
      { cause },
    )
  })
  snowflake.configure({ logLevel: 'OFF', additionalLogToConsole: false })
  const { account, user, password, database, warehouse, role, url } = config
  const connection = snowflake.createConnection({
    ...{ account, username: user, password: password.reveal(), application: 'mekong' },
    ...(warehouse === undefined ? {} : { warehouse }),
    ...(role === undefined ? {} : { role }),
    ...(url === undefined ? {} : { accessUrl: url }),
    ...{ database, retryTimeout: RETRY_SECONDS },
  })
  await new Promise<void>((resolve, reject) =>
    connection.connect((error) =>
      error ? reject(snowflakeError(`connect to ${snowflakeName(config)}`, error)) : resolve(),
    ),
  )
  return {
    run: (sql) => execute(connection, sql, config),
    close: () => new Promise((resolve) => connection.destroy(() => resolve())),
  }
}

function execute(
  connection: Connection,
  sql: string,
  config: SnowflakeConfig,
): Promise<readonly Readonly<Record<string, unknown>>[]> {
  return new Promise((resolve, reject) =>
    connection.execute({
      sqlText: sql,
      complete: (error, _, rows) =>
        error
          ? reject(snowflakeError(`run "${sql.slice(0, 80)}" in ${snowflakeName(config)}`, error))
          : resolve(rows ?? []),
    }),
  )
}
