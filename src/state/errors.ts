import { PlatformError } from '../model/errors.ts'

/** The state file was written by a newer release, or is no state file at all. Nothing was changed. */
export class StateLayoutError extends PlatformError {
  readonly code = 'STATE_LAYOUT'
  readonly retry = 'never'
}

/** No dead letter has an id that begins so. */
export class DeadLetterMissingError extends PlatformError {
  readonly code = 'DEAD_LETTER_MISSING'
  readonly retry = 'never'
}

/** More than one dead letter has an id that begins so. */
export class DeadLetterAmbiguousError extends PlatformError {
  readonly code = 'DEAD_LETTER_AMBIGUOUS'
  readonly retry = 'never'
}

/** What was asked cannot be done to a dead letter in its status. Nothing was changed. */
export class DeadLetterStatusError extends PlatformError {
  readonly code = 'DEAD_LETTER_STATUS'
  readonly retry = 'never'
}

/** A named limit was passed: too many calls waiting, or a value too large. Nothing was changed. */
export class StateLimitError extends PlatformError {
  readonly code = 'STATE_LIMIT'
  readonly retry = 'later'
}

/** The state file could not be read or written: disk full, locked, damaged, or its thread ended. */
export class StateUnavailableError extends PlatformError {
  readonly code = 'STATE_UNAVAILABLE'
  readonly retry = 'later'
}

const CLASSES = [
  StateLayoutError,
  DeadLetterMissingError,
  DeadLetterAmbiguousError,
  DeadLetterStatusError,
  StateLimitError,
  StateUnavailableError,
] as const

/** An error as it crosses from the store's thread. */
export interface WireError {
  readonly name: string
  readonly message: string
}

/** The error again, of its own class; what is not ours is the file's failure. */
export function stateErrorOf({ name, message }: WireError): PlatformError {
  const Class = CLASSES.find((one) => one.name === name)
  return Class === undefined
    ? new StateUnavailableError(`The state file could not be used: ${message}`)
    : new Class(message)
}
