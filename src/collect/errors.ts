import { PlatformError } from '../model/errors.ts'

/** A source is away, too busy, too slow, or breaks off its answers, also after trying again. */
export class SourceAwayError extends PlatformError {
  readonly code = 'SOURCE_AWAY'
  readonly retry = 'later'
}

/** A source does not let us in. No other request will fare better. */
export class SourceRefusedError extends PlatformError {
  readonly code = 'SOURCE_REFUSED'
  readonly retry = 'never'
}

/** A source does not take one request, or answers what is none. Others may work. */
export class SourceAnswerError extends PlatformError {
  readonly code = 'SOURCE_ANSWER_INVALID'
  readonly retry = 'never'
}

/** Another process collects for the same pipeline and home. */
export class CollectorBusyError extends PlatformError {
  readonly code = 'COLLECTOR_BUSY'
  readonly retry = 'later'
}
