import type { DatabaseSync } from 'node:sqlite'
import type { AggregateDeltas } from '../../model/aggregates.ts'

// Kept aggregates in SQLite. In: what to add. Out: ranges of counts, each by its place in a B-tree, so that a question costs what it shows
// and not what there is. Counts and the version of the table that they stand for change in one transaction: a crash leaves both
// or neither, and whatever is added twice is recognised by its version.

const LAYOUT = 1

/** Open a file, making it when it is new; one of an older layout is emptied, because all of it can be counted anew. */
export function openAggregateFile(database: DatabaseSync, shape: string): void {
  database.exec(
    'PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -32768',
  )
  database.exec(`CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value ANY) STRICT`)
  const wanted = `${LAYOUT} ${shape}`
  const found = database.prepare(`SELECT value FROM facts WHERE name = 'shape'`).get()?.value
  if (found === wanted) return
  database.exec(`BEGIN IMMEDIATE;
DROP TABLE IF EXISTS period_values; DROP TABLE IF EXISTS period_members; DROP TABLE IF EXISTS series_values;
CREATE TABLE period_values (measure TEXT, period TEXT, start INTEGER, step INTEGER, value INTEGER,
  PRIMARY KEY (measure, period, start, step)) STRICT, WITHOUT ROWID;
CREATE TABLE period_members (measure TEXT, period TEXT, start INTEGER, member TEXT, first INTEGER, count INTEGER,
  PRIMARY KEY (measure, period, start, member)) STRICT, WITHOUT ROWID;
CREATE TABLE series_values (series TEXT, grain TEXT, step INTEGER, label TEXT, value INTEGER,
  PRIMARY KEY (series, grain, step, label)) STRICT, WITHOUT ROWID;
CREATE INDEX series_labels ON series_values (series, grain, label, step, value);
DELETE FROM facts;`)
  database.prepare(`INSERT INTO facts VALUES ('shape', ?)`).run(wanted)
  database.exec('COMMIT')
}

/** Version of the table that the counts stand for; -1 before the first. */
export function aggregateVersion(database: DatabaseSync): number {
  const row = database.prepare(`SELECT value FROM facts WHERE name = 'version'`).get()
  return row === undefined ? -1 : Number(row.value)
}

export interface AddOptions {
  readonly deltas: AggregateDeltas
  /** Version that the counts stand for now. */
  readonly from: number
  /** And then. */
  readonly to: number
  /** Begin from nothing: the deltas are all there is. */
  readonly anew: boolean
}

/** Add, unless it was added already. */
export function addDeltas(database: DatabaseSync, { deltas, from, to, anew }: AddOptions): void {
  database.exec('BEGIN IMMEDIATE')
  try {
    if (!anew && aggregateVersion(database) !== from) {
      database.exec('ROLLBACK')
      return
    }
    if (anew)
      database.exec(
        'DELETE FROM period_values; DELETE FROM period_members; DELETE FROM series_values',
      )
    addValues(database, deltas)
    addMembers(database, deltas)
    addSeries(database, deltas)
    database
      .prepare(
        `INSERT INTO facts VALUES ('version', ?) ON CONFLICT DO UPDATE SET value = excluded.value`,
      )
      .run(to)
    database.exec('COMMIT')
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK')
    throw error
  }
}

const ADD_VALUE = `INSERT INTO period_values VALUES (?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET value = value + excluded.value`

function addValues(database: DatabaseSync, { values }: AggregateDeltas): void {
  const add = database.prepare(ADD_VALUE)
  for (const row of values) add.run(...row)
}

/**
 * A member counts at the step where the period first saw it. One that comes with an earlier row moves there; one whose last row goes is
 * gone.
 */
function addMembers(database: DatabaseSync, { members }: AggregateDeltas): void {
  const find = database.prepare(
    'SELECT first, count FROM period_members WHERE measure = ? AND period = ? AND start = ? AND member = ?',
  )
  const put = database.prepare(
    `INSERT INTO period_members VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET first = excluded.first, count = excluded.count`,
  )
  const drop = database.prepare(
    'DELETE FROM period_members WHERE measure = ? AND period = ? AND start = ? AND member = ?',
  )
  const moves = new Map<string, { key: [string, string, number, number]; change: number }>()
  const move = (measure: string, period: string, start: number, step: number, change: number) => {
    const name = `${measure}/${period}/${start}/${step}`
    const known = moves.get(name)
    if (known === undefined) moves.set(name, { key: [measure, period, start, step], change })
    else known.change += change
  }
  for (const [measure, period, start, member, first, change] of members) {
    const known = find.get(measure, period, start, member) as
      | { first: number; count: number }
      | undefined
    const count = (known?.count ?? 0) + change
    const firstNow =
      known === undefined ? first : change > 0 ? Math.min(known.first, first) : known.first
    if (count <= 0) {
      if (known === undefined) continue
      drop.run(measure, period, start, member)
      move(measure, period, start, known.first, -1)
      continue
    }
    put.run(measure, period, start, member, firstNow, count)
    if (known?.first === firstNow) continue
    if (known !== undefined) move(measure, period, start, known.first, -1)
    move(measure, period, start, firstNow, 1)
  }
  const add = database.prepare(ADD_VALUE)
  for (const { key, change } of moves.values()) if (change !== 0) add.run(...key, change * 10_000)
}

function addSeries(database: DatabaseSync, { series }: AggregateDeltas): void {
  const add = database.prepare(
    `INSERT INTO series_values VALUES (?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET value = value + excluded.value`,
  )
  for (const row of series) add.run(...row)
}

export interface SeriesRange {
  readonly series: string
  readonly grain: string
  /** Inclusive, minutes since 1970. */
  readonly from: number
  /** Exclusive. */
  readonly to: number
  /** Only this label. */
  readonly label?: string
}

/** Step, label, value; zeros left out. */
export function seriesValues(
  database: DatabaseSync,
  { series, grain, from, to, label }: SeriesRange,
): [number, string, number][] {
  const only = label === undefined ? '' : ' AND label = ?'
  const rows = database
    .prepare(
      `SELECT step, label, value FROM series_values
WHERE series = ? AND grain = ? AND step >= ? AND step < ?${only} AND value <> 0 ORDER BY step`,
    )
    .all(series, grain, from, to, ...(label === undefined ? [] : [label]))
  return rows.map((row) => [Number(row.step), String(row.label), Number(row.value)])
}

/** Measure, start, step, value of some periods, each given by where it begins. */
export function periodValues(
  database: DatabaseSync,
  { measures, period, starts }: PeriodRange,
): [string, number, number, number][] {
  const find = database.prepare(
    'SELECT step, value FROM period_values WHERE measure = ? AND period = ? AND start = ? ORDER BY step',
  )
  return measures.flatMap((measure) =>
    starts.flatMap((start) =>
      find
        .all(measure, period, start)
        .map(
          (row): [string, number, number, number] =>
            [...[measure, start, Number(row.step), Number(row.value)]] as [
              string,
              number,
              number,
              number,
            ],
        ),
    ),
  )
}

export interface PeriodRange {
  readonly measures: readonly string[]
  readonly period: string
  readonly starts: readonly number[]
}

/** The newest step that a measure counts, minutes since 1970. */
export function newestStep(database: DatabaseSync, measure: string): number | undefined {
  const row = database
    .prepare(
      `SELECT step FROM period_values WHERE measure = ? AND period = 'hour' ORDER BY start DESC, step DESC LIMIT 1`,
    )
    .get(measure)
  return row === undefined ? undefined : Number(row.step)
}
