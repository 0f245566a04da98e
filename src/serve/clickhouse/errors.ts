import { messageOf } from '../../model/errors.ts'
import { SinkConfigError, SinkFailedError, SinkUnavailableError } from '../errors.ts'

// What ClickHouse's error codes mean to us:
// https://github.com/ClickHouse/ClickHouse/blob/master/src/Common/ErrorCodes.cpp

/** Too busy, out of memory or disk for now, shutting down, read-only for now. */
const LATER = new Set([
  159, 202, 203, 209, 210, 236, 241, 242, 243, 252, 279, 319, 394, 410, 425, 439,
])
/** Credentials, rights, unknown databases: a person must act. */
const PERSON = new Set([81, 192, 193, 194, 291, 497, 516])

/** An error of the server's or of the way to it, as one of ours. */
export function serverError(error: unknown, attempt: string): Error {
  const text = `${attempt} failed: ${messageOf(error).split('\n')[0]}.`
  const code = Number((error as { code?: unknown }).code)
  // The driver's own errors carry the server's number; all else happened on the way.
  if (!Number.isInteger(code))
    return new SinkUnavailableError(`${text} Nothing is lost; it is tried again.`, { cause: error })
  if (PERSON.has(code))
    return new SinkConfigError(
      `${text} Check CLICKHOUSE_URL, CLICKHOUSE_USER and CLICKHOUSE_PASSWORD.`,
      {
        cause: error,
      },
    )
  if (LATER.has(code))
    return new SinkUnavailableError(`${text} It is tried again.`, { cause: error })
  return new SinkFailedError(text, { cause: error })
}

/** An error of the embedded engine's, which carries the same numbers. */
export function embeddedError(error: unknown, attempt: string): Error {
  const text = `${attempt} chDB failed: ${messageOf(error).split('\n')[0]}`
  const { clickhouseCode } = error as { clickhouseCode?: unknown }
  return LATER.has(Number(clickhouseCode))
    ? new SinkUnavailableError(`${text} It is tried again.`, { cause: error })
    : new SinkFailedError(text, { cause: error })
}
