import { PlatformError } from '../model/errors.ts'
import type { Task } from '../model/task.ts'

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

/** Tasks wait for one another in a circle. */
export class TaskCycleError extends PlatformError {
  readonly code = 'TASK_CYCLE'
  readonly retry = 'never'
  /** The first and the last are the same. */
  readonly circle: readonly string[]

  constructor(circle: readonly string[]) {
    super(
      `Tasks wait for one another in a circle: ${circle.join(' after ')}. Nothing was run. Break it by reading another table in one of them.`,
    )
    this.circle = circle
  }
}

/** A selector names no task. */
export class SelectorError extends PlatformError {
  readonly code = 'SELECTOR_UNKNOWN'
  readonly retry = 'never'
  readonly selector: string

  constructor(selector: string, tasks: readonly Task[]) {
    super(`"${selector}" names no task. Nothing was run. ${listOf(tasks)}`)
    this.selector = selector
  }
}

const NAME_COUNT_MAX = 40

function listOf(tasks: readonly Task[]): string {
  if (tasks.length === 0) return 'No pipeline has tasks: models, steps, syncs or maintenance.'
  const list = (word: string, found: readonly string[]) => {
    const names = [...new Set(found)].sort()
    const shown = names.slice(0, NAME_COUNT_MAX).join(', ')
    const more = names.length > NAME_COUNT_MAX ? ` and ${names.length - NAME_COUNT_MAX} more` : ''
    return names.length === 0 ? [] : [`${word}: ${shown}${more}.`]
  }
  return [
    ...list(
      'Tasks',
      tasks.map(({ id }) => id),
    ),
    ...list(
      'Pipelines',
      tasks.map(({ pipeline }) => pipeline),
    ),
    ...list(
      'Tags',
      tasks.flatMap(({ tags }) => tags.map((tag) => `tag:${tag}`)),
    ),
    ...list(
      'Kinds',
      tasks.map(({ kind }) => `kind:${kind}`),
    ),
  ].join(' ')
}

/** An attempt of a task took longer than it may. */
export class TaskTimeoutError extends PlatformError {
  readonly code = 'TASK_TIMEOUT'
  readonly retry = 'later'

  constructor(id: string, timeoutMs: number) {
    super(
      `${id} was not done after ${timeoutMs / 1_000} s and was stopped. What it had committed stays. Give its schedule a longer timeoutMs, or its work fewer rows.`,
    )
  }
}

/** This process was away for so long that another one may have taken over what it was doing. */
export class LeaseLostError extends PlatformError {
  readonly code = 'LEASE_LOST'
  readonly retry = 'later'

  constructor() {
    super(
      `It was stopped: its lease was not renewed in time (the process was held up, or the state was away), so another one may do the same by now. What it had committed stays.`,
    )
  }
}

/** A backfill that cannot be begun as asked. */
export class BackfillInvalidError extends PlatformError {
  readonly code = 'BACKFILL_INVALID'
  readonly retry = 'never'

  constructor(why: string) {
    super(`${why} Nothing was begun.`)
  }
}

/** No pipeline has such a schedule. */
export class ScheduleMissingError extends PlatformError {
  readonly code = 'SCHEDULE_MISSING'
  readonly retry = 'never'

  constructor(id: string, known: readonly string[]) {
    super(
      `There is no schedule "${id}". Nothing was run. There are: ${known.length === 0 ? 'none' : known.join(', ')}.`,
    )
  }
}
