import { PlatformError } from '../model/errors.ts'

/** The running platform did not do what was asked, and said why. */
export class PlatformRefusedError extends PlatformError {
  readonly code = 'PLATFORM_REFUSED'
  readonly retry = 'never'
  /** The `code` of its problem document. */
  readonly problem: string

  constructor(message: string, problem: string) {
    super(message)
    this.problem = problem
  }
}

/** A platform is said to run, and did not answer. */
export class PlatformSilentError extends PlatformError {
  readonly code = 'PLATFORM_SILENT'
  readonly retry = 'later'
}

/** The name of an API key is taken, or no key in force has it. */
export class KeyNameError extends PlatformError {
  readonly code = 'KEY_NAME'
  readonly retry = 'never'
}

/** There is no such session of the console, or it is over. */
export class SessionMissingError extends PlatformError {
  readonly code = 'SESSION_MISSING'
  readonly retry = 'never'
}
