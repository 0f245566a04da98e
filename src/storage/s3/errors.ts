import { PlatformError } from '../../model/errors.ts'
import { StorageDeniedError, StorageIoError } from '../errors.ts'

// The service's codes: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html

/** What the SDK's errors carry that is worth deciding on. */
interface ServiceError {
  readonly name?: string
  readonly $metadata?: { readonly httpStatusCode?: number }
}

/** The HTTP status that a request was answered with; `undefined` when no answer came. */
export const statusOf = (error: unknown): number | undefined =>
  (error as ServiceError | undefined)?.$metadata?.httpStatusCode

/** Whether there is no such object. A missing bucket is something else. */
export const isMissing = (error: unknown): boolean => {
  const { name } = error as ServiceError
  return statusOf(error) === 404 && name !== 'NoSuchBucket'
}

/** A request that the caller gave up. */
export const isAbort = (error: unknown): boolean =>
  (error as Error | undefined)?.name === 'AbortError'

/** The service's error as ours. `retry` follows the status: 401, 403 and a missing bucket stay as they are, all else may pass. */
export function s3ErrorOf(error: unknown, attempted: string): PlatformError {
  if (error instanceof PlatformError) return error
  const { name = 'unknown' } = error as ServiceError
  const status = statusOf(error)
  if (status === 401 || status === 403)
    return new StorageDeniedError(
      `${attempted}: not permitted (${name}). Check the credentials and what they may do in the bucket.`,
      { cause: error },
    )
  if (name === 'NoSuchBucket')
    return new StorageDeniedError(`${attempted}: there is no such bucket. Make it first.`, {
      cause: error,
    })
  const answer = status === undefined ? 'no answer came' : `it answered ${status}`
  return new StorageIoError(`${attempted}: ${answer} (${name}).`, { cause: error })
}
