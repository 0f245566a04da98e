import type { DatabaseSync } from 'node:sqlite'
import { type AggregatesShape, countersOf } from '../../model/aggregates.ts'

// Kept aggregates in SQLite. In: what to add (`add-deltas.ts`). Out: ranges of counts, each by its place in a B-tree, so that a question costs
// what it shows and not what there is. Counts and the version of the table that they stand for change in one transaction: a crash
// leaves both or neither, and whatever is added twice is recognised by its version.
//
// `counts` has all that is asked for: counter × step × label → value, all of them numbers, so that a row takes some fifteen bytes.
// `members` has what counting distinct values needs to know: in which minutes of a month a value was seen, and how often. It is laid by month, so that
// orders of today touch this month's part of it, however long the past is. `member_months` is how many months a value was seen in.

const LAYOUT = 2

/** 32 MB: pages that commit after commit changes are written to the file once for many. */
const CHECKPOINT_PAGE_COUNT = 8_192

const TABLES = `
CREATE TABLE counts (counter INTEGER, step INTEGER, label INTEGER, value INTEGER,
  PRIMARY KEY (counter, step, label)) STRICT, WITHOUT ROWID;
CREATE TABLE labels (id INTEGER PRIMARY KEY, label TEXT UNIQUE) STRICT;
CREATE TABLE members (measure INTEGER, month INTEGER, member TEXT, minute INTEGER, count INTEGER,
  PRIMARY KEY (measure, month, member, minute)) STRICT, WITHOUT ROWID;
CREATE TABLE member_months (measure INTEGER, member TEXT, count INTEGER,
  PRIMARY KEY (measure, member)) STRICT, WITHOUT ROWID;`

/** Open a file, making it when it is new; one of an older layout or another shape is emptied, because all of it can be counted anew. */
export function openAggregateFile(database: DatabaseSync, shape: AggregatesShape): void {
  database.exec(
    `PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -32768;
PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGE_COUNT}`,
  )
  database.exec(`CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value ANY) STRICT`)
  const wanted = `${LAYOUT} ${JSON.stringify(shape)}`
  const found = database.prepare(`SELECT value FROM facts WHERE name = 'shape'`).get()?.value
  if (found === wanted) return
  const tables = database
    .prepare(`SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'facts'`)
    .all()
  database.exec('BEGIN IMMEDIATE')
  for (const { name } of tables) database.exec(`DROP TABLE ${name}`)
  database.exec(`${TABLES} DELETE FROM facts`)
  database.prepare(`INSERT INTO facts VALUES ('shape', ?)`).run(wanted)
  database.exec('COMMIT')
}

/** The number that a counter has in the file, by its name. */
export function counterNumbers(shape: AggregatesShape): ReadonlyMap<string, number> {
  return new Map(countersOf(shape).map((counter, index) => [counter, index]))
}

/** Version of the table that the counts stand for; -1 before the first. */
export function aggregateVersion(database: DatabaseSync): number {
  const row = database.prepare(`SELECT value FROM facts WHERE name = 'version'`).get()
  return row === undefined ? -1 : Number(row.value)
}

export interface StepRange {
  readonly counter: number
  /** Inclusive, minutes since 1970. */
  readonly from: number
  /** Exclusive. */
  readonly to: number
}

/**
 * Step and value of a counter without labels. Sums of small money, in ten-thousandths, outgrow what a whole number of JavaScript holds; as a
 * fraction they come to the nearest.
 */
export function stepValues(
  database: DatabaseSync,
  { counter, from, to }: StepRange,
): [number, number][] {
  return database
    .prepare(
      'SELECT step, CAST(value AS REAL) AS value FROM counts WHERE counter = ? AND step >= ? AND step < ?',
    )
    .all(counter, from, to)
    .map((row) => [Number(row.step), Number(row.value)])
}

/** The newest step that a counter has, minutes since 1970. */
export function newestStep(database: DatabaseSync, counter: number): number | undefined {
  const row = database
    .prepare('SELECT step FROM counts WHERE counter = ? AND value <> 0 ORDER BY step DESC LIMIT 1')
    .get(counter)
  return row === undefined ? undefined : Number(row.step)
}
