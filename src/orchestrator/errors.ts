import { PlatformError } from '../model/errors.ts'

export interface ConfigProblem {
  /** The variable, or the line of the config file. */
  readonly where: string
  readonly what: string
}

/** Settings that cannot be used. Carries every problem found, not just the first. */
export class ConfigError extends PlatformError {
  readonly code = 'CONFIG_INVALID'
  readonly retry = 'never'
  readonly problems: readonly ConfigProblem[]

  constructor(problems: readonly ConfigProblem[]) {
    super(problems.map(({ where, what }) => `${where} ${what}`).join('\n'))
    this.problems = problems
  }
}

/** Another process writes to this home folder. */
export class HomeLockedError extends PlatformError {
  readonly code = 'HOME_LOCKED'
  readonly retry = 'later'
}

/** The home folder was written by a newer version of the program. */
export class HomeVersionError extends PlatformError {
  readonly code = 'HOME_TOO_NEW'
  readonly retry = 'never'
}
