import type { ConsumedRange, Cursor } from '../model/consumed.ts'
import type { DeadLetter } from '../model/dead-letter.ts'
import type { RecordBatch } from '../model/record-batch.ts'
import type { Relation } from '../model/relation.ts'

/** Where a hop reads. The runner calls one method at a time. */
export interface SourcePort {
  /**
   * What a hop passes over before its first record, because it was told to start later or because the
   * log no longer keeps it: counted as filtered, committed before anything is read. Empty once it is.
   */
  skipped(cursor: Cursor): Promise<readonly ConsumedRange[]>

  /**
   * Records from `cursor` on, oldest first, fairly over partitions; no more than the limits, yet at
   * least one record when there is one. Empty when there is nothing.
   * @throws PlatformError with `retry: 'later'` when the log is away
   */
  read(cursor: Cursor, limits: ReadLimits, signal: AbortSignal): Promise<readonly RecordBatch[]>

  /** Returns when there is, or may be, more than `cursor` has seen. */
  waitForMore(cursor: Cursor, signal: AbortSignal): Promise<void>

  /** Records appended and not yet consumed. */
  lagRecords(cursor: Cursor): Promise<number>
}

export interface ReadLimits {
  readonly recordCountMax: number
  readonly bytesMax: number
}

/** Turns bytes into typed rows inside the compute engine. */
export interface StagePort {
  /**
   * Decode, type and transform a micro-batch. Records that cannot be decoded come back as dead letters,
   * records a filter dropped only as counts; neither stops the others. Deterministic: the same batch
   * gives the same rows and the same dead.
   */
  stage(batches: readonly RecordBatch[], signal: AbortSignal): Promise<StagedBatch>
}

export interface StagedBatch {
  /** The user's columns and `RECORD_COLUMNS`, one row for each record that lived. */
  readonly relation: Relation
  readonly dead: readonly DeadLetter[]
  /** One line for each partition in the batch. */
  readonly ranges: readonly ConsumedRange[]
  /** Frees the relation; calling it twice is fine. */
  release(): Promise<void>
}

/** Where a hop writes. Rows and cursor become visible together or not at all. */
export interface TargetPort {
  /** The cursor as the target holds it; empty for a target that has seen nothing. */
  cursor(): Promise<Cursor>

  /** Move the cursor over records that are passed over. */
  skip(ranges: readonly ConsumedRange[]): Promise<CommitOutcome>

  /** Write a staged batch so that nobody sees it yet. Rows the target refuses come back, the others stand. */
  stage(batch: StagedBatch, signal: AbortSignal): Promise<StagedWrite>
}

export interface StagedWrite {
  /** Rows that the target cannot take, whatever we do. */
  readonly rejected: readonly DeadLetter[]
  /** Make rows and cursor visible in one step. `ranges` already count the rejected as dead. */
  commit(ranges: readonly ConsumedRange[]): Promise<CommitOutcome>
  /** Leave no trace. */
  abort(): Promise<void>
}

/**
 * `conflict`: another writer moved the cursor; read it again. `unknown`: the commit left and no answer came; the cursor
 * tells, once it can be read again.
 */
export type CommitOutcome =
  | { readonly status: 'committed' }
  | { readonly status: 'conflict'; readonly reason: string }
  | { readonly status: 'unknown'; readonly reason: string }

/** Where dead letters go. Recording the same letter twice is harmless, and durable when it returns. */
export interface DeadLetterPort {
  record(letters: readonly DeadLetter[]): Promise<void>
}
