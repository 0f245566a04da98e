import { PlatformError } from '../model/errors.ts'

/** The state file cannot be used now: disk trouble, or its thread has ended. Nothing was changed. */
export class StateUnavailableError extends PlatformError {
  readonly code = 'STATE_UNAVAILABLE'
  readonly retry = 'later'
}

/** The state file was written by a newer program, or is not one. */
export class StateVersionError extends PlatformError {
  readonly code = 'STATE_VERSION'
  readonly retry = 'never'
}

/** No dead letter, or more than one, has the id that was asked for. */
export class DeadLetterMissingError extends PlatformError {
  readonly code = 'DEAD_LETTER_MISSING'
  readonly retry = 'never'
}

/** A dead letter cannot do what was asked in the state it is in, such as being replayed twice. */
export class DeadLetterStateError extends PlatformError {
  readonly code = 'DEAD_LETTER_STATE'
  readonly retry = 'never'
}

/** There is no such run, or an id is not told apart from others by its beginning. */
export class RunMissingError extends PlatformError {
  readonly code = 'RUN_MISSING'
  readonly retry = 'never'
}

/** There is no such backfill, or an id is not told apart from others by its beginning. */
export class BackfillMissingError extends PlatformError {
  readonly code = 'BACKFILL_MISSING'
  readonly retry = 'never'
}
