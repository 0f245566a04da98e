import type { AppendedRecord, AppendOutcome, NewRecord } from '../../model/append.ts'
import { InvalidAppendError, LogUnavailableError } from '../errors.ts'
import { partitionOf } from '../partitioner.ts'
import type { AppendAnswer, AppendRequest, AppendSegment } from './append-batches.ts'
import { BatchBuilder } from './batch-encode.ts'

/** Bounds of what waits to be written. */
export interface AppendQueueLimits {
  /**
   * Bytes handed in and not yet durable, over all topics; past it `full`. Default 64 MiB: a second
   * or so of disk.
   */
  readonly queueBytesMax: number
  /** Records handed in and not yet durable; past it `full`. Default 200,000. */
  readonly queueRecordCountMax: number
}

export const DEFAULT_APPEND_QUEUE_LIMITS: AppendQueueLimits = {
  queueBytesMax: 64 * 1024 * 1024,
  queueRecordCountMax: 200_000,
}

/**
 * One message to the writer, one transaction, one fsync. Bounded so that encoding it does not hold
 * the event loop for long.
 */
const REQUEST_RECORD_COUNT_MAX = 8_192
const REQUEST_BYTES_MAX = 4 * 1024 * 1024
/** What a record weighs in the queue beside its bytes: the objects around it. */
const RECORD_OVERHEAD_BYTES = 64
const ID_BYTES_MAX = 256
const RETRY_AFTER_MIN_MS = 50
const RETRY_AFTER_MAX_MS = 5_000
/** A full disk does not empty by itself in moments. */
const TROUBLE_RETRY_AFTER_MS = 5_000

/**
 * A topic as the queue needs it. `ends` is kept up to date by the queue: next offset by partition.
 */
export interface QueueTopic {
  readonly id: number
  readonly partitionNumbers: readonly number[]
  readonly ends: number[]
  readonly builders: BatchBuilder[]
  /** For each partition its segment in the request being made, -1 for none. */
  readonly segmentOf: Int32Array
}

export interface AppendQueueOptions {
  readonly limits: AppendQueueLimits
  /** Writes durably or says why it could not; rejects when the writer is gone and nobody knows. */
  readonly write: (request: AppendRequest) => Promise<AppendAnswer | { readonly trouble: string }>
  /** Called when records became durable in a topic. */
  readonly onAppended: (topic: QueueTopic) => void
}

interface WaitingCall {
  readonly topic: QueueTopic
  readonly records: readonly NewRecord[]
  readonly arrivedMs: number
  readonly bytes: number
  readonly resolve: (outcome: AppendOutcome) => void
  readonly reject: (error: unknown) => void
}

interface MadeRequest {
  readonly request: AppendRequest
  readonly topics: readonly QueueTopic[]
  readonly segmentOf: Uint32Array
}

/**
 * Group commit. Appends that arrive while a commit is under way wait together and become the next
 * request: one at a time is in flight, so an idle log answers after one fsync and a busy one writes
 * full batches. Nothing is promised before the writer has answered.
 */
export class AppendQueue {
  readonly #options: AppendQueueOptions
  #waiting: WaitingCall[] = []
  #queuedBytes = 0
  #queuedRecordCount = 0
  #inFlight = false
  #scheduled = false
  #drained: (() => void) | null = null
  /** Smoothed rate at which the queue empties, for saying when to come back. */
  #bytesPerMs = 10_000

  constructor(options: AppendQueueOptions) {
    this.#options = options
  }

  get queuedBytes(): number {
    return this.#queuedBytes
  }

  /** @throws InvalidAppendError */
  append(
    topic: QueueTopic,
    records: readonly NewRecord[],
    arrivedMs: number,
  ): Promise<AppendOutcome> {
    const bytes = weigh(records)
    const { queueBytesMax, queueRecordCountMax } = this.#options.limits
    if (bytes > queueBytesMax || records.length > queueRecordCountMax)
      throw new InvalidAppendError(
        `An append of ${records.length} records and ${bytes} bytes is more than the log's queue may ever hold (${queueRecordCountMax} records, ${queueBytesMax} bytes). Nothing was appended; send it in parts.`,
      )
    if (
      this.#queuedBytes + bytes > queueBytesMax ||
      this.#queuedRecordCount + records.length > queueRecordCountMax
    )
      return Promise.resolve(this.#full())
    if (records.length === 0) return Promise.resolve({ status: 'appended', records: [] })
    this.#queuedBytes += bytes
    this.#queuedRecordCount += records.length
    return new Promise((resolve, reject) => {
      this.#waiting.push({ topic, records, arrivedMs, bytes, resolve, reject })
      this.#schedule()
    })
  }

  /** Returns when everything taken so far is answered. */
  async drain(): Promise<void> {
    if (this.#queuedRecordCount === 0) return
    await new Promise<void>((resolve) => {
      this.#drained = resolve
    })
  }

  #full(): AppendOutcome {
    const drainMs = this.#queuedBytes / this.#bytesPerMs
    const retryAfterMs = Math.round(
      Math.min(RETRY_AFTER_MAX_MS, Math.max(RETRY_AFTER_MIN_MS, drainMs)),
    )
    const reason = `the log's queue holds ${this.#queuedRecordCount} records and ${this.#queuedBytes} bytes`
    return { status: 'full', retryAfterMs, reason }
  }

  /** At the end of this turn of the event loop, so that appends of one turn go together. */
  #schedule(): void {
    if (this.#scheduled || this.#inFlight || this.#waiting.length === 0) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      void this.#send()
    })
  }

  async #send(): Promise<void> {
    const calls = this.#take()
    const made = makeRequest(calls)
    this.#inFlight = true
    const startMs = performance.now()
    let settle: () => void
    try {
      const answer = await this.#options.write(made.request)
      settle = () => this.#settle(calls, made, answer)
    } catch (error) {
      settle = () => this.#fail(calls, error)
    }
    this.#inFlight = false
    const bytes = calls.reduce((sum, call) => sum + call.bytes, 0)
    this.#queuedBytes -= bytes
    this.#queuedRecordCount -= made.segmentOf.length
    const rate = bytes / Math.max(0.1, performance.now() - startMs)
    this.#bytesPerMs = 0.8 * this.#bytesPerMs + 0.2 * rate
    settle()
    this.#schedule()
    if (this.#queuedRecordCount === 0) this.#drained?.()
  }

  /** The calls of the next request: at least one, never part of one. */
  #take(): readonly WaitingCall[] {
    let count = 0
    let recordCount = 0
    let bytes = 0
    for (const call of this.#waiting) {
      recordCount += call.records.length
      bytes += call.bytes
      if (count > 0 && (recordCount > REQUEST_RECORD_COUNT_MAX || bytes > REQUEST_BYTES_MAX)) break
      count += 1
    }
    if (count === this.#waiting.length) {
      const calls = this.#waiting
      this.#waiting = []
      return calls
    }
    return this.#waiting.splice(0, count)
  }

  #settle(
    calls: readonly WaitingCall[],
    { request, topics, segmentOf }: MadeRequest,
    answer: AppendAnswer | { readonly trouble: string },
  ): void {
    if ('trouble' in answer) {
      const outcome = {
        status: 'unavailable',
        retryAfterMs: TROUBLE_RETRY_AFTER_MS,
        reason: answer.trouble,
      } as const
      for (const call of calls) call.resolve(outcome)
      return
    }
    const { found } = answer
    const next = [...answer.offsets]
    let order = 0
    for (const call of calls) {
      const records: AppendedRecord[] = new Array(call.records.length)
      for (let index = 0; index < records.length; index += 1, order += 1) {
        const segment = segmentOf[order]!
        if (found === undefined) {
          const { partition } = request.segments[segment]!
          records[index] = { status: 'appended', partition, offset: next[segment]! }
          next[segment]! += 1
        } else {
          const isDuplicate = found.isDuplicate[order] === 1
          records[index] = {
            status: isDuplicate ? 'duplicate' : 'appended',
            partition: found.partitions[order]!,
            offset: found.offsets[order]!,
          }
          if (!isDuplicate) next[segment]! += 1
        }
      }
      call.resolve({ status: 'appended', records })
    }
    for (const [segment, { partition }] of request.segments.entries())
      topics[segment]!.ends[partition] = next[segment]!
    for (const topic of new Set(topics)) this.#options.onAppended(topic)
  }

  /**
   * The writer is gone, or has a bug: whether the records are there can be found out, but not here.
   */
  #fail(calls: readonly WaitingCall[], error: unknown): void {
    for (const call of calls) {
      if (error instanceof LogUnavailableError)
        call.resolve({ status: 'unknown', reason: error.message })
      else call.reject(error)
    }
  }
}

/** Sort the records of some calls into one blob for each partition, all in one buffer. */
function makeRequest(calls: readonly WaitingCall[]): MadeRequest {
  const recordCount = calls.reduce((sum, call) => sum + call.records.length, 0)
  const segmentOf = new Uint32Array(recordCount)
  const parts: { readonly topic: QueueTopic; readonly partition: number }[] = []
  let mayRepeat: Uint8Array | undefined
  let order = 0
  for (const { topic, records, arrivedMs } of calls) {
    const partitionCount = topic.partitionNumbers.length
    for (const record of records) {
      const partition = partitionOf(record, partitionCount)
      let segment = topic.segmentOf[partition]!
      if (segment < 0) {
        segment = parts.push({ topic, partition }) - 1
        topic.segmentOf[partition] = segment
        topic.builders[partition] ??= new BatchBuilder()
      }
      const { id, key, headers, value } = record
      topic.builders[partition]!.add(id, key, headers, value, arrivedMs)
      if (record.idMayRepeat) {
        mayRepeat ??= new Uint8Array(recordCount)
        mayRepeat[order] = 1
      }
      segmentOf[order] = segment
      order += 1
    }
  }
  let bufferBytes = 0
  for (const { topic, partition } of parts) bufferBytes += topic.builders[partition]!.alignedBytes
  const buffer = new ArrayBuffer(bufferBytes)
  const segments: AppendSegment[] = []
  let at = 0
  for (const { topic, partition } of parts) {
    const builder = topic.builders[partition]!
    const room = builder.alignedBytes
    const bytes = builder.layOut(buffer, at)
    topic.segmentOf[partition] = -1
    const partitionNumber = topic.partitionNumbers[partition]!
    segments.push({ topicId: topic.id, partitionNumber, partition, at, bytes })
    at += room
  }
  const lookUps = mayRepeat === undefined ? {} : { lookUps: { segmentOf, mayRepeat } }
  const topics = parts.map(({ topic }) => topic)
  return { request: { buffer, segments, ...lookUps }, topics, segmentOf }
}

/** Bytes that records take in the queue. @throws InvalidAppendError for an id out of bounds */
function weigh(records: readonly NewRecord[]): number {
  let bytes = 0
  for (const { id, key, value } of records) {
    const { length } = id
    if (length === 0 || (length * 3 > ID_BYTES_MAX && Buffer.byteLength(id) > ID_BYTES_MAX))
      throw new InvalidAppendError(
        `A record's id must have 1 to ${ID_BYTES_MAX} bytes of UTF-8, this one has ${Buffer.byteLength(id)}. Nothing was appended.`,
      )
    bytes += value.length + length + (key === null ? 0 : key.length) + RECORD_OVERHEAD_BYTES
  }
  return bytes
}
