import { PlatformError } from '../../model/errors.ts'

/** The embedding service is away or overloaded, also after waiting as long as it asked. Nothing was embedded. */
export class EmbeddingUnavailableError extends PlatformError {
  readonly code = 'EMBEDDING_UNAVAILABLE'
  readonly retry = 'later'
}

/** The embedding service or model does not take our texts: key, model, address, package, or an answer that is none. */
export class EmbeddingRefusedError extends PlatformError {
  readonly code = 'EMBEDDING_REFUSED'
  readonly retry = 'never'
}
