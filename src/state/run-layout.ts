/**
 * Tables of runs, in words that SQLite and PostgreSQL both know. Times are milliseconds since 1970; JSON is kept as text. A schedule has one
 * active run, and one run for a moment, because the indexes say so.
 */
export const RUN_LAYOUT = `
CREATE TABLE runs (
  id TEXT PRIMARY KEY,
  status TEXT NOT NULL,
  schedule TEXT,
  backfill TEXT,
  logical_ms BIGINT NOT NULL,
  request TEXT NOT NULL,
  runner TEXT NOT NULL,
  created_ms BIGINT NOT NULL,
  ended_ms BIGINT,
  interruptions INTEGER NOT NULL DEFAULT 0,
  cancel_wanted INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX runs_by_age ON runs (created_ms, id);
CREATE UNIQUE INDEX runs_once ON runs (schedule, logical_ms) WHERE schedule IS NOT NULL;
CREATE UNIQUE INDEX runs_one_active ON runs (schedule) WHERE schedule IS NOT NULL AND status IN ('running', 'interrupted');
CREATE TABLE run_tasks (
  run_id TEXT NOT NULL,
  task TEXT NOT NULL,
  pipeline TEXT NOT NULL,
  kind TEXT NOT NULL,
  position INTEGER NOT NULL,
  status TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  started_ms BIGINT,
  ended_ms BIGINT,
  facts TEXT NOT NULL,
  error_code TEXT,
  error TEXT,
  progress_done BIGINT,
  progress_total BIGINT,
  PRIMARY KEY (run_id, task)
);
CREATE TABLE run_logs (
  run_id TEXT NOT NULL,
  task TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  line_number BIGINT NOT NULL,
  at_ms BIGINT NOT NULL,
  line TEXT NOT NULL,
  PRIMARY KEY (run_id, task, attempt, line_number)
);
CREATE TABLE leases (
  name TEXT PRIMARY KEY,
  runner TEXT NOT NULL,
  holder TEXT NOT NULL,
  expires_ms BIGINT NOT NULL
);
CREATE TABLE schedules (
  name TEXT PRIMARY KEY,
  cron TEXT NOT NULL,
  handled_ms BIGINT NOT NULL
);
CREATE TABLE backfills (
  id TEXT PRIMARY KEY,
  status TEXT NOT NULL,
  request TEXT NOT NULL,
  created_ms BIGINT NOT NULL,
  ended_ms BIGINT
);
CREATE TABLE backfill_parts (
  backfill TEXT NOT NULL,
  position INTEGER NOT NULL,
  part_from TEXT NOT NULL,
  part_to TEXT NOT NULL,
  status TEXT NOT NULL,
  run_id TEXT,
  PRIMARY KEY (backfill, position)
);
`
