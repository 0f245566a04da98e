import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, type TestContext, test } from 'vitest'
import type { Columns } from '../../src/model/column.ts'
import type { ConsumedRange } from '../../src/model/consumed.ts'
import { retryOf } from '../../src/model/errors.ts'
import { SinkConfigError, SinkUnavailableError } from '../../src/serve/errors.ts'
import type { Sink } from '../../src/serve/sink.ts'
import { type CuttableProxy, startProxy } from '../cuttable-proxy.ts'
import { type MemoryRow, memoryRowSet } from '../memory-row-set.ts'
import type { SkipReason } from '../services.ts'
import type { SinkStore, TargetOptions } from './sink-store.ts'

// What every serving store promises (`src/serve/sink.ts`), whatever it is. The suite puts a network of its own between sink and
// store, so that it can take the store away at the worst moment.

const WORDS = [
  { name: 'n', type: 'int32', nullable: false },
  { name: 'word', type: 'string', nullable: true },
] as const satisfies Columns

const EVERY_TYPE = [
  { name: 'n', type: 'int32', nullable: false },
  { name: 'truth', type: 'boolean', nullable: true },
  { name: 'tiny', type: 'int8', nullable: true },
  { name: 'small', type: 'int16', nullable: true },
  { name: 'large', type: 'int64', nullable: true },
  { name: 'real', type: 'float32', nullable: true },
  { name: 'double', type: 'float64', nullable: true },
  { name: 'text', type: 'string', nullable: true },
  { name: 'bytes', type: 'binary', nullable: true },
  { name: 'day', type: 'date', nullable: true },
  { name: 'instant', type: 'timestamp', nullable: true },
  { name: 'reading', type: 'timestamp_ntz', nullable: true },
  { name: 'money', type: { kind: 'decimal', precision: 38, scale: 9 }, nullable: true },
] as const satisfies Columns

const noted = (start: number, end: number, dead = 0, partition = 0): ConsumedRange => ({
  topic: 'events',
  partition,
  offsetStart: start,
  offsetEnd: end,
  read: end - start,
  rows: end - start - dead,
  dead,
  filtered: 0,
})
const words = (...list: (string | null)[]) => list.map((word, index): MemoryRow => [index, word])

export function describeSink(name: string, open: () => Promise<SinkStore | SkipReason>): void {
  describe(`${name} as a sink`, () => {
    let store: SinkStore | SkipReason
    let proxy: CuttableProxy
    /** New for each test: the store remembers consumers, also from earlier runs. */
    let consumer: string

    beforeEach(() => {
      consumer = `a-pipeline/${randomUUID()}`
    })
    beforeAll(async () => {
      store = await open()
      if (!('skip' in store)) proxy = await startProxy(store.port)
    })
    afterAll(async () => {
      await proxy?.close()
      if (!('skip' in store)) await store.stop()
    })

    /** A store that is there and an open sink on a new table. */
    async function opened(context: TestContext, options: TargetOptions) {
      if ('skip' in store) return context.skip(store.skip)
      const target = await store.newTarget(options)
      const sink = target.sink(proxy.port)
      context.onTestFinished(() => sink.close())
      await sink.open()
      const write = async (rows: readonly MemoryRow[], ranges: readonly ConsumedRange[]) => {
        const staged = await sink.stage(memoryRowSet(options.columns, rows))
        return { rejected: staged.rejected, outcome: await staged.commit(consumer, ranges) }
      }
      return { store, target, sink, write }
    }

    test('keeps every value of every type', async (context) => {
      const { target, write } = await opened(context, { columns: EVERY_TYPE })
      const micros = (text: string, rest: bigint) => BigInt(Date.parse(text)) * 1000n + rest
      const rows: MemoryRow[] = [
        [0, ...EVERY_TYPE.slice(1).map(() => null)],
        [
          ...[1, true, 127, 32767, 9223372036854775807n, 3.4028234663852886e38],
          ...[Number.MAX_VALUE, 'plain', Uint8Array.of(0, 1, 255), '9999-12-31'],
          ...[micros('9999-12-31T23:59:59.999Z', 999n), micros('2024-02-29T12:00:00Z', 1n)],
          '99999999999999999999999999999.999999999',
        ],
        [
          ...[2, false, -128, -32768, -9223372036854775808n, 1.401298464324817e-45],
          ...[5e-324, '', new Uint8Array(0), '0001-01-01'],
          ...[micros('0001-01-01T00:00:00Z', 0n), micros('1969-12-31T23:59:59.999Z', 999n)],
          '-99999999999999999999999999999.999999999',
        ],
        [
          ...[3, true, 0, 0, 0n, 0.5, 0.1, 'NULL', Uint8Array.of(92, 78), '1970-01-01', 0n, 0n],
          '0.000000001',
        ],
      ]
      const texts = [
        '\\N',
        '\\.',
        '"',
        '""',
        ',',
        'a\nb',
        'a\r\nb',
        ' ',
        '\t',
        '\\',
        '\\x41',
        'null',
      ]
      texts.push(
        'Thiếu Nhi 漢字 👩‍👩‍👧',
        '\u{10FFFF}\u200B\uFEFF',
        "'; DROP TABLE t; --",
        '{}',
        'x'.repeat(100_000),
      )
      for (const [index, text] of texts.entries())
        rows.push([
          10 + index,
          ...EVERY_TYPE.slice(1).map((c) => (c.name === 'text' ? text : null)),
        ])

      const { rejected, outcome } = await write(rows, [noted(0, rows.length)])
      expect(rejected).toEqual([])
      expect(outcome).toEqual({ status: 'committed' })
      expect(await target.rows()).toEqual(rows)
    })

    test('keeps a table of one text column whatever the texts look like', async (context) => {
      const columns = [{ name: 'word', type: 'string', nullable: true }] as const satisfies Columns
      const { target, write } = await opened(context, { columns })
      const { rejected } = await write([['\\.'], ['\\N'], ['a'], ['']], [noted(0, 4)])
      expect(rejected).toEqual([])
      const kept = (await target.rows()).map((row) => row[0])
      expect(kept.toSorted()).toEqual(['', '\\.', '\\N', 'a'])
    })

    test('opening again changes nothing', async (context) => {
      const { store, target, sink, write } = await opened(context, { columns: WORDS })
      await write(words('one'), [noted(0, 1)])
      const again = target.sink(store.port)
      await Promise.all([sink.open(), again.open()])
      expect(await again.cursor(consumer)).toHaveLength(1)
      await again.close()
      expect(await target.rows()).toEqual(words('one'))
    })

    test('two starters on a new table do not trip over each other', async (context) => {
      if ('skip' in store) return context.skip(store.skip)
      const target = await store.newTarget({ columns: WORDS })
      const sinks = [1, 2, 3].map(() => target.sink(proxy.port))
      await Promise.all(sinks.map((sink) => sink.open()))
      await Promise.all(sinks.map((sink) => sink.close()))
      expect(await target.rows()).toEqual([])
    })

    test('refuses a table that does not fit, naming what differs', async (context) => {
      const { store, target } = await opened(context, { columns: WORDS })
      const other = target.sinkExpecting(store.port, [
        { name: 'n', type: 'timestamp', nullable: false },
        { name: 'absent', type: 'string', nullable: true },
      ])
      const refusal = await other.open().catch((error: unknown) => error)
      await other.close()
      expect(refusal).toBeInstanceOf(SinkConfigError)
      expect(String(refusal)).toMatch(/\bn\b.*\babsent\b/s)
    })

    test('a check leaves nothing', async (context) => {
      const { target, sink } = await opened(context, { columns: WORDS })
      await sink.check()
      expect(await target.rows()).toEqual([])
      expect(await sink.cursor('mekong doctor')).toEqual([])
    })

    test('the cursor moves with the rows and adds up', async (context) => {
      const { sink, write } = await opened(context, { columns: WORDS })
      expect(await sink.cursor(consumer)).toEqual([])
      await write(words('a', 'b'), [noted(0, 3, 1), noted(0, 0, 0, 1)])
      await write([], [noted(3, 4, 1), noted(0, 0, 0, 1)])
      // Ranges of one partition may come in pieces.
      await write(words('c', 'd'), [noted(4, 5), noted(5, 6)])
      const line = { topic: 'events', filtered: 0 }
      expect(await sink.cursor(consumer)).toEqual([
        { ...line, partition: 0, offset: 6, rows: 4, dead: 2 },
        { ...line, partition: 1, offset: 0, rows: 0, dead: 0 },
      ])
      expect(await sink.cursor('somebody-else')).toEqual([])
    })

    describe('refused rows', () => {
      const long = 'too long'
      const lengthMax = { word: 5 }
      const cases: readonly [string, number, readonly number[]][] = [
        ['the first', 100, [0]],
        ['one in the middle', 100, [37]],
        ['the last', 100, [99]],
        ['two neighbours', 100, [49, 50]],
        ['the only one', 1, [0]],
        ['all', 33, Array.from({ length: 33 }, (_, index) => index)],
        ['many', 3_000, Array.from({ length: 60 }, (_, index) => index * 50 + (index % 7))],
      ]
      test.for(cases)('%s', async ([, count, bad], context) => {
        const { target, write } = await opened(context, { columns: WORDS, lengthMax })
        const rows = Array.from(
          { length: count },
          (_, n): MemoryRow => [n, bad.includes(n) ? long : 'fine'],
        )
        const { rejected, outcome } = await write(rows, [noted(0, count, bad.length)])
        expect(rejected.map((row) => row.index)).toEqual(bad)
        expect(new Set(rejected.map((row) => row.reason))).toEqual(new Set(['value_too_long']))
        expect(outcome).toEqual({ status: 'committed' })
        expect(await target.rows()).toEqual(rows.filter((row) => row[1] === 'fine'))
      })

      test('each says why', async (context) => {
        const columns = WORDS
        const { target, write } = await opened(context, { columns, lengthMax, unique: 'n' })
        const rows = [...words('a', long, 'nul\0', 'b'), [null, 'c'], [3, 'again'], [2 ** 40, 'd']]
        const { rejected } = await write(rows, [noted(0, 7, 5)])
        expect(rejected.map(({ index, reason }) => [index, reason])).toEqual([
          [1, 'value_too_long'],
          [2, 'invalid_text'],
          [4, 'not_null_violated'],
          [5, 'unique_violated'],
          [6, 'number_out_of_range'],
        ])
        for (const row of rejected) expect(row.message.length).toBeGreaterThan(20)
        expect(await target.rows()).toEqual([
          [0, 'a'],
          [3, 'b'],
        ])
      })
    })

    test('aborting leaves no trace', async (context) => {
      const { target, sink, write } = await opened(context, { columns: WORDS })
      const staged = await sink.stage(memoryRowSet(WORDS, words('a')))
      await staged.abort()
      await staged.abort()
      expect(await target.rows()).toEqual([])
      expect(await sink.cursor(consumer)).toEqual([])
      expect((await write(words('b'), [noted(0, 1)])).outcome.status).toBe('committed')
    })

    test('a signal stops a write, and the sink lives on', async (context) => {
      const { target, sink, write } = await opened(context, { columns: WORDS })
      const controller = new AbortController()
      const endless = {
        ...memoryRowSet(WORDS, []),
        count: 1_000_000_000,
        async *csv() {
          for (;;) {
            yield Buffer.from('1,word\n'.repeat(1_000))
            await new Promise((resolve) => setTimeout(resolve, 1))
          }
        },
      }
      const staging = sink.stage(endless, controller.signal)
      setTimeout(() => controller.abort(new Error('enough')), 50)
      await expect(staging).rejects.toThrow('enough')
      expect((await write(words('b'), [noted(0, 1)])).outcome.status).toBe('committed')
      expect(await target.rows()).toEqual(words('b'))
    })

    test('the same ranges a second time are a conflict and add nothing', async (context) => {
      const { target, sink, write } = await opened(context, { columns: WORDS })
      await write(words('a'), [noted(0, 1)])
      const cursor = await sink.cursor(consumer)
      expect((await write(words('a'), [noted(0, 1)])).outcome.status).toBe('conflict')
      // A gap is as wrong as an overlap, and one wrong partition spoils the whole batch.
      expect((await write(words('a'), [noted(2, 3)])).outcome.status).toBe('conflict')
      // Where there is no line yet the cursor stands at the beginning.
      expect((await write(words('a'), [noted(5, 6, 0, 1)])).outcome.status).toBe('conflict')
      const mixed = [noted(1, 2), noted(0, 6, 0, 1)]
      expect((await write(words('b'), mixed)).outcome.status).toBe('committed')
      const halfRight = [noted(2, 3), noted(5, 6, 0, 1)]
      expect((await write(words('c'), halfRight)).outcome.status).toBe('conflict')
      expect(cursor).toHaveLength(1)
      expect(await target.rows()).toEqual([
        [0, 'a'],
        [0, 'b'],
      ])
    })

    test('of two writers on one cursor one wins each time', async (context) => {
      const { store, target, sink } = await opened(context, { columns: WORDS })
      const rival = target.sink(store.port)
      context.onTestFinished(() => rival.close())
      await rival.open()
      const run = async (writer: Sink, mark: string) => {
        let committed = 0
        for (let tries = 0; tries < 15; tries += 1) {
          const start = (await writer.cursor(consumer))[0]?.offset ?? 0
          const staged = await writer.stage(memoryRowSet(WORDS, [[start, mark]]))
          const outcome = await staged.commit(consumer, [noted(start, start + 1)])
          if (outcome.status === 'committed') committed += 1
          else expect(outcome.status).toBe('conflict')
        }
        return committed
      }
      const [mine, theirs] = await Promise.all([run(sink, 'mine'), run(rival, 'theirs')])
      const rows = await target.rows()
      // Every offset exactly once, whoever wrote it.
      expect(rows.map((row) => row[0])).toEqual(rows.map((_, index) => index))
      expect(rows).toHaveLength(mine + theirs)
      expect((await sink.cursor(consumer))[0]).toMatchObject({
        offset: rows.length,
        rows: rows.length,
      })
    })

    test('a connection lost between stage and commit leaves nothing', async (context) => {
      const { target, sink, write } = await opened(context, { columns: WORDS })
      const staged = await sink.stage(memoryRowSet(WORDS, words('a')))
      proxy.cut()
      const refusal = await staged.commit(consumer, [noted(0, 1)]).catch((error: unknown) => error)
      expect(refusal).toBeInstanceOf(SinkUnavailableError)
      expect(retryOf(refusal)).toBe('later')
      expect(await sink.cursor(consumer)).toEqual([])
      expect(await target.rows()).toEqual([])
      expect((await write(words('b'), [noted(0, 1)])).outcome.status).toBe('committed')
      expect(await target.rows()).toEqual(words('b'))
    })

    test('a connection lost in the middle of writing is said as such', async (context) => {
      const { target, sink } = await opened(context, { columns: WORDS })
      const whole = memoryRowSet(WORDS, words(...Array.from({ length: 5_000 }, () => 'word')))
      const staging = sink.stage({
        ...whole,
        async *csv(range) {
          for await (const bytes of whole.csv(range)) {
            yield bytes
            proxy.cut()
            await new Promise((resolve) => setTimeout(resolve, 20))
          }
        },
      })
      await expect(staging).rejects.toBeInstanceOf(SinkUnavailableError)
      expect(await target.rows()).toEqual([])
    })

    test('a commit whose answer is lost is unknown, and the cursor tells', async (context) => {
      const { store, target, sink } = await opened(context, { columns: WORDS })
      const staged = await sink.stage(memoryRowSet(WORDS, words('a')))
      const answered = proxy.cutAfter(store.commitBytes)
      const outcome = await staged.commit(consumer, [noted(0, 1)])
      expect(outcome.status).toBe('unknown')
      await answered
      expect((await sink.cursor(consumer))[0]).toMatchObject({ offset: 1, rows: 1 })
      expect(await target.rows()).toEqual(words('a'))
    })

    test('a store that is away is said as such, and found again when it is back', async (context) => {
      const { target, sink, write } = await opened(context, { columns: WORDS })
      proxy.down()
      try {
        await expect(sink.cursor(consumer)).rejects.toBeInstanceOf(SinkUnavailableError)
        const staging = sink.stage(memoryRowSet(WORDS, words('a')))
        await expect(staging).rejects.toBeInstanceOf(SinkUnavailableError)
        await expect(sink.check()).rejects.toBeInstanceOf(SinkUnavailableError)
        await expect(target.sink(proxy.port).open()).rejects.toBeInstanceOf(SinkUnavailableError)
      } finally {
        proxy.up()
      }
      expect((await write(words('b'), [noted(0, 1)])).outcome.status).toBe('committed')
      expect(await target.rows()).toEqual(words('b'))
    })
  })
}
