import { describe, expect, test } from 'vitest'
import type { Columns } from '../../../src/model/column.ts'
import { columnsOf, int32, optional, record, text } from '../../../src/model/schema.ts'
import type { RowSet } from '../../../src/serve/sink.ts'
import { batchDecoder } from '../../../src/sql/duckdb/decode.ts'
import { relationRows } from '../../../src/sql/duckdb/row-set.ts'
import { engineForTests } from './engine-for-tests.ts'
import { ARRIVED_MS, batchOf } from './record-batches.ts'

const held = engineForTests()
const schema = record({ n: int32(), word: optional(text()) })

async function rowsOf(count: number) {
  const values = Array.from({ length: count }, (_, n) => JSON.stringify({ n, word: `w${n}` }))
  const batches = [
    batchOf(values.slice(0, count / 2), { partition: 1 }),
    batchOf(values.slice(count / 2), { partition: 0 }),
  ]
  const { relation } = await batchDecoder({ schema }).decode(held.connection, batches)
  return relationRows(held.engine, { relation, columns: columnsOf(schema) })
}

async function textOf(pieces: AsyncIterable<Uint8Array>): Promise<string> {
  const all: Uint8Array[] = []
  for await (const piece of pieces) all.push(piece)
  return Buffer.concat(all).toString()
}

const COLUMNS: Columns = [
  { name: 'b', type: 'boolean', nullable: true },
  { name: 's', type: 'string', nullable: true },
  { name: 'at', type: 'timestamp', nullable: true },
  { name: 'bin', type: 'binary', nullable: true },
  { name: 'money', type: { kind: 'decimal', precision: 5, scale: 2 }, nullable: true },
  {
    name: 'tags',
    type: { kind: 'list', element: 'string', elementNullable: true },
    nullable: true,
  },
  { name: 'big', type: 'int64', nullable: true },
]

async function oddRows() {
  const name = held.engine.relationName('odd')
  await held.connection.run(
    `CREATE TABLE ${name} AS SELECT *, 't' AS _topic, 0 AS _partition FROM (VALUES
      (true, 'a "q", é' || chr(10) || 'b', make_timestamptz(1701234567890000), '\\x00\\xFF'::BLOB, 1.5::DECIMAL(5,2), ['x"', NULL], 9007199254740993, 1::BIGINT),
      (NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0::BIGINT),
      (false, '\\N', make_timestamptz(0), ''::BLOB, 0::DECIMAL(5,2), [], -1, 2::BIGINT),
      (false, '', NULL, NULL, NULL, NULL, NULL, 3::BIGINT)) v(b, s, "at", bin, money, tags, big, _offset)`,
  )
  return relationRows(held.engine, {
    relation: { name, columns: COLUMNS, rowCount: 4 },
    columns: COLUMNS,
  })
}

describe('row set', () => {
  test('fills the port of the serving stores', async () => {
    const rows: RowSet = await rowsOf(2)
    expect(rows.count).toBe(2)
    expect(rows.columns.map((c) => c.name)).toEqual(['n', 'word'])
  })

  test('CSV is in the documented form, in offset order', async () => {
    expect(await textOf((await oddRows()).csv())).toBe(
      [
        String.raw`\N,\N,\N,\N,\N,\N,\N`,
        `true,"a ""q"", é\nb",2023-11-29 05:09:27.89+00,\\x00ff,1.50,"[""x\\"""",null]",9007199254740993`,
        String.raw`false,"\N",1970-01-01 00:00:00+00,\x,0.00,"[]",-1`,
        String.raw`false,"",\N,\N,\N,\N,\N`,
        '',
      ].join('\n'),
    )
  })

  test('values come row by row', async () => {
    const rows: unknown[] = []
    for await (const chunk of (await oddRows()).chunks({ start: 0, end: 2 })) rows.push(...chunk)
    expect(rows).toEqual([
      [null, null, null, null, null, null, null],
      [
        true,
        'a "q", é\nb',
        1_701_234_567_890_000n,
        Buffer.from([0, 255]),
        '1.50',
        ['x"', null],
        9007199254740993n,
      ],
    ])
  })

  test('ranges cut at the same rows every time, over many pieces', async () => {
    const count = 20_000
    const rows = await rowsOf(count)
    const lines = (await textOf(rows.csv())).trimEnd().split('\n')
    const expected = Array.from({ length: count }, (_, index) => {
      const n = (index + count / 2) % count
      return `${n},"w${n}"`
    })
    expect(lines).toEqual(expected)
    const part = await textOf(rows.csv({ start: 4095, end: 8193 }))
    expect(part.trimEnd().split('\n')).toEqual(expected.slice(4095, 8193))
    expect(await textOf(rows.csv({ start: 5, end: 5 }))).toBe('')
    for await (const chunk of rows.chunks({ start: 10_000, end: 10_001 }))
      expect(chunk).toEqual([[0, 'w0']])
  })

  test('the records of rows can be looked up', async () => {
    const rows = await rowsOf(10)
    expect(await rows.records([7, 0])).toEqual([
      {
        topic: 'events',
        partition: 1,
        offset: 2,
        arrivedMs: ARRIVED_MS + 2,
        id: 'id-2',
        key: null,
        headers: {},
        value: expect.any(Uint8Array),
      },
      {
        topic: 'events',
        partition: 0,
        offset: 0,
        arrivedMs: ARRIVED_MS,
        id: 'id-0',
        key: null,
        headers: {},
        value: expect.any(Uint8Array),
      },
    ])
    const [first] = await rows.records([7])
    expect(Buffer.from(first!.value).toString()).toBe('{"n":2,"word":"w2"}')
    await expect(rows.records([10])).rejects.toThrow(RangeError)
  })
})
