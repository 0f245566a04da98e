import { messageOf, PlatformError } from '../../model/errors.ts'
import { SinkConfigError, SinkFailedError, SinkUnavailableError } from '../errors.ts'

// Reasons and statuses: https://cloud.google.com/bigquery/docs/error-messages

const LATER_REASONS: ReadonlySet<string> = new Set([
  ...['backendError', 'internalError', 'rateLimitExceeded', 'quotaExceeded', 'jobBackendError'],
  ...['jobInternalError', 'jobRateLimitExceeded', 'resourcesExceeded', 'tableUnavailable'],
  ...['stopped', 'timeout'],
])
const CONFIG_REASONS: ReadonlySet<string> = new Set([
  ...['accessDenied', 'billingNotEnabled', 'billingTierLimitExceeded', 'blocked', 'notFound'],
  ...['responseTooLarge', 'authError', 'invalidUser'],
])

/** Of a call or of a job, the first is the one that counts. */
export interface BigqueryProblem {
  readonly reason?: string
  readonly message?: string
}

export const ALREADY_EXISTS = 409

export const statusOf = (error: unknown): number | undefined => {
  const { code } = (error ?? {}) as { readonly code?: unknown }
  return typeof code === 'number' ? code : undefined
}

/** Whether the same again, under another id, may well succeed. */
export const isPassing = ({ reason }: BigqueryProblem) =>
  reason !== undefined && LATER_REASONS.has(reason)

/** What a job ended with, as one of ours. */
export function jobError(attempt: string, problem: BigqueryProblem): PlatformError {
  const message = `Could not ${attempt}: ${problem.message ?? 'it failed'} (${problem.reason ?? 'no reason'}). Nothing of the load was taken over.`
  if (isPassing(problem)) return new SinkUnavailableError(message)
  if (problem.reason !== undefined && CONFIG_REASONS.has(problem.reason))
    return new SinkConfigError(message)
  return new SinkFailedError(message)
}

/** The error of a call as one of ours; ours pass as they are. */
export function bigqueryError(attempt: string, error: unknown): PlatformError {
  if (error instanceof PlatformError) return error
  const options = { cause: error }
  const message = `Could not ${attempt}: ${messageOf(error)}`
  const status = statusOf(error)
  const [first] = (error as { readonly errors?: readonly BigqueryProblem[] }).errors ?? []
  const reason = first?.reason ?? ''
  // Without a status there was no answer.
  if (status === undefined || status >= 500 || status === 429 || LATER_REASONS.has(reason))
    return new SinkUnavailableError(message, options)
  if ([401, 403, 404].includes(status) || CONFIG_REASONS.has(reason))
    return new SinkConfigError(message, options)
  return new SinkFailedError(message, options)
}
