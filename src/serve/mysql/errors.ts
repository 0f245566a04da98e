import { messageOf, type PlatformError } from '../../model/errors.ts'
import { SinkConfigError, SinkFailedError, SinkUnavailableError } from '../errors.ts'

/** Codes of the driver and the server (https://mariadb.com/docs/server/reference/error-codes, https://dev.mysql.com/doc/mysql-errors/8.4/en/). */
const AWAY = new Set([
  ...['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EHOSTUNREACH'],
  ...[
    'PROTOCOL_CONNECTION_LOST',
    'ER_CON_COUNT_ERROR',
    'ER_SERVER_SHUTDOWN',
    'ER_LOCK_WAIT_TIMEOUT',
  ],
  ...[
    'ER_LOCK_DEADLOCK',
    'ER_QUERY_INTERRUPTED',
    'ER_RECORD_FILE_FULL',
    'ER_DISK_FULL',
    'ER_OPTION_PREVENTS_STATEMENT',
  ],
])
const MISCONFIGURED = new Set([
  ...['ER_ACCESS_DENIED_ERROR', 'ER_DBACCESS_DENIED_ERROR', 'ER_TABLEACCESS_DENIED_ERROR'],
  ...['ER_BAD_DB_ERROR', 'ER_SPECIFIC_ACCESS_DENIED_ERROR', 'ER_NO_SUCH_TABLE', 'ER_DUP_ENTRY'],
  ...['ER_TOO_LONG_KEY', 'ER_TOO_BIG_ROWSIZE', 'ER_KEY_COLUMN_DOES_NOT_EXITS'],
])

/** A thrown value of the driver as one of ours; ours stay as they are. */
export function mysqlError(error: unknown, attempt: string): PlatformError | DOMException {
  if (error instanceof DOMException) return error
  const { code, fatal } = error as { code?: string; fatal?: boolean }
  const text = `${attempt}: ${messageOf(error)}`
  if (code !== undefined && MISCONFIGURED.has(code))
    return new SinkConfigError(text, { cause: error })
  if ((code !== undefined && AWAY.has(code)) || fatal === true)
    return new SinkUnavailableError(text, { cause: error })
  return new SinkFailedError(text, { cause: error })
}
