import type { Columns } from '../../model/column.ts'
import type { ConsumedRange } from '../../model/consumed.ts'
import { assert } from '../../model/errors.ts'
import type { PostgresConfig } from './config.ts'

// SQL texts, and nothing that knows of a network. Values travel as parameters; only identifiers and numbers of our own
// are written into text.

export interface Statement {
  readonly text: string
  readonly values: readonly unknown[]
}

/** A name in double quotes, whatever it contains. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** `user_events` or `analytics.user_events`, quoted part by part. */
export function quoteTable(table: string): string {
  return table.split('.').map(quoteIdentifier).join('.')
}

/** Where consumed offsets and applied migrations are kept; created by whoever opens the store first. */
export const SYSTEM_TABLES_SQL = `
CREATE SCHEMA IF NOT EXISTS mekong;
CREATE TABLE IF NOT EXISTS mekong.migrations (
  target text NOT NULL,
  name text NOT NULL,
  checksum text NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (target, name)
);
CREATE TABLE IF NOT EXISTS mekong.cursors (
  consumer text NOT NULL,
  topic text NOT NULL,
  partition integer NOT NULL,
  offset_end bigint NOT NULL,
  rows bigint NOT NULL,
  dead bigint NOT NULL,
  filtered bigint NOT NULL,
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (consumer, topic, partition)
);
COMMENT ON TABLE mekong.cursors IS 'How far each consumer has come in each partition; moves in the same transaction as the rows.';
`

/**
 * Begin a transaction whose settings are ours whatever the server's defaults are. `SET LOCAL` and not `SET`: it holds through
 * poolers that hand a connection to somebody else after each transaction. Deferred constraints are checked at once, so that a
 * refused row is found while staging and not by COMMIT.
 */
export function beginWrite(config: PostgresConfig): string {
  return [
    'BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE',
    `SET LOCAL statement_timeout = ${milliseconds(config.statementTimeoutMs)}`,
    `SET LOCAL lock_timeout = ${milliseconds(config.lockTimeoutMs)}`,
    `SET LOCAL idle_in_transaction_session_timeout = ${milliseconds(config.idleInTransactionTimeoutMs)}`,
    ...PLAIN_TEXT_FORMATS,
    'SET CONSTRAINTS ALL IMMEDIATE',
  ].join('; ')
}

/** Begin a transaction that cannot change anything. */
export function beginRead(config: PostgresConfig): string {
  return [
    'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY',
    `SET LOCAL statement_timeout = ${milliseconds(config.statementTimeoutMs)}`,
    ...PLAIN_TEXT_FORMATS,
  ].join('; ')
}

/** How times, floats and bytes are spelled, both ways. */
const PLAIN_TEXT_FORMATS = [
  `SET LOCAL timezone = 'UTC'`,
  `SET LOCAL datestyle = 'ISO, YMD'`,
  `SET LOCAL bytea_output = 'hex'`,
  `SET LOCAL extra_float_digits = 1`,
]

function milliseconds(value: number): string {
  assert(Number.isInteger(value) && value >= 0, 'a time limit is a whole number of milliseconds')
  return String(value)
}

/** The COPY that takes a row set's CSV: nulls are the bare word `\N`, everything quoted is text. */
export function copyRows(table: string, columns: Columns): string {
  const names = columns.map((column) => quoteIdentifier(column.name)).join(', ')
  return `COPY ${quoteTable(table)} (${names}) FROM STDIN (FORMAT csv, NULL '\\N', ENCODING 'UTF8')`
}

export function readCursor(consumer: string): Statement {
  return {
    text: `SELECT topic, partition, offset_end, rows, dead, filtered FROM mekong.cursors
WHERE consumer = $1 ORDER BY topic, partition`,
    values: [consumer],
  }
}

/**
 * Move a consumer's cursor over `ranges`, one for each partition. A line moves only when it stands where its range starts; an absent
 * line stands at 0. So fewer rows than ranges means that somebody else has moved it.
 */
export function moveCursor(consumer: string, ranges: readonly ConsumedRange[]): Statement {
  const column = <Name extends keyof ConsumedRange>(name: Name) =>
    ranges.map((range) => range[name])
  return {
    text: `WITH moved AS (
  SELECT * FROM unnest($2::text[], $3::int[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[])
    AS m(topic, partition, offset_start, offset_end, rows, dead, filtered)
)
INSERT INTO mekong.cursors AS c (consumer, topic, partition, offset_end, rows, dead, filtered)
SELECT $1, topic, partition, offset_end, rows, dead, filtered FROM moved m
WHERE m.offset_start = 0 OR EXISTS (
  SELECT FROM mekong.cursors c WHERE c.consumer = $1 AND c.topic = m.topic AND c.partition = m.partition
)
ON CONFLICT (consumer, topic, partition) DO UPDATE SET
  offset_end = excluded.offset_end,
  rows = c.rows + excluded.rows,
  dead = c.dead + excluded.dead,
  filtered = c.filtered + excluded.filtered,
  updated_at = now()
WHERE c.offset_end = (
  SELECT m.offset_start FROM moved m WHERE m.topic = c.topic AND m.partition = c.partition
)`,
    values: [
      consumer,
      column('topic'),
      column('partition'),
      column('offsetStart'),
      column('offsetEnd'),
      column('rows'),
      column('dead'),
      column('filtered'),
    ],
  }
}

/** Ranges that follow one another in a partition as one, in a fixed order so that two writers never wait for each other in a circle. */
export function mergeRanges(ranges: readonly ConsumedRange[]): readonly ConsumedRange[] {
  const merged = new Map<string, ConsumedRange>()
  for (const range of ranges) {
    const name = `${range.topic}/${range.partition}`
    const before = merged.get(name)
    if (before === undefined) {
      merged.set(name, range)
      continue
    }
    assert(before.offsetEnd === range.offsetStart, 'ranges of one partition follow one another')
    merged.set(name, {
      ...before,
      offsetEnd: range.offsetEnd,
      read: before.read + range.read,
      rows: before.rows + range.rows,
      dead: before.dead + range.dead,
      filtered: before.filtered + range.filtered,
    })
  }
  return [...merged.values()].sort((a, b) =>
    a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1,
  )
}
