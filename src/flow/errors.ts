import { PlatformError } from '../model/errors.ts'

/** Another writer was at the history of a reference. */
export class ReferenceBusyError extends PlatformError {
  readonly code = 'REFERENCE_BUSY'
  readonly retry = 'later'
}

/** The log did not take rows that a reference changed; they are sent again. */
export class AmendRefusedError extends PlatformError {
  readonly code = 'AMEND_REFUSED'
  readonly retry = 'later'
}

/** The stream of changes that a reference follows has stopped; it is begun again after what the lake has. */
export class ReferenceStreamError extends PlatformError {
  readonly code = 'REFERENCE_STREAM_ENDED'
  readonly retry = 'later'
}
