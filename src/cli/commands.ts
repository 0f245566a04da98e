import type { Command } from './command.ts'
import { audit } from './commands/audit.ts'
import { backfill } from './commands/backfill.ts'
import { changes } from './commands/changes.ts'
import { collect } from './commands/collect.ts'
import { config } from './commands/config.ts'
import { convert } from './commands/convert.ts'
import { demo } from './commands/demo.ts'
import { describe } from './commands/describe.ts'
import { dlq } from './commands/dlq.ts'
import { doctor } from './commands/doctor.ts'
import { enrich } from './commands/enrich.ts'
import { expire } from './commands/expire.ts'
import { exportSchedules } from './commands/export.ts'
import { history } from './commands/history.ts'
import { keys } from './commands/keys.ts'
import { ledger } from './commands/ledger.ts'
import { lineage } from './commands/lineage.ts'
import { load } from './commands/load.ts'
import { optimize } from './commands/optimize.ts'
import { plan } from './commands/plan.ts'
import { restore } from './commands/restore.ts'
import { run } from './commands/run.ts'
import { runs } from './commands/runs.ts'
import { schedules } from './commands/schedules.ts'
import { sessions } from './commands/sessions.ts'
import { sql } from './commands/sql.ts'
import { status } from './commands/status.ts'
import { sync } from './commands/sync.ts'
import { tables } from './commands/tables.ts'
import { test } from './commands/test.ts'
import { topics } from './commands/topics.ts'
import { up } from './commands/up.ts'
import { vacuum } from './commands/vacuum.ts'

/** Every command, in the order in which help shows them. */
export const COMMANDS: readonly Command[] = [
  ...[demo, up, load, collect],
  ...[run, runs, schedules, backfill, exportSchedules, enrich, sync],
  ...[sql, tables, describe, history, topics],
  ...[changes, restore, optimize, expire, vacuum, convert],
  ...[status, ledger, dlq],
  ...[plan, test, lineage],
  ...[doctor, config, keys, sessions, audit],
]
