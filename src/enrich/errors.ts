import { PlatformError } from '../model/errors.ts'

/** The model's service is away, overloaded or slow. The same request may work later. */
export class LabelServiceAwayError extends PlatformError {
  readonly code = 'LABEL_SERVICE_AWAY'
  readonly retry = 'later'
  /** What the service asked to wait, if it did. */
  readonly waitMs: number | undefined

  constructor(
    message: string,
    options: { readonly waitMs?: number; readonly cause?: unknown } = {},
  ) {
    super(message, options)
    this.waitMs = options.waitMs
  }
}

/** The service does not take requests like ours: key, rights, model or address are wrong. No other request will fare better. */
export class LabelServiceRefusedError extends PlatformError {
  readonly code = 'LABEL_SERVICE_REFUSED'
  readonly retry = 'never'
}

/** The service took the request and gave an answer that is none, or would not answer these texts. Fewer of them may work. */
export class LabelAnswerError extends PlatformError {
  readonly code = 'LABEL_ANSWER_INVALID'
  readonly retry = 'never'
  /** What the answer cost all the same. */
  readonly usage: { readonly tokensIn: number; readonly tokensOut: number }

  constructor(
    message: string,
    options: {
      readonly usage?: { readonly tokensIn: number; readonly tokensOut: number }
      readonly cause?: unknown
    } = {},
  ) {
    super(message, options)
    this.usage = options.usage ?? { tokensIn: 0, tokensOut: 0 }
  }
}
