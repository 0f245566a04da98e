import {
  MongoBulkWriteError,
  MongoNetworkError,
  MongoNotConnectedError,
  MongoParseError,
  MongoServerError,
  MongoServerSelectionError,
} from 'mongodb'
import { messageOf, PlatformError } from '../../model/errors.ts'
import { SinkConfigError, SinkFailedError, SinkUnavailableError } from '../errors.ts'

// Codes: https://github.com/mongodb/mongo/blob/master/src/mongo/base/error_codes.yml

/** Unauthorized, AuthenticationFailed, InvalidOptions, IndexOptionsConflict, IndexKeySpecsConflict */
const CONFIG_CODES: ReadonlySet<unknown> = new Set([13, 18, 72, 85, 86])
/** Shutdown, step-down, not primary, network: the driver's list of what may be tried again. */
const LATER_CODES: ReadonlySet<unknown> = new Set([
  6, 7, 89, 91, 112, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436,
])
const DUPLICATE_KEY = 11000

/** The error of a call as one of ours; ours pass as they are. */
export function mongoError(attempt: string, error: unknown): PlatformError {
  if (error instanceof PlatformError) return error
  const message = `Could not ${attempt}: ${messageOf(error)}`
  const options = { cause: error }
  if (
    error instanceof MongoNetworkError ||
    error instanceof MongoServerSelectionError ||
    error instanceof MongoNotConnectedError
  )
    return new SinkUnavailableError(message, options)
  if (error instanceof MongoParseError) return new SinkConfigError(message, options)
  if (error instanceof MongoServerError) {
    if (CONFIG_CODES.has(error.code)) return new SinkConfigError(message, options)
    if (LATER_CODES.has(error.code)) return new SinkUnavailableError(message, options)
  }
  return new SinkFailedError(message, options)
}

/** Whether all that went wrong is that newer documents are there already: then nothing went wrong. */
export function isOnlyNewer(error: unknown): boolean {
  if (!(error instanceof MongoBulkWriteError)) return false
  const failures = Array.isArray(error.writeErrors) ? error.writeErrors : [error.writeErrors]
  return failures.length > 0 && failures.every(({ code }) => code === DUPLICATE_KEY)
}
