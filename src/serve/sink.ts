import type { Columns } from '../model/column.ts'
import type { ConsumedRange, Cursor } from '../model/consumed.ts'

/**
 * A serving store as a hop's target. The doorway (`flow/log-to-serve.ts`) calls `open` once, then for each
 * micro-batch `stage` and `commit` or `abort`, one batch at a time; it owns retries. The store commits rows and
 * cursor in one transaction, so that writing is exactly-once by construction.
 */
export interface Sink {
  /** Connect and bring the DDL up to date; running it again changes nothing. @throws SinkConfigError, SinkUnavailableError */
  open(signal?: AbortSignal): Promise<void>

  /** Imitates a real write without leaving anything; for `mekong doctor`. */
  check(signal?: AbortSignal): Promise<void>

  /** How far `consumer` has come, as the store holds it. */
  cursor(consumer: string): Promise<Cursor>

  /**
   * Write rows inside an open transaction. Rows that the store refuses for what they are (too long, out of range,
   * violating a constraint) are left out and reported by index; all others stand.
   * @throws SinkUnavailableError (`retry: 'later'`)
   */
  stage(rows: RowSet, signal?: AbortSignal): Promise<StagedRows>

  close(): Promise<void>
}

export interface StagedRows {
  readonly rejected: readonly RejectedRow[]
  /**
   * Move the cursor of `consumer` over `ranges` and commit, in the same transaction as the rows. `conflict` when the cursor does not
   * stand where the ranges start; then nothing was written.
   */
  commit(consumer: string, ranges: readonly ConsumedRange[]): Promise<SinkCommitOutcome>
  abort(): Promise<void>
}

export interface RejectedRow {
  /** Index in the row set, from 0. */
  readonly index: number
  /** A word for the dead letter, such as `value_too_long`. */
  readonly reason: string
  readonly message: string
}

export type SinkCommitOutcome =
  | { readonly status: 'committed' }
  | { readonly status: 'conflict'; readonly reason: string }
  | { readonly status: 'unknown'; readonly reason: string }

/** The rows of a micro-batch, in whichever form a store takes fastest. Index ranges are `[start, end)`. */
export interface RowSet {
  /** The target's columns, in the target's order. */
  readonly columns: Columns
  readonly count: number
  /**
   * RFC 4180 text without header; nulls are the bare word `\N` and a text equal to it is quoted; booleans are
   * `true` and `false`; instants are ISO 8601 with `+00`; binary is `\x` and hexadecimal.
   */
  csv(range?: IndexRange): AsyncIterable<Uint8Array>
  /** JavaScript values row by row, in chunks: bigint for int64 and instants (UTC µs), text for decimals and dates. */
  chunks(range?: IndexRange): AsyncIterable<readonly (readonly unknown[])[]>
}

export interface IndexRange {
  readonly start: number
  readonly end: number
}
