import type { Run, RunLogLine, RunStatus, RunTask } from '../model/run.ts'
import { RunMissingError } from './errors.ts'
import { type Leases, leasesIn } from './lease-rows.ts'
import type { RunDatabase, Statement } from './run-database.ts'
import {
  insertLine,
  insertRun,
  insertTask,
  lineOf,
  RUN_COLUMNS,
  runOf,
  taskOf,
  updateTask,
} from './run-rows.ts'

// The history of runs, and who carries them out.
//
// Comes in: runs with their tasks, changes to them, lines that tasks said. Goes out: the same, for people and for whoever goes on
// with a run. Survives a crash: everything whose promise was fulfilled. Each call is one transaction.

export interface RunFilter {
  readonly status?: RunStatus
  readonly schedule?: string
  readonly backfill?: string
  /** Default 20. */
  readonly limit?: number
}

export interface RunDetail {
  readonly run: Run
  /** In the run's order. */
  readonly tasks: readonly RunTask[]
}

export interface LogPage {
  readonly task?: string
  readonly limit: number
}

export interface RunStore {
  readonly leases: Leases
  /** Whether other homes use it too. */
  readonly shared: boolean
  create(run: Run, tasks: readonly RunTask[], runner: string): Promise<CreateOutcome>
  /** Keep tasks as they stand now, and lines with their numbers; one transaction. */
  record(changes: RunChanges): Promise<void>
  end(id: string, status: RunStatus, endedMs: number): Promise<void>
  /** Become who carries out a run that nobody carries out. False when somebody does, or it is over. */
  claim(id: string, runner: string): Promise<boolean>
  /** Runs that are said to run and whose runner is gone; they become `interrupted`, and so do their tasks. */
  interruptAbandoned(): Promise<readonly string[]>
  wantCancel(id: string): Promise<void>
  /** Those of a runner's runs that somebody wants cancelled. */
  cancelsWanted(runner: string): Promise<readonly string[]>
  /** Newest first. */
  list(filter: RunFilter): Promise<readonly Run[]>
  /** Tasks of all runs, those of the newest first. */
  tasks(limit: number): Promise<readonly RunTask[]>
  /** The run whose id begins so. @throws RunMissingError */
  find(idStart: string): Promise<RunDetail>
  /** The last lines, oldest first. */
  log(id: string, page: LogPage): Promise<readonly RunLogLine[]>
  /** Forget runs that ended before. */
  forgetBefore(endedMs: number): Promise<void>
  /** The moment up to which a schedule was dealt with; it begins at `nowMs` when it is new or its times have changed. */
  scheduleHandledMs(name: string, cron: string, nowMs: number): Promise<number>
  scheduleHandled(name: string, handledMs: number): Promise<void>
  close(): Promise<void>
}

/** `made_already`: its schedule has a run for this moment. `busy`: its schedule has a run that is not over. */
export type CreateOutcome = 'created' | 'made_already' | 'busy'

export interface RunChanges {
  readonly runId: string
  readonly tasks: readonly RunTask[]
  readonly lines: readonly (RunLogLine & { readonly number: number })[]
}

const DEFAULT_LIST_SIZE = 20
const RUNNER_IS_GONE = (nowMsSql: string) =>
  `NOT EXISTS (SELECT 1 FROM leases WHERE leases.name = 'runner/' || runs.runner AND leases.expires_ms >= ${nowMsSql})`

/** Name of the lease by which a runner is known to be there. */
export const runnerLease = (runner: string): string => `runner/${runner}`

export function runStore(database: RunDatabase): RunStore {
  const { all, nowMsSql, shared } = database
  const one = async (sql: string, ...values: Statement['values']) =>
    (await all([{ sql, values }]))[0]!
  return {
    leases: leasesIn(database),
    shared,
    async create(run, tasks, runner) {
      const [created] = await all([insertRun(run, runner), ...tasks.map(insertTask)])
      if (created!.length === 1) return 'created'
      const sql = 'SELECT 1 AS made FROM runs WHERE schedule = $1 AND logical_ms = $2'
      const made = await one(sql, run.schedule, run.logicalMs)
      return made.length > 0 ? 'made_already' : 'busy'
    },
    async record({ runId, tasks, lines }) {
      if (tasks.length + lines.length === 0) return
      await all([
        ...tasks.map(updateTask),
        ...lines.map(({ number, ...line }) => insertLine(runId, number, line)),
      ])
    },
    async end(id, status, endedMs) {
      await one('UPDATE runs SET status = $2, ended_ms = $3 WHERE id = $1', id, status, endedMs)
    },
    claim: async (id, runner) =>
      (
        await one(
          `UPDATE runs SET status = 'running', runner = $2, ended_ms = NULL, cancel_wanted = 0
WHERE id = $1 AND (status = 'interrupted' OR (status = 'running' AND ${RUNNER_IS_GONE(nowMsSql)})) RETURNING id`,
          id,
          runner,
        )
      ).length === 1,
    async interruptAbandoned() {
      const [, rows] = await all([
        {
          sql: `UPDATE run_tasks SET status = 'interrupted' WHERE status IN ('running', 'retrying')
AND run_id IN (SELECT id FROM runs WHERE status = 'running' AND ${RUNNER_IS_GONE(nowMsSql)})`,
          values: [],
        },
        {
          sql: `UPDATE runs SET status = 'interrupted', interruptions = interruptions + 1
WHERE status = 'running' AND ${RUNNER_IS_GONE(nowMsSql)} RETURNING id`,
          values: [],
        },
      ])
      return rows!.map(({ id }) => String(id)).sort()
    },
    async wantCancel(id) {
      await one('UPDATE runs SET cancel_wanted = 1 WHERE id = $1', id)
    },
    cancelsWanted: async (runner) =>
      (
        await one(
          `SELECT id FROM runs WHERE runner = $1 AND status = 'running' AND cancel_wanted = 1`,
          runner,
        )
      ).map(({ id }) => String(id)),
    list: async (filter) => (await all([listRuns(filter)]))[0]!.map(runOf),
    tasks: async (limit) =>
      (await one('SELECT * FROM run_tasks ORDER BY run_id DESC, position LIMIT $1', limit)).map(
        taskOf,
      ),
    async find(idStart) {
      const found = await one(
        `SELECT ${RUN_COLUMNS} FROM runs WHERE substr(id, 1, length($1)) = $1 ORDER BY id DESC LIMIT 2`,
        idStart,
      )
      const row = found[0]
      if (row === undefined || idStart === '' || (found.length > 1 && row.id !== idStart)) {
        throw new RunMissingError(
          found.length > 1
            ? `More than one run begins with "${idStart}". Give more of its id.`
            : `There is no run "${idStart}". "mekong runs" lists them.`,
        )
      }
      const tasks = await one(
        'SELECT * FROM run_tasks WHERE run_id = $1 ORDER BY position',
        String(row.id),
      )
      return { run: runOf(row), tasks: tasks.map(taskOf) }
    },
    async log(id, { task, limit }) {
      const filter = task === undefined ? '' : 'AND task = $3'
      const rows = await one(
        `SELECT task, attempt, at_ms, line FROM run_logs WHERE run_id = $1 ${filter}
ORDER BY at_ms DESC, line_number DESC LIMIT $2`,
        ...[id, limit],
        ...(task === undefined ? [] : [task]),
      )
      return rows.map(lineOf).reverse()
    },
    async forgetBefore(endedMs) {
      const old = `SELECT id FROM runs WHERE status IN ('succeeded', 'failed', 'cancelled') AND ended_ms < $1`
      await all([
        { sql: `DELETE FROM run_logs WHERE run_id IN (${old})`, values: [endedMs] },
        { sql: `DELETE FROM run_tasks WHERE run_id IN (${old})`, values: [endedMs] },
        { sql: `DELETE FROM runs WHERE id IN (${old})`, values: [endedMs] },
      ])
    },
    async scheduleHandledMs(name, cron, nowMs) {
      const [, , rows] = await all([
        {
          sql: 'INSERT INTO schedules (name, cron, handled_ms) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING',
          values: [name, cron, nowMs],
        },
        {
          sql: 'UPDATE schedules SET cron = $2, handled_ms = $3 WHERE name = $1 AND cron <> $2',
          values: [name, cron, nowMs],
        },
        { sql: 'SELECT handled_ms FROM schedules WHERE name = $1', values: [name] },
      ])
      return rows![0]!.handled_ms as number
    },
    async scheduleHandled(name, handledMs) {
      await one(
        'UPDATE schedules SET handled_ms = $2 WHERE name = $1 AND handled_ms < $2',
        name,
        handledMs,
      )
    },
    close: () => database.close(),
  }
}

function listRuns({ status, schedule, backfill, limit = DEFAULT_LIST_SIZE }: RunFilter): Statement {
  const filters = Object.entries({ status, schedule, backfill }).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  )
  const where = filters.map(([column], index) => `${column} = $${index + 2}`).join(' AND ')
  return {
    sql: `SELECT ${RUN_COLUMNS} FROM runs ${where === '' ? '' : `WHERE ${where}`}
ORDER BY created_ms DESC, id DESC LIMIT $1`,
    values: [limit, ...filters.map(([, value]) => value)],
  }
}
