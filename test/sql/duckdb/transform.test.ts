import { describe, expect, test } from 'vitest'
import type { Columns } from '../../../src/model/column.ts'
import type { Expression, FunctionName } from '../../../src/model/expression.ts'
import {
  columnsOf,
  date,
  decimal,
  int32,
  int64,
  list,
  nested,
  optional,
  type RecordSchema,
  record,
  text,
  timestamp,
} from '../../../src/model/schema.ts'
import type { Step } from '../../../src/model/step.ts'
import { batchDecoder } from '../../../src/sql/duckdb/decode.ts'
import { transform } from '../../../src/sql/duckdb/transform.ts'
import { engineForTests } from './engine-for-tests.ts'
import { ARRIVED_MS, batchOf } from './record-batches.ts'

const held = engineForTests()

const schema = record({ n: int32(), word: optional(text()) })
const columns = columnsOf(schema)
const column = (name: string): Expression => ({
  kind: 'column',
  ...columns.find((c) => c.name === name)!,
})
const literal = (
  value: number | string | bigint,
  type: 'int32' | 'string' | 'timestamp',
): Expression => ({
  kind: 'literal',
  value,
  type,
  nullable: false,
})
const call = (
  fn: FunctionName,
  type: 'int32' | 'string' | 'boolean' | 'timestamp',
  ...args: Expression[]
) => ({ kind: 'call', fn, args, type, nullable: args.some((arg) => arg.nullable) }) as const

async function run(
  values: readonly string[],
  steps: readonly Step[],
  decoding: RecordSchema = schema,
) {
  const batches = [batchOf(values.slice(0, 2)), batchOf(values.slice(2), { partition: 1 })]
  const decoded = await batchDecoder({ schema: decoding }).decode(held.connection, batches)
  expect(decoded.undecodable).toEqual([])
  const made = await transform(held.connection, {
    relation: decoded.relation,
    steps,
    processingTime: 1_700_000_000_000_000n,
  })
  const result = await held.connection.run(
    `SELECT * FROM ${made.relation.name} ORDER BY _partition, _offset`,
  )
  const rows = (await result.getRowObjects()).map((row) =>
    Object.fromEntries(
      Object.entries(row).map(([name, cell]) => [name, cell === null ? null : String(cell)]),
    ),
  )
  expect(result.columnNames()).toEqual(made.relation.columns.map((c) => c.name))
  expect(made.relation.rowCount).toBe(rows.length)
  await made.release()
  await decoded.release()
  expect(await held.connection.rows('SELECT table_name FROM duckdb_tables()')).toEqual([])
  return { rows, filtered: made.filtered, failed: made.failed }
}

const VALUES = ['{"n":1,"word":" Ab "}', '{"n":2}', '{"n":3,"word":"c"}', '{"n":4,"word":"d"}']

describe('transform', () => {
  test('no steps change nothing', async () => {
    const { rows, filtered } = await run(VALUES, [])
    expect(rows.map((row) => row.n)).toEqual(['1', '2', '3', '4'])
    expect(filtered).toEqual([])
  })

  test('expressions become columns; the record columns stay', async () => {
    const { rows } = await run(VALUES, [
      {
        kind: 'select',
        columns: [
          { name: 'twice', expression: call('add', 'int32', column('n'), column('n')) },
          {
            name: 'neat',
            expression: call('lower', 'string', call('trim', 'string', column('word'))),
          },
          {
            name: 'or',
            expression: call('coalesce', 'string', column('word'), literal("it's", 'string')),
          },
          {
            name: 'joined',
            expression: call('concat', 'string', column('word'), literal('!', 'string')),
          },
          { name: 'now', expression: call('processing_time', 'timestamp') },
          { name: 'came', expression: call('arrival_time', 'timestamp') },
          { name: 'id', expression: call('record_id', 'string') },
        ],
      },
    ])
    expect(rows[0]).toMatchObject({
      twice: '2',
      neat: 'ab',
      or: ' Ab ',
      joined: ' Ab !',
      id: 'id-0',
    })
    expect(rows[1]).toMatchObject({
      twice: '4',
      neat: null,
      or: "it's",
      joined: null,
      _raw: '{"n":2}',
    })
    expect(rows[0]).toMatchObject({ now: '2023-11-14 22:13:20+00', _offset: '0', _topic: 'events' })
    expect(new Date(`${rows[0]!.came!.replace(' ', 'T')}:00`).getTime()).toBe(ARRIVED_MS)
  })

  test('where keeps what is true and counts the rest; unknown is not true', async () => {
    const { rows, filtered } = await run(VALUES, [
      {
        kind: 'where',
        condition: call('not_equal', 'boolean', column('word'), literal('c', 'string')),
      },
      { kind: 'select', columns: [{ name: 'n', expression: column('n') }] },
    ])
    expect(rows.map((row) => row.n)).toEqual(['1', '4'])
    expect(filtered).toEqual([
      { topic: 'events', partition: 0, count: 1 },
      { topic: 'events', partition: 1, count: 1 },
    ])
  })

  test('a number that leaves its type costs one record', async () => {
    const sum = call('add', 'int32', column('n'), literal(10, 'int32'))
    const { rows, failed, filtered } = await run(
      ['{"n":1}', '{"n":2147483647}', '{"n":5}', '{"n":0}'],
      [
        { kind: 'select', columns: [{ name: 'n', expression: sum }] },
        { kind: 'where', condition: call('greater', 'boolean', sum, literal(20, 'int32')) },
      ],
    )
    expect(rows.map((row) => row.n)).toEqual(['11', '15'])
    expect(failed).toMatchObject([{ partition: 0, offset: 1, reason: 'step_failed' }])
    expect(filtered).toEqual([{ topic: 'events', partition: 1, count: 1 }])
  })

  test('own functions map and filter; an error costs one record', async () => {
    const out: Columns = [
      { name: 'label', type: 'string', nullable: false },
      { name: 'big', type: 'int64', nullable: true },
    ]
    const { rows, failed, filtered } = await run(VALUES, [
      {
        kind: 'map',
        columns: out,
        map: (row: { n: number; word: string | null }) => {
          if (row.n === 2) throw new Error('no twos')
          return { label: row.n === 3 ? 17 : `#${row.n}`, big: row.n === 1 ? null : BigInt(row.n) }
        },
      },
      { kind: 'filter', filter: (row: { label: string }) => row.label !== '#1' },
    ])
    expect(rows.map(({ label, big, _raw }) => [label, big, _raw])).toEqual([['#4', '4', VALUES[3]]])
    expect(failed.map(({ partition, offset, message }) => [partition, offset, message])).toEqual([
      [0, 1, 'The step threw Error: no twos'],
      [1, 0, 'The step threw TypeError: label must be well-formed text, found number 17.'],
    ])
    expect(filtered).toEqual([{ topic: 'events', partition: 0, count: 1 }])
  })

  test('every type survives the way through TypeScript and back', async () => {
    const rich = record({
      big: int64(),
      at: timestamp(),
      day: date(),
      money: decimal(20, 2),
      tags: list(optional(text())),
      place: optional(nested({ city: text(), zips: list(int32()) })),
    })
    const value =
      '{"big":9007199254740993,"at":"2023-11-29T05:09:27.890123Z","day":"1969-12-31","money":"-123456789012345678.05","tags":["a",null],"place":{"city":"Huế","zips":[1]}}'
    let seen: unknown
    const { rows } = await run(
      [value, value.replace('"place":{"city":"Huế","zips":[1]}', '"place":null')],
      [
        {
          kind: 'map',
          columns: columnsOf(rich),
          map: (row: { place: unknown }) => {
            if (row.place !== null) seen = row
            return row
          },
        },
      ],
      rich,
    )
    expect(seen).toEqual({
      big: 9007199254740993n,
      at: 1_701_234_567_890_123n,
      day: '1969-12-31',
      money: '-123456789012345678.05',
      tags: ['a', null],
      place: { city: 'Huế', zips: [1] },
    })
    expect(rows[0]).toMatchObject({
      big: '9007199254740993',
      at: '2023-11-29 05:09:27.890123+00',
      day: '1969-12-31',
      money: '-123456789012345678.05',
    })
    expect(rows[1]).toMatchObject({ place: null })
  })

  test('a function over many rows lets the event loop run', async () => {
    const values = Array.from({ length: 20_000 }, (_, n) => `{"n":${n}}`)
    let turns = 0
    const timer = setInterval(() => {
      turns += 1
    }, 1)
    const { rows } = await run(values, [
      { kind: 'filter', filter: (row: { n: number }) => row.n % 2 === 0 },
    ])
    clearInterval(timer)
    expect(rows).toHaveLength(10_000)
    expect(turns).toBeGreaterThan(5)
  })
})
