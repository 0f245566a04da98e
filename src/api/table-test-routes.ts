import { FAILURES_TABLE } from '../flow/test-model.ts'
import { type KeptFailure, type TestState, testStates } from '../flow/test-states.ts'
import type { HttpRoute } from '../gateway/router.ts'
import type { DataTest, SqlModel } from '../model/sql-model.ts'
import type { Platform } from '../orchestrator/platform.ts'
import { quoteIdentifier, quoteText } from '../sql/duckdb/quote-identifier.ts'
import { apiRoute } from './exchange.ts'
import { instant } from './views.ts'

// How the data tests of a table stand, and how fresh it is.

/** Failing rows shown of a test. */
const FAILING_ROW_COUNT = 20
/** Runs looked through for the last one of a model. */
const RUN_COUNT_MAX = 50

export function tableTestRoutes(platform: Platform): readonly HttpRoute[] {
  return [
    apiRoute({
      method: 'GET',
      path: '/v1/tables/:name/tests',
      summary: 'Data tests and freshness of a table, with last results and failing rows',
      description:
        'A test is `passed`, `warned`, `failed`, or `unknown` before its first run. `last_failure` is the newest that was kept, whether it stands or not.',
      answer: async ({ params }) => testsView(platform, params.name!),
    }),
  ]
}

const modelOf = ({ plans }: Platform, name: string) =>
  plans.flatMap(({ models }) => models).find((model) => model.name === name)

async function testsView(platform: Platform, name: string) {
  const { lake, clock } = platform
  const model = modelOf(platform, name)
  const isView = model?.materialize.kind === 'view'
  const state = isView ? undefined : await lake.state(name)
  const [newest] = isView ? [] : await lake.history(name, 1)
  const version = state?.version === undefined ? null : String(state.version)
  const lastRun = model === undefined ? undefined : await lastRunOf(platform, name)
  const failures = model === undefined ? [] : await keptFailures(platform, name)
  const states = testStates(model?.tests ?? [], { failures, lastRun, version })
  return {
    table: name,
    is_model: model !== undefined,
    committed_at: newest === undefined ? null : instant(newest.committedMs),
    last_run:
      lastRun === undefined
        ? null
        : {
            ...{ run: lastRun.runId, status: lastRun.status, error: lastRun.error },
            ended_at: lastRun.endedMs === null ? null : instant(lastRun.endedMs),
          },
    tests: states.map(testView),
    freshness: model === undefined ? [] : await freshnessOf(platform, model, name, clock.nowMs()),
  }
}

function testView({ test, status, lastFailure }: TestState) {
  const { name, severity, kind } = test
  return {
    ...{ name, kind, severity, status },
    about: argumentsOf(test),
    last_failure:
      lastFailure === undefined
        ? null
        : {
            ...{ run: lastFailure.runId, tested_at: lastFailure.testedAt },
            ...{ version: lastFailure.version, failing_rows: lastFailure.failingRows },
            rows: lastFailure.rows.flatMap((row) => (row === null ? [] : [JSON.parse(row)])),
          },
  }
}

/** What a test is asked with. */
function argumentsOf(test: DataTest): Readonly<Record<string, unknown>> {
  const { name: _name, severity: _severity, kind: _kind, ...rest } = test
  if (!('sql' in rest)) return rest
  const { sql } = rest
  return { sql: typeof sql === 'string' ? sql : (sql.pathname.split('/').at(-1) ?? '') }
}

const ENDED: ReadonlySet<string> = new Set(['done', 'nothing_new', 'failed'])

/** The last time that a model was run to an end. */
async function lastRunOf({ runner }: Platform, name: string) {
  for (const { id } of await runner.store.list({ limit: RUN_COUNT_MAX })) {
    const task = (await runner.store.find(id)).tasks.find((each) => each.id === name)
    if (task !== undefined && ENDED.has(task.status)) return task
  }
  return undefined
}

/** The newest failure of each test. */
async function keptFailures(platform: Platform, name: string): Promise<readonly KeptFailure[]> {
  if (!(await platform.lake.names()).includes(FAILURES_TABLE)) return []
  const { rows } = await platform.ask({
    sql: `SELECT test, run_id, tested_at::VARCHAR, any_value(severity), any_value(version)::VARCHAR,
        any_value(failing_rows), list("row" ORDER BY "row")[:${FAILING_ROW_COUNT}]
      FROM ${FAILURES_TABLE} WHERE model = ${quoteText(name)}
      GROUP BY test, run_id, tested_at
      QUALIFY row_number() OVER (PARTITION BY test ORDER BY tested_at DESC) = 1`,
  })
  return rows.map(([test, runId, testedAt, severity, version, failingRows, some]) => ({
    ...{ test: String(test), runId: String(runId), testedAt: String(testedAt) },
    ...{ severity: String(severity), version: version === null ? null : String(version) },
    failingRows: Number(failingRows),
    rows: some as (string | null)[],
  }))
}

/** How old the newest value is, for each test of freshness, now. */
async function freshnessOf(platform: Platform, { tests }: SqlModel, name: string, nowMs: number) {
  const asked = tests.flatMap((test) => (test.kind === 'freshness' ? [test] : []))
  return Promise.all(
    asked.map(async ({ column, warnAfterMs, errorAfterMs }) => {
      const table = name.split('.').map(quoteIdentifier).join('.')
      const { rows } = await platform.ask({
        sql: `SELECT epoch_ms(max(${quoteIdentifier(column)})::TIMESTAMPTZ) FROM ${table}`,
      })
      const newestMs = rows[0]?.[0] == null ? undefined : Number(rows[0][0])
      const ageMs = newestMs === undefined ? Number.POSITIVE_INFINITY : nowMs - newestMs
      const seconds = (ms: number | undefined) => (ms === undefined ? null : ms / 1_000)
      return {
        column,
        newest: newestMs === undefined ? null : instant(newestMs),
        age_seconds: newestMs === undefined ? null : Math.round(ageMs / 1_000),
        warn_after_seconds: seconds(warnAfterMs),
        error_after_seconds: seconds(errorAfterMs),
        status:
          errorAfterMs !== undefined && ageMs > errorAfterMs
            ? 'stale'
            : warnAfterMs !== undefined && ageMs > warnAfterMs
              ? 'late'
              : 'fresh',
      }
    }),
  )
}
