import type { Run, RunLogLine, RunRequest, RunTask, RunTaskStatus } from '../model/run.ts'
import type { Cells, Statement } from './run-database.ts'

// Runs as rows, and back. Pure.

export const RUN_COLUMNS =
  'id, status, schedule, backfill, logical_ms, request, created_ms, ended_ms, interruptions'

export function runOf(row: Cells): Run {
  return {
    ...(JSON.parse(row.request as string) as RunRequest),
    id: row.id as string,
    status: row.status as Run['status'],
    createdMs: row.created_ms as number,
    endedMs: row.ended_ms as number | null,
    interruptions: row.interruptions as number,
  }
}

export function taskOf(row: Cells): RunTask {
  return {
    runId: row.run_id as string,
    id: row.task as string,
    pipeline: row.pipeline as string,
    kind: row.kind as RunTask['kind'],
    position: row.position as number,
    status: row.status as RunTaskStatus,
    attempt: row.attempt as number,
    startedMs: row.started_ms as number | null,
    endedMs: row.ended_ms as number | null,
    facts: JSON.parse(row.facts as string) as RunTask['facts'],
    errorCode: row.error_code as string | null,
    error: row.error as string | null,
    progressDone: row.progress_done as number | null,
    progressTotal: row.progress_total as number | null,
  }
}

export const lineOf = (row: Cells): RunLogLine => ({
  task: row.task as string,
  attempt: row.attempt as number,
  atMs: row.at_ms as number,
  line: row.line as string,
})

/** Takes a run in, unless its schedule has one for this moment or an active one. Gives the id back when it did. */
export function insertRun(run: Run, runner: string): Statement {
  const { id, status, createdMs, endedMs, interruptions, ...request } = run
  return {
    sql: `INSERT INTO runs (id, status, schedule, backfill, logical_ms, request, runner, created_ms)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING RETURNING id`,
    values: [
      ...[id, status, run.schedule, run.backfill, run.logicalMs],
      ...[JSON.stringify(request), runner, createdMs],
    ],
  }
}

/** Nothing when the run was not taken in. */
export const insertTask = (task: RunTask): Statement => ({
  sql: `INSERT INTO run_tasks (run_id, task, pipeline, kind, position, status, attempt, facts)
SELECT $1, $2, $3, $4, CAST($5 AS INTEGER), $6, 0, '{}' WHERE EXISTS (SELECT 1 FROM runs WHERE id = $1)`,
  values: [task.runId, task.id, task.pipeline, task.kind, task.position, task.status],
})

export const updateTask = (task: RunTask): Statement => ({
  sql: `UPDATE run_tasks SET status = $3, attempt = $4, started_ms = $5, ended_ms = $6, facts = $7,
error_code = $8, error = $9, progress_done = $10, progress_total = $11 WHERE run_id = $1 AND task = $2`,
  values: [
    ...[task.runId, task.id, task.status, task.attempt, task.startedMs, task.endedMs],
    ...[JSON.stringify(task.facts), task.errorCode, task.error],
    ...[task.progressDone, task.progressTotal],
  ],
})

export const insertLine = (runId: string, lineNumber: number, line: RunLogLine): Statement => ({
  sql: `INSERT INTO run_logs (run_id, task, attempt, line_number, at_ms, line)
VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
  values: [runId, line.task, line.attempt, lineNumber, line.atMs, line.line],
})
