import { PlatformError } from '../../model/errors.ts'

/** A model that cannot run as written: its SQL, its columns, or how it is to be kept. Nothing was changed. */
export class ModelInvalidError extends PlatformError {
  readonly code = 'MODEL_INVALID'
  readonly retry = 'never'
}

/** Rows that a model made do not fit how it is kept: keys that repeat, partitions without a value. Nothing was changed. */
export class ModelRowsError extends PlatformError {
  readonly code = 'MODEL_ROWS_INVALID'
  readonly retry = 'never'
}

/** What a model reads is not what it went on from: rows went where only more were expected, or the table is another one. Nothing was changed. */
export class ModelSourceError extends PlatformError {
  readonly code = 'MODEL_SOURCE_CHANGED'
  readonly retry = 'never'
}

/** Somebody else wrote a model's table meanwhile, or it is not known whether the commit arrived. The next run finds out. */
export class ModelConflictError extends PlatformError {
  readonly code = 'MODEL_CONFLICT'
  readonly retry = 'afterRefresh'
}

/** Data tests of severity `error` found rows. The model's rows are committed; what depends on them does not run. */
export class TestsFailedError extends PlatformError {
  readonly code = 'TESTS_FAILED'
  readonly retry = 'never'
  readonly failures: readonly TestFailure[]

  constructor(model: string, failures: readonly TestFailure[]) {
    const said = failures.map(({ test, failingCount }) => `${test} (${failingCount})`).join(', ')
    super(
      `Tests of ${model} failed: ${said}. Its rows are there, and what depends on it does not run. ` +
        `The failing rows: mekong sql "select * from system.test_failures where model = '${model}' order by tested_at desc".`,
    )
    this.failures = failures
  }
}

export interface TestFailure {
  readonly test: string
  readonly failingCount: number
}
