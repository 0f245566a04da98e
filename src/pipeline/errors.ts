import { PlatformError } from '../model/errors.ts'

/** What is wrong with a pipeline as written: where, what, and what would be right. */
export interface PlanProblem {
  /** Such as `user-events / table bronze.user_events`. */
  readonly where: string
  readonly what: string
  readonly fix: string
}

/** A pipeline that cannot be planned. Carries every problem found, not just the first. */
export class PlanError extends PlatformError {
  readonly code = 'PLAN_INVALID'
  readonly retry = 'never'
  readonly problems: readonly PlanProblem[]

  constructor(problems: readonly PlanProblem[]) {
    super(problems.map((p) => `${p.where}: ${p.what}. ${p.fix}`).join('\n'))
    this.problems = problems
  }
}
