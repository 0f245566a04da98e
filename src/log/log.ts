import type { AppendOutcome, NewRecord } from '../model/append.ts'
import type { RecordBatch } from '../model/record-batch.ts'

/**
 * Topics: partitioned, durable, replayable. `embedded/` keeps them in one SQLite file, `kafka/` in
 * Apache Kafka; both pass `test/conformance/log.ts`.
 */
export interface Log {
  /**
   * Make sure a topic exists. Doing it again is harmless; settings that can change are changed.
   * @throws TopicMismatchError when it exists with another number of partitions
   */
  ensureTopic(topic: TopicConfig): Promise<void>

  topics(): Promise<readonly TopicDescription[]>

  /**
   * Append records, in order within a partition, all or none as one transaction where the log can.
   * A record whose id the topic already holds is not written again; its first position is the
   * answer.
   * @throws TopicMissingError
   */
  append(topic: string, records: readonly NewRecord[], signal?: AbortSignal): Promise<AppendOutcome>

  /**
   * Records of one partition from `offset` on; an empty batch when there are none. Before the
   * oldest kept offset reading starts there.
   */
  read(request: ReadRequest, signal?: AbortSignal): Promise<RecordBatch>

  /**
   * Returns when some partition in `after` has a record at or past its offset, or when `signal`
   * aborts.
   */
  waitForAppend(
    topic: string,
    after: ReadonlyMap<number, number>,
    signal: AbortSignal,
  ): Promise<void>

  /** First kept and next offset of every partition. */
  bounds(topic: string): Promise<readonly PartitionBounds[]>

  /**
   * The first offset of each partition whose record arrived at or after `timeMs`; the end where
   * there is none.
   */
  offsetsAt(topic: string, timeMs: number): Promise<ReadonlyMap<number, number>>

  /** Offsets that a named group has committed, for readers that keep no cursor of their own. */
  committed(group: string, topic: string): Promise<ReadonlyMap<number, number>>
  commit(group: string, topic: string, offsets: ReadonlyMap<number, number>): Promise<void>

  /** Drop what retention no longer keeps. Returns how many records went. */
  enforceRetention(nowMs: number): Promise<number>

  /** Resolves after everything accepted is durable. */
  close(): Promise<void>
}

/**
 * The half of a log that looks and changes nothing, such as another process may hold while the
 * platform runs.
 */
export type LogReader = Pick<
  Log,
  'topics' | 'read' | 'waitForAppend' | 'bounds' | 'offsetsAt' | 'committed' | 'close'
>

export interface TopicConfig {
  readonly name: string
  /** 1 to 1024. Cannot change once the topic exists. */
  readonly partitions: number
  /** Records older than this may be dropped; `undefined` keeps them for ever. */
  readonly retentionMs?: number
  /** Bytes kept for each partition; `undefined` keeps all. */
  readonly retentionBytes?: number
  /**
   * Avro schema (JSON) that values are coded with on the topic; those who append and read see JSON all the same. It may
   * change at any time: what was written with another stays readable. `undefined` keeps values as they come.
   */
  readonly valueSchema?: string
}

export interface TopicDescription extends TopicConfig {
  readonly bounds: readonly PartitionBounds[]
  /** Records that were turned away because their id was there already, since the beginning. */
  readonly duplicateCount: number
}

export interface PartitionBounds {
  readonly partition: number
  /** Inclusive: the oldest kept. */
  readonly offsetStart: number
  /** Exclusive: the next to be written. */
  readonly offsetEnd: number
}

export interface ReadRequest {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly recordCountMax: number
  /** Of values; at least one record is returned even when it alone is larger. */
  readonly bytesMax: number
}
