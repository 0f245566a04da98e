import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { systemClock } from '../../src/model/clock.ts'
import { advance, type ConsumedRange, type Cursor } from '../../src/model/consumed.ts'
import type { DeadLetter } from '../../src/model/dead-letter.ts'
import { PlatformError } from '../../src/model/errors.ts'
import { bytesColumn, type RecordBatch, recordAt } from '../../src/model/record-batch.ts'
import { Hop, type HopOptions } from '../../src/stream/hop.ts'
import type { SourcePort, StagedBatch, StagePort, TargetPort } from '../../src/stream/ports.ts'

// Goal: whatever goes wrong between reading and committing, the target ends with each good record once and the dead
// letters with each bad one once. Method: an in-memory log, engine and target that keep the ports' contracts,
// and a seeded source of trouble that strikes at every call.

class Away extends PlatformError {
  readonly code = 'TEST_AWAY'
  readonly retry = 'later'
}

const TOPIC = 'numbers'
const encoder = new TextEncoder()

/** Values are numbers; `x` is poison at decoding, `-n` is refused by the target, multiples of 10 are filtered. */
class World {
  readonly partitions: string[][] = [[], []]
  readonly rows: string[] = []
  readonly dead = new Map<string, DeadLetter>()
  cursor: Cursor = []
  readonly trouble: () => boolean
  readonly waiters = new Set<() => void>()

  constructor(trouble: () => boolean) {
    this.trouble = trouble
  }

  strike(what: string): void {
    if (this.trouble()) throw new Away(`${what} is away`)
  }

  append(partition: number, ...values: string[]): void {
    this.partitions[partition]!.push(...values)
    for (const wake of this.waiters) wake()
  }

  /** Offset to start at in each partition that has no cursor yet. */
  startAt = 0

  readonly source: SourcePort = {
    skipped: async (cursor) =>
      this.startAt === 0
        ? []
        : this.partitions.flatMap((_, partition) =>
            cursor.some((line) => line.partition === partition)
              ? []
              : [skippedRange(partition, this.startAt)],
          ),
    read: async (cursor, limits) => {
      this.strike('log')
      return this.partitions.flatMap((values, partition) => {
        const from = cursor.find((line) => line.partition === partition)?.offset ?? 0
        const taken = values.slice(from, from + Math.ceil(limits.recordCountMax / 2))
        return taken.length === 0 ? [] : [batchOf(partition, from, taken)]
      })
    },
    waitForMore: async (_cursor, signal) => {
      await new Promise<void>((resolve) => {
        this.waiters.add(resolve)
        signal.addEventListener('abort', () => resolve(), { once: true })
        setTimeout(resolve, 1)
      })
    },
    lagRecords: async (cursor) =>
      this.partitions.reduce(
        (lag, values, p) =>
          lag + values.length - (cursor.find((l) => l.partition === p)?.offset ?? 0),
        0,
      ),
  }

  readonly stage: StagePort = {
    stage: async (batches) => {
      this.strike('engine')
      const rows: [RecordBatch, number][] = []
      const dead: DeadLetter[] = []
      const ranges = batches.map((batch): ConsumedRange => {
        const counts = { rows: 0, dead: 0, filtered: 0 }
        for (let index = 0; index < batch.offsets.length; index += 1) {
          const value = valueAt(batch, index)
          if (value === 'x') dead.push(letter(batch, index, 'poison'))
          else if (Number(value) % 10 !== 0) rows.push([batch, index])
          counts[value === 'x' ? 'dead' : Number(value) % 10 === 0 ? 'filtered' : 'rows'] += 1
        }
        const { topic, partition, offsets, offsetEnd } = batch
        return {
          topic,
          partition,
          offsetStart: offsets[0]!,
          offsetEnd,
          read: offsets.length,
          ...counts,
        }
      })
      const relation = { name: 'r', columns: [], rowCount: rows.length }
      return { relation, dead, ranges, release: async () => {}, rows } as StagedBatch
    },
  }

  readonly target: TargetPort = {
    cursor: async () => {
      this.strike('target')
      return this.cursor
    },
    skip: async (ranges) => {
      this.strike('target')
      this.cursor = advance(this.cursor, ranges)
      return this.trouble() ? { status: 'unknown', reason: 'lost' } : { status: 'committed' }
    },
    stage: async (staged) => {
      this.strike('target')
      const rows = (staged as StagedBatch & { rows: [RecordBatch, number][] }).rows
      const refused = rows.filter(([batch, index]) => valueAt(batch, index).startsWith('-'))
      const taken = rows.filter((row) => !refused.includes(row))
      return {
        rejected: refused.map(([batch, index]) => letter(batch, index, 'refused')),
        abort: async () => {},
        commit: async (ranges) => {
          this.strike('target')
          const at = (r: ConsumedRange) =>
            this.cursor.find((l) => l.partition === r.partition)?.offset ?? 0
          if (ranges.some((range) => range.offsetStart !== at(range))) {
            return { status: 'conflict', reason: 'the cursor stands elsewhere' }
          }
          if (this.trouble()) return { status: 'unknown', reason: 'lost before it arrived' }
          this.cursor = advance(this.cursor, ranges)
          this.rows.push(...taken.map(([batch, index]) => valueAt(batch, index)))
          return this.trouble()
            ? { status: 'unknown', reason: 'the answer was lost' }
            : { status: 'committed' }
        },
      }
    },
  }

  readonly deadLetters = {
    record: async (letters: readonly DeadLetter[]) => {
      this.strike('dead letters')
      for (const l of letters) this.dead.set(`${l.topic}/${l.partition}/${l.offset}`, l)
    },
  }

  hop(more: Partial<HopOptions> = {}): Hop {
    return new Hop({
      pipeline: 'p',
      name: 'h',
      source: this.source,
      stage: this.stage,
      target: this.target,
      deadLetters: this.deadLetters,
      clock: systemClock,
      chance: () => 0.5,
      limits: { recordCountMax: 6, bytesMax: 1_000, batchIntervalMs: 0 },
      backOff: { firstMs: 1, maxMs: 2 },
      ...more,
    })
  }
}

function skippedRange(partition: number, offsetEnd: number): ConsumedRange {
  return {
    topic: TOPIC,
    partition,
    offsetStart: 0,
    offsetEnd,
    read: offsetEnd,
    rows: 0,
    dead: 0,
    filtered: offsetEnd,
  }
}

function batchOf(partition: number, from: number, values: string[]): RecordBatch {
  const none = bytesColumn(values.map(() => new Uint8Array()))
  return {
    topic: TOPIC,
    partition,
    offsets: Float64Array.from(values, (_, index) => from + index),
    offsetEnd: from + values.length,
    arrivedMs: new Float64Array(values.length),
    ids: none,
    keys: none,
    headers: none,
    values: bytesColumn(values.map((value) => encoder.encode(value))),
  }
}

const valueAt = (batch: RecordBatch, index: number) =>
  new TextDecoder().decode(recordAt(batch, index).value)

function letter(batch: RecordBatch, index: number, reason: string): DeadLetter {
  const { topic, partition, offset, value } = recordAt(batch, index)
  return {
    pipeline: 'p',
    hop: 'h',
    topic,
    partition,
    offset,
    recordId: '',
    key: null,
    reason,
    message: reason,
    value,
    headers: {},
    arrivedMs: 0,
  }
}

async function drained(hop: Hop): Promise<void> {
  const deadlineMs = Date.now() + 10_000
  while (Date.now() < deadlineMs) {
    const { lagRecords, state } = await hop.status()
    if (lagRecords === 0 && state.name === 'waiting') return
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  throw new Error(`not drained: ${JSON.stringify(await hop.status())}`)
}

const value = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 1, max: 999 }).map(String) },
  { weight: 1, arbitrary: fc.constant('x') },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 9 }).map((n) => `-${n}`) },
)

describe('hop', () => {
  test('each record once, whatever goes wrong where', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat({ max: 1 }), value), { maxLength: 60 }),
        fc.infiniteStream(fc.nat({ max: 99 })),
        fc.integer({ min: 0, max: 40 }),
        async (records, dice, troublePercent) => {
          const world = new World(() => dice.next().value < troublePercent)
          const hop = world.hop()
          hop.start()
          for (const [partition, v] of records) world.append(partition, v)
          await drained(hop)
          await hop.stop()
          const values = records.map(([, v]) => v)
          const good = values.filter((v) => v !== 'x' && !v.startsWith('-') && Number(v) % 10 !== 0)
          expect(world.rows.toSorted()).toEqual(good.toSorted())
          expect(world.dead.size).toBe(values.filter((v) => v === 'x' || v.startsWith('-')).length)
          for (const line of world.cursor) {
            expect(line.rows + line.dead + line.filtered).toBe(line.offset)
          }
        },
      ),
      { numRuns: 60 },
    )
  })

  test('order within a partition is kept', async () => {
    const world = new World(() => false)
    const values = Array.from({ length: 50 }, (_, index) => String(index * 2 + 1))
    world.append(1, ...values)
    const hop = world.hop()
    hop.start()
    await drained(hop)
    await hop.stop()
    expect(world.rows).toEqual(values)
  })

  test('what lies before the start is skipped once and counted as filtered', async () => {
    const dice = [true, false, false, true, false]
    const world = new World(() => dice.shift() ?? false)
    world.startAt = 2
    world.append(0, '1', '3', '5')
    world.append(1, '7', '9')
    const hop = world.hop()
    hop.start()
    await drained(hop)
    await hop.stop()
    expect(world.rows).toEqual(['5'])
    expect(world.cursor.map(({ offset, rows, filtered }) => [offset, rows, filtered])).toEqual([
      [3, 1, 2],
      [2, 0, 2],
    ])
  })

  test('two hops on one target: one wins each batch, nothing is written twice', async () => {
    const world = new World(() => false)
    const values = Array.from({ length: 200 }, (_, index) => String(index * 2 + 1))
    world.append(0, ...values)
    const hops = [world.hop(), world.hop()]
    for (const hop of hops) hop.start()
    await Promise.all(hops.map(drained))
    for (const hop of hops) await hop.stop()
    expect(world.rows).toEqual(values)
  })

  test('an error that is not for retrying stops the hop and says why; it does not spin', async () => {
    const world = new World(() => false)
    let tries = 0
    const hop = world.hop({
      stage: {
        stage: async () => {
          tries += 1
          throw new Error('a bug in the engine')
        },
      },
    })
    world.append(0, '1')
    hop.start()
    await expect.poll(() => hop.state).toEqual({ name: 'failed', reason: 'a bug in the engine' })
    await hop.stop()
    expect(hop.state.name).toBe('failed')
    expect(tries).toBe(1)
  })

  test('stopping lets the batch in hand finish and begins no other', async () => {
    const world = new World(() => false)
    world.append(0, '1', '3')
    let release = () => {}
    const gate = new Promise<void>((resolve) => {
      release = resolve
    })
    const target: TargetPort = {
      ...world.target,
      stage: async (batch, signal) => {
        await gate
        return world.target.stage(batch, signal)
      },
    }
    const hop = world.hop({ target })
    hop.start()
    await expect.poll(() => hop.state.name).toBe('working')
    world.append(0, '5', '7', '9')
    const stopped = hop.stop()
    release()
    await stopped
    expect(hop.state.name).toBe('stopped')
    expect(world.rows.length === 2 || world.rows.length === 0).toBe(true)
    expect(world.cursor.reduce((sum, line) => sum + line.rows, 0)).toBe(world.rows.length)
  })

  test('batches are counted and timed, and an empty topic costs none', async () => {
    const world = new World(() => false)
    const reports: number[] = []
    const hop = world.hop({ onBatch: ({ ranges }) => reports.push(ranges[0]!.read) })
    hop.start()
    await drained(hop)
    expect(reports).toEqual([])
    world.append(0, '1', 'x', '10')
    await drained(hop)
    await hop.stop()
    expect(reports).toEqual([3])
  })

  test('what trickles in is gathered, however steadily it comes; a backlog is not held up', async () => {
    const world = new World(() => false)
    const starts: number[] = []
    const limits = { recordCountMax: 100, bytesMax: 1e6, batchIntervalMs: 50 }
    const hop = world.hop({ limits, onBatch: () => starts.push(performance.now()) })
    world.append(0, ...Array.from({ length: 1_000 }, () => '1'))
    const startMs = performance.now()
    hop.start()
    await drained(hop)
    // Twenty batches with a pause between any two of them would take a second.
    expect(starts.length).toBeGreaterThanOrEqual(20)
    expect(performance.now() - startMs).toBeLessThan(800)
    starts.length = 0
    const trickleStartMs = performance.now()
    while (performance.now() - trickleStartMs < 300) {
      world.append(0, '1')
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
    await drained(hop)
    await hop.stop()
    const intervals = (performance.now() - trickleStartMs) / limits.batchIntervalMs
    expect(starts.length).toBeLessThanOrEqual(intervals + 2)
    expect(world.rows.length).toBe(world.partitions[0]!.length)
  })
})
