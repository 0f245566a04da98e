import type { AppendOutcome, NewRecord } from '../model/append.ts'
import { InvalidAppendError } from './errors.ts'
import type { LogWatch } from './log-watch.ts'

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

/** What a record weighs in the queue beside its bytes: the objects around it. */
const RECORD_OVERHEAD_BYTES = 64
const ID_BYTES_MAX = 256
const RETRY_AFTER_MIN_MS = 50
const RETRY_AFTER_MAX_MS = 5_000

/** One caller's append, waiting for its outcome. */
export interface AppendCall<Topic> {
  readonly topic: Topic
  readonly records: readonly NewRecord[]
  readonly arrivedMs: number
  readonly bytes: number
  readonly resolve: (outcome: AppendOutcome) => void
  readonly reject: (error: unknown) => void
}

export interface AppendQueueOptions<Topic> {
  readonly limits: AppendQueueLimits
  /**
   * How much goes into one write, so that making it does not hold the event loop for long. A call
   * is never split.
   */
  readonly writeRecordCountMax: number
  readonly writeBytesMax: number
  /**
   * Make some calls durable. Returns how to answer every one of them, once the next write may
   * begin. When it rejects, all calls are rejected.
   */
  readonly write: (calls: readonly AppendCall<Topic>[]) => Promise<() => void>
  readonly onWrite?: LogWatch['onWrite']
}

/**
 * Group commit. Appends that arrive while a write is under way wait together and become the next
 * one: one at a time is in flight, so an idle log answers after one fsync and a busy one writes
 * full batches. Nothing is promised before the write has ended.
 */
export class AppendQueue<Topic> {
  readonly #options: AppendQueueOptions<Topic>
  #waiting: AppendCall<Topic>[] = []
  #queuedBytes = 0
  #queuedRecordCount = 0
  #isWriting = false
  #isScheduled = false
  readonly #drained: (() => void)[] = []
  /** Smoothed rate at which the queue empties, for saying when to come back. */
  #bytesPerMs = 10_000

  constructor(options: AppendQueueOptions<Topic>) {
    this.#options = options
  }

  /** @throws InvalidAppendError */
  append(topic: Topic, records: readonly NewRecord[], arrivedMs: number): Promise<AppendOutcome> {
    const bytes = weigh(records)
    const { queueBytesMax, queueRecordCountMax } = this.#options.limits
    if (bytes > queueBytesMax || records.length > queueRecordCountMax)
      throw new InvalidAppendError(
        `An append of ${records.length} records and ${bytes} bytes is more than the log's queue ` +
          `may ever hold (${queueRecordCountMax} records, ${queueBytesMax} bytes). ` +
          'Nothing was appended; send it in parts.',
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
    await new Promise<void>((resolve) => this.#drained.push(resolve))
  }

  #full(): AppendOutcome {
    const drainMs = this.#queuedBytes / this.#bytesPerMs
    const retryAfterMs = Math.round(
      Math.min(RETRY_AFTER_MAX_MS, Math.max(RETRY_AFTER_MIN_MS, drainMs)),
    )
    const reason =
      `the log's queue holds ${this.#queuedRecordCount} records ` +
      `and ${this.#queuedBytes} bytes that are not yet durable`
    return { status: 'full', retryAfterMs, reason }
  }

  /** At the end of this turn of the event loop, so that appends of one turn go together. */
  #schedule(): void {
    if (this.#isScheduled || this.#isWriting || this.#waiting.length === 0) return
    this.#isScheduled = true
    setImmediate(() => {
      this.#isScheduled = false
      void this.#write()
    })
  }

  async #write(): Promise<void> {
    const calls = this.#take()
    this.#isWriting = true
    const startMs = performance.now()
    let answer: () => void
    let isFailed = false
    try {
      answer = await this.#options.write(calls)
    } catch (error) {
      isFailed = true
      answer = () => {
        for (const call of calls) call.reject(error)
      }
    }
    this.#isWriting = false
    let bytes = 0
    let recordCount = 0
    for (const call of calls) {
      bytes += call.bytes
      recordCount += call.records.length
    }
    this.#queuedRecordCount -= recordCount
    this.#queuedBytes -= bytes
    const durationMs = performance.now() - startMs
    const appendCount = calls.length
    this.#options.onWrite?.({ recordCount, bytes, appendCount, durationMs, isFailed })
    const rate = bytes / Math.max(0.1, durationMs)
    this.#bytesPerMs = 0.8 * this.#bytesPerMs + 0.2 * rate
    answer()
    this.#schedule()
    if (this.#queuedRecordCount === 0) for (const done of this.#drained.splice(0)) done()
  }

  /** The calls of the next write: at least one, never part of one. */
  #take(): readonly AppendCall<Topic>[] {
    const { writeRecordCountMax, writeBytesMax } = this.#options
    let count = 0
    let recordCount = 0
    let bytes = 0
    for (const call of this.#waiting) {
      recordCount += call.records.length
      bytes += call.bytes
      if (count > 0 && (recordCount > writeRecordCountMax || bytes > writeBytesMax)) break
      count += 1
    }
    if (count < this.#waiting.length) return this.#waiting.splice(0, count)
    const calls = this.#waiting
    this.#waiting = []
    return calls
  }
}

/** Bytes that records take in the queue. @throws InvalidAppendError for an id out of bounds */
function weigh(records: readonly NewRecord[]): number {
  let bytes = 0
  for (const { id, key, value } of records) {
    const { length } = id
    if (length === 0 || (length * 3 > ID_BYTES_MAX && Buffer.byteLength(id) > ID_BYTES_MAX))
      throw new InvalidAppendError(
        `A record's id must have 1 to ${ID_BYTES_MAX} bytes of UTF-8, ` +
          `this one has ${Buffer.byteLength(id)}. Nothing was appended.`,
      )
    bytes += value.length + length + (key === null ? 0 : key.length) + RECORD_OVERHEAD_BYTES
  }
  return bytes
}
