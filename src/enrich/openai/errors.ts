import { APIConnectionError, APIError, APIUserAbortError } from 'openai'
import { messageOf, type PlatformError } from '../../model/errors.ts'
import { LabelAnswerError, LabelServiceAwayError, LabelServiceRefusedError } from '../errors.ts'

/**
 * What a failed call means, by status (https://platform.openai.com/docs/guides/error-codes). A request that is wrong as it stands (400, 413, 422) may be
 * too long or hold a text that the service will not answer, so fewer texts may work.
 */
export function labelErrorOf(
  error: unknown,
  { model, baseUrl }: { model: string; baseUrl: string },
): PlatformError {
  const where = `${model} at ${baseUrl}`
  if (error instanceof APIUserAbortError || !(error instanceof APIError))
    return new LabelServiceAwayError(
      `${where} did not answer in time, or not to the end: ${messageOf(error)}`,
      {
        cause: error,
      },
    )
  if (error instanceof APIConnectionError)
    return new LabelServiceAwayError(`${where} cannot be reached: ${messageOf(error)}`, {
      cause: error,
    })
  const { status } = error
  const text = `${where} answered ${status}: ${messageOf(error)}`
  if (error.code === 'insufficient_quota')
    return new LabelServiceRefusedError(
      `${text}. The account has no credit left, and waiting does not bring any.`,
      { cause: error },
    )
  if (status === 408 || status === 409 || status === 429 || (status ?? 500) >= 500) {
    const waitMs = retryAfterMs(error.headers)
    return new LabelServiceAwayError(text, {
      cause: error,
      ...(waitMs === undefined ? {} : { waitMs }),
    })
  }
  if (isRefusedRequest(error)) return new LabelAnswerError(text, { cause: error })
  return new LabelServiceRefusedError(
    `${text}. Nothing more was asked. Check OPENAI_API_KEY, OPENAI_BASE_URL and MEKONG_LABEL_MODEL.`,
    { cause: error },
  )
}

/** The service understood who asks and does not like what is asked. */
export const isRefusedRequest = (error: unknown): boolean =>
  error instanceof APIError && [400, 413, 422].includes(error.status ?? 0)

/** RFC 9110, "Retry-After": seconds or a date. */
function retryAfterMs(headers: Headers | undefined): number | undefined {
  const text = headers?.get('retry-after')
  if (text === null || text === undefined) return undefined
  const seconds = Number(text)
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1_000)
  const atMs = Date.parse(text)
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - Date.now())
}
