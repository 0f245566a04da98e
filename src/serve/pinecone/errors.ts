import { SinkConfigError, SinkFailedError, SinkUnavailableError } from '../errors.ts'

// What Pinecone's HTTP statuses mean to us: https://docs.pinecone.io/reference/api/errors

/** An answer that is no success, as one of our errors. */
export function pineconeError(status: number, path: string, host: string, text: string): Error {
  const what = `${host}${path} answered ${status}: ${text.slice(0, 200)}`
  if (status === 401 || status === 403)
    return new SinkConfigError(`${what} Check PINECONE_API_KEY.`)
  if (status === 404) return new SinkConfigError(`${what} Check PINECONE_HOST.`)
  if (status === 429 || status >= 500) return new SinkUnavailableError(`${what} It is tried again.`)
  return new SinkFailedError(what)
}
