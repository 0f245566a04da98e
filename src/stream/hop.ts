import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../model/clock.ts'
import { advance, type ConsumedRange, type Cursor } from '../model/consumed.ts'
import type { DeadLetter } from '../model/dead-letter.ts'
import { assert, messageOf, retryOf } from '../model/errors.ts'
import type { RecordBatch } from '../model/record-batch.ts'
import { type BackOff, backOffMs, DEFAULT_BACK_OFF } from './back-off.ts'
import { type HopEvent, type HopState, OPENING, transition } from './hop-state.ts'
import type {
  DeadLetterPort,
  ReadLimits,
  SourcePort,
  StagedBatch,
  StagePort,
  TargetPort,
} from './ports.ts'

// A hop carries records from a topic to one target in micro-batches, exactly once.
//
// Comes in: records, from where the target's own cursor stands. Goes out: rows and the cursor past them, in
// one commit; what cannot become a row goes to the dead letters before that commit. Survives a crash: nothing
// here. Whatever was staged and not committed is staged again from the same cursor; the dead letters of
// such a batch are recorded twice under the same name, which changes nothing.

export interface HopLimits extends ReadLimits {
  /** Least time between the starts of two micro-batches, so that a trickle does not become a flood of commits. */
  readonly batchIntervalMs: number
}

/** Large enough that per-batch costs vanish, small enough that two batches fit in memory many times over. */
export const DEFAULT_HOP_LIMITS: HopLimits = {
  recordCountMax: 100_000,
  bytesMax: 32 * 1024 * 1024,
  batchIntervalMs: 100,
}

export interface HopOptions {
  readonly pipeline: string
  readonly name: string
  readonly source: SourcePort
  readonly stage: StagePort
  readonly target: TargetPort
  readonly deadLetters: DeadLetterPort
  readonly clock: Clock
  /** In [0, 1). */
  readonly chance: () => number
  readonly limits?: HopLimits
  readonly backOff?: BackOff
  /** Told of every change of state and every commit; must not throw. */
  readonly onState?: (state: HopState) => void
  readonly onBatch?: (report: BatchReport) => void
}

/** What one micro-batch was. */
export interface BatchReport {
  readonly ranges: readonly ConsumedRange[]
  /** From the end of staging the rows to the end of the commit. */
  readonly writeMs: number
  /** From the end of reading to the end of the commit. */
  readonly totalMs: number
}

export interface HopStatus {
  readonly pipeline: string
  readonly name: string
  readonly state: HopState
  readonly cursor: Cursor
  readonly lagRecords: number
}

interface NextBatch {
  readonly batch: StagedBatch
  readonly readAtMs: number
  /** The read came near its limits: more is waiting. */
  readonly full: boolean
}

/** Records read before they are wanted, at most one batch. */
interface ReadAhead {
  readonly cursor: Cursor
  readonly batches: Promise<readonly RecordBatch[]>
}

/** A running hop. `start` returns at once; `stop` lets the batch in hand finish. */
export class Hop {
  readonly pipeline: string
  readonly name: string
  readonly #options: HopOptions
  readonly #limits: HopLimits
  readonly #stopping = new AbortController()
  #state: HopState = OPENING
  #cursor: Cursor = []
  #ahead: ReadAhead | undefined
  #attempt = 0
  #lastBatchStartMs = Number.NEGATIVE_INFINITY
  #done: Promise<void> = Promise.resolve()

  constructor(options: HopOptions) {
    this.pipeline = options.pipeline
    this.name = options.name
    this.#options = options
    this.#limits = options.limits ?? DEFAULT_HOP_LIMITS
  }

  start(): void {
    this.#done = this.#run()
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#done
    if (this.#state.name !== 'failed') this.#on({ name: 'stop' })
  }

  get state(): HopState {
    return this.#state
  }

  async status(): Promise<HopStatus> {
    const cursor = this.#cursor
    const lagRecords = await this.#options.source.lagRecords(cursor)
    return { pipeline: this.pipeline, name: this.name, state: this.#state, cursor, lagRecords }
  }

  /** Open at the target's cursor and carry batches until stopped; trouble that passes is waited out. */
  async #run(): Promise<void> {
    const { signal } = this.#stopping
    while (!signal.aborted) {
      try {
        if (!(await this.#open())) continue
        this.#on({ name: 'opened' })
        await this.#carry(signal)
      } catch (error) {
        if (signal.aborted) return
        if (retryOf(error) === 'never') {
          this.#on({ name: 'fault', reason: messageOf(error) })
          return
        }
        await this.#waitOut(messageOf(error), signal)
      }
    }
  }

  /** Stand where the target's cursor stands, past what is to be skipped. False when another writer moved it meanwhile. */
  async #open(): Promise<boolean> {
    const { source, target } = this.#options
    this.#cursor = await target.cursor()
    const skipped = await source.skipped(this.#cursor)
    if (skipped.length === 0) return true
    const outcome = await target.skip(skipped)
    if (outcome.status !== 'committed') return false
    this.#cursor = advance(this.#cursor, skipped)
    return true
  }

  async #waitOut(reason: string, signal: AbortSignal): Promise<void> {
    this.#attempt += 1
    this.#on({ name: 'trouble', reason, attempt: this.#attempt })
    const { backOff = DEFAULT_BACK_OFF, chance } = this.#options
    await sleep(backOffMs(backOff, this.#attempt, chance()), undefined, { signal }).catch(() => {})
    if (!signal.aborted) this.#on({ name: 'due' })
  }

  /** Batch after batch, until stopped or until the cursor turns out not to be ours. */
  async #carry(signal: AbortSignal): Promise<void> {
    let ahead: Promise<NextBatch | undefined> | undefined
    try {
      while (!signal.aborted) {
        // A backlog is carried as fast as it goes; only what trickles in is gathered first.
        if (ahead === undefined) await this.#pace(signal)
        const next = await (ahead ?? this.#next(this.#cursor, signal))
        ahead = undefined
        if (next === undefined) {
          await this.#options.source.waitForMore(this.#cursor, signal)
          continue
        }
        this.#on({ name: 'found' })
        // While the target takes a full batch the engine decodes the one after it.
        if (next.full) {
          ahead = this.#next(advance(this.#cursor, next.batch.ranges), signal)
          ahead.catch(() => {})
        }
        const committed = await this.#write(next, signal)
        this.#attempt = 0
        this.#on({ name: committed ? 'committed' : 'stale' })
        if (!committed) return
      }
    } finally {
      await ahead?.then((unused) => unused?.batch.release()).catch(() => {})
    }
  }

  async #next(cursor: Cursor, signal: AbortSignal): Promise<NextBatch | undefined> {
    const { stage, clock } = this.#options
    const batches = await this.#read(cursor, signal)
    if (batches.length === 0) return undefined
    const readAtMs = clock.nowMs()
    const full = isNearLimits(batches, this.#limits)
    // The log is read for the batch after this one while the engine decodes this one.
    if (full) this.#readAhead(cursorPast(batches, cursor), signal)
    const staged = await stage.stage(batches, signal)
    const batch = { ...staged, ranges: fromCursor(staged.ranges, cursor) }
    return { batch, readAtMs, full }
  }

  /** What was read ahead, if it begins where it is wanted; what the log holds there never changes. */
  async #read(cursor: Cursor, signal: AbortSignal): Promise<readonly RecordBatch[]> {
    const ahead = this.#ahead
    this.#ahead = undefined
    if (ahead !== undefined && standAlike(ahead.cursor, cursor)) return ahead.batches
    return this.#options.source.read(cursor, this.#limits, signal)
  }

  #readAhead(cursor: Cursor, signal: AbortSignal): void {
    const batches = this.#options.source.read(cursor, this.#limits, signal)
    batches.catch(() => {})
    this.#ahead = { cursor, batches }
  }

  /** Rows staged, dead letters kept, rows and cursor committed: in this order. False when the cursor had moved. */
  async #write({ batch, readAtMs }: NextBatch, signal: AbortSignal): Promise<boolean> {
    const { target, deadLetters, clock, onBatch } = this.#options
    const startMs = clock.nowMs()
    this.#lastBatchStartMs = startMs
    try {
      const write = await target.stage(batch, signal)
      let ranges: readonly ConsumedRange[]
      try {
        ranges = withRejected(batch.ranges, write.rejected)
        const dead = [...batch.dead, ...write.rejected]
        if (dead.length > 0) await deadLetters.record(dead)
      } catch (error) {
        await write.abort()
        throw error
      }
      const outcome = await write.commit(ranges)
      if (outcome.status !== 'committed') return false
      this.#cursor = advance(this.#cursor, ranges)
      const endMs = clock.nowMs()
      onBatch?.({ ranges, writeMs: endMs - startMs, totalMs: endMs - readAtMs })
      return true
    } finally {
      await batch.release()
    }
  }

  async #pace(signal: AbortSignal): Promise<void> {
    const waitMs =
      this.#lastBatchStartMs + this.#limits.batchIntervalMs - this.#options.clock.nowMs()
    if (waitMs > 0) await sleep(waitMs, undefined, { signal }).catch(() => {})
  }

  #on(event: HopEvent): void {
    const next = transition(this.#state, event)
    assert(
      next !== undefined,
      `hop ${this.name} cannot take "${event.name}" while ${this.#state.name}`,
    )
    this.#state = next
    this.#options.onState?.(next)
  }
}

function isNearLimits(batches: readonly RecordBatch[], limits: ReadLimits): boolean {
  let recordCount = 0
  let bytes = 0
  for (const { offsets, values } of batches) {
    recordCount += offsets.length
    bytes += values.data.length
  }
  return recordCount >= limits.recordCountMax / 2 || bytes >= limits.bytesMax / 2
}

/** Where a cursor will stand after these batches. */
function cursorPast(batches: readonly RecordBatch[], cursor: Cursor): Cursor {
  const ranges = batches.map(({ topic, partition, offsetEnd }) => {
    const nothing = { read: 0, rows: 0, dead: 0, filtered: 0 }
    return { topic, partition, offsetStart: 0, offsetEnd, ...nothing }
  })
  return advance(cursor, fromCursor(ranges, cursor))
}

/** Whether two cursors want the same record next in every partition. */
function standAlike(a: Cursor, b: Cursor): boolean {
  return (
    a.length === b.length &&
    a.every((line) =>
      b.some(
        ({ topic, partition, offset }) =>
          topic === line.topic && partition === line.partition && offset === line.offset,
      ),
    )
  )
}

/**
 * The same ranges, begun where the cursor stands. Offsets that the log no longer has between the two stay uncounted, so that the ledger
 * shows them as missing.
 */
function fromCursor(ranges: readonly ConsumedRange[], cursor: Cursor): readonly ConsumedRange[] {
  return ranges.map((range) => {
    const line = cursor.find((l) => l.topic === range.topic && l.partition === range.partition)
    return { ...range, offsetStart: line?.offset ?? 0 }
  })
}

/** The same ranges with rejected rows counted as dead; `read = rows + dead + filtered` before and after. */
function withRejected(
  ranges: readonly ConsumedRange[],
  rejected: readonly DeadLetter[],
): readonly ConsumedRange[] {
  return ranges.map((range) => {
    const dead = rejected.filter(
      (letter) => letter.topic === range.topic && letter.partition === range.partition,
    ).length
    const counted = { ...range, rows: range.rows - dead, dead: range.dead + dead }
    assert(
      counted.rows >= 0 && counted.read === counted.rows + counted.dead + counted.filtered,
      `a range of ${range.topic}/${range.partition} does not add up`,
    )
    return counted
  })
}
