import type { RunTask } from '../model/run.ts'
import type { DataTest } from '../model/sql-model.ts'

// How the data tests of a table stand, from what is remembered: the failures that were kept and the last run of the model. Pure.

/** The newest failure that was kept of a test. */
export interface KeptFailure {
  readonly test: string
  readonly runId: string
  /** As the table of failures has it. */
  readonly testedAt: string
  readonly severity: string
  /** Of the table that was tested. */
  readonly version: string | null
  readonly failingRows: number
  /** Some of the rows, as JSON. */
  readonly rows: readonly (string | null)[]
}

export interface TestState {
  readonly test: DataTest
  /** `unknown`: the model has not been run, or its last run did not come to its tests. */
  readonly status: 'passed' | 'warned' | 'failed' | 'unknown'
  readonly lastFailure: KeptFailure | undefined
}

type LastRun = Pick<RunTask, 'runId' | 'status' | 'errorCode'>

/**
 * Tests are asked when a model runs, and only of rows that have not passed yet. So a failure stands while the table is as it was then, or when it
 * is of the last run; otherwise what has run since has passed.
 */
export function testStates(
  tests: readonly DataTest[],
  {
    failures,
    lastRun,
    version,
  }: {
    readonly failures: readonly KeptFailure[]
    readonly lastRun: LastRun | undefined
    /** Of the table now. */
    readonly version: string | null
  },
): readonly TestState[] {
  return tests.map((test) => {
    const lastFailure = failures.find((failure) => failure.test === test.name)
    const stands =
      lastFailure !== undefined &&
      (lastFailure.runId === lastRun?.runId ||
        (lastFailure.version !== null && lastFailure.version === version))
    const status = stands
      ? lastFailure.severity === 'warn'
        ? 'warned'
        : 'failed'
      : wasTested(lastRun)
        ? 'passed'
        : 'unknown'
    return { test, status, lastFailure }
  })
}

const wasTested = (run: LastRun | undefined): boolean =>
  run !== undefined &&
  (run.status === 'done' || run.status === 'nothing_new' || run.errorCode === 'TESTS_FAILED')
