import { messageOf, PlatformError } from '../../model/errors.ts'
import { SinkConfigError, SinkFailedError, SinkUnavailableError } from '../errors.ts'

// The driver's codes: https://github.com/snowflakedb/snowflake-connector-nodejs/blob/master/lib/constants/error_messages.js
// The server's: SQLSTATE classes, https://docs.snowflake.com/en/developer-guide/snowflake-scripting/exceptions

/** Network: no answer, an answer that is none, a session that ended. */
const LATER_CODES: ReadonlySet<unknown> = new Set([
  401001,
  401002,
  402001,
  407001,
  407002,
  '390114',
  '390104',
  '390111',
])
/** Incorrect user or password; no such role, warehouse or database; insufficient rights. */
const CONFIG_CODES: ReadonlySet<unknown> = new Set([
  390100,
  '390100',
  '390201',
  '390189',
  '003001',
  '002003',
  '002043',
])

/** The error of a call as one of ours; ours pass as they are. */
export function snowflakeError(attempt: string, error: unknown): PlatformError {
  if (error instanceof PlatformError) return error
  const message = `Could not ${attempt}: ${messageOf(error)}`
  const { code } = (error ?? {}) as { readonly code?: unknown }
  if (LATER_CODES.has(code)) return new SinkUnavailableError(message, { cause: error })
  if (CONFIG_CODES.has(code)) return new SinkConfigError(message, { cause: error })
  return new SinkFailedError(message, { cause: error })
}
