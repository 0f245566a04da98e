import { messageOf } from '../../model/errors.ts'
import { SinkConfigError, SinkFailedError, SinkUnavailableError } from '../errors.ts'

// What Neo4j's status codes mean to us: https://neo4j.com/docs/status-codes/current/errors/all-errors/

/** An error of the driver's or the server's, as one of ours. */
export function neo4jError(error: unknown, uri: string): Error {
  const code = String((error as { code?: unknown }).code ?? '')
  const text = `The graph at ${uri} did not take a statement: ${messageOf(error)}`
  if (code.startsWith('Neo.ClientError.Security.'))
    return new SinkConfigError(`${text} Check NEO4J_USERNAME and NEO4J_PASSWORD.`, { cause: error })
  if (
    code === 'ServiceUnavailable' ||
    code === 'SessionExpired' ||
    code.startsWith('Neo.TransientError.') ||
    code === 'Neo.DatabaseError.Database.DatabaseLimitReached'
  )
    return new SinkUnavailableError(`${text} It is tried again.`, { cause: error })
  return new SinkFailedError(text, { cause: error })
}
