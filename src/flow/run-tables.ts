import type { Column, Columns } from '../model/column.ts'
import type { Run, RunTask } from '../model/run.ts'
import type { QueryTable } from '../sql/duckdb/query.ts'
import type { RunStore } from '../state/run-store.ts'
import { queryTable, type RowSpill } from './tables-to-sql.ts'

// The history of runs as tables: what ran, for which moment, how long each task took and what it did.

const text = (name: string, nullable = false): Column => ({ name, type: 'string', nullable })
const number = (name: string, nullable = false): Column => ({ name, type: 'int64', nullable })
const instant = (name: string, nullable = false): Column => ({ name, type: 'timestamp', nullable })

export const RUN_COLUMNS: Columns = [
  ...['run_id', 'status', 'trigger'].map((name) => text(name)),
  ...['schedule', 'backfill', 'pipeline', 'selectors'].map((name) => text(name, true)),
  instant('logical_at'),
  { name: 'full_refresh', type: 'boolean', nullable: false },
  instant('created_at'),
  instant('ended_at', true),
  number('duration_ms', true),
  number('interruptions'),
]

export const RUN_TASK_COLUMNS: Columns = [
  ...['run_id', 'task', 'pipeline', 'kind'].map((name) => text(name)),
  number('position'),
  text('status'),
  number('attempt'),
  instant('started_at', true),
  instant('ended_at', true),
  number('duration_ms', true),
  // What it did, as a JSON object: rows, files, bytes, versions.
  text('facts'),
  text('error_code', true),
  text('error', true),
]

/** The newest are shown; older ones are forgotten by age anyway. */
const RUN_COUNT_MAX = 100_000

/** `system.runs` and `system.run_tasks`, newest first; empty where nothing ever ran. */
export function runTables(
  spill: RowSpill,
  runs: () => Promise<RunStore | undefined>,
): readonly QueryTable[] {
  return [
    queryTable('system.runs', async () => {
      const found = (await (await runs())?.list({ limit: RUN_COUNT_MAX })) ?? []
      return spill.select(RUN_COLUMNS, found.map(runRow))
    }),
    queryTable('system.run_tasks', async () => {
      const found = (await (await runs())?.tasks(RUN_COUNT_MAX)) ?? []
      return spill.select(RUN_TASK_COLUMNS, found.map(taskRow))
    }),
  ]
}

const runRow = (run: Run): readonly unknown[] => [
  ...[run.id, run.status, run.trigger, run.schedule, run.backfill, run.pipeline],
  run.selectors.length === 0 ? null : run.selectors.join(' '),
  ...[micros(run.logicalMs), run.fullRefresh, micros(run.createdMs), micros(run.endedMs)],
  ...[lasted(run.createdMs, run.endedMs), run.interruptions],
]

const taskRow = (task: RunTask): readonly unknown[] => [
  ...[task.runId, task.id, task.pipeline, task.kind, task.position, task.status, task.attempt],
  ...[micros(task.startedMs), micros(task.endedMs), lasted(task.startedMs, task.endedMs)],
  ...[JSON.stringify(task.facts), task.errorCode, task.error],
]

const micros = (ms: number | null) => (ms === null ? null : BigInt(ms) * 1_000n)

const lasted = (fromMs: number | null, toMs: number | null) =>
  fromMs === null || toMs === null ? null : toMs - fromMs
