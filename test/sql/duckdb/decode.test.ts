import { readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { RecordBatch } from '../../../src/model/record-batch.ts'
import {
  boolean,
  date,
  decimal,
  epoch,
  float64,
  int32,
  int64,
  json,
  list,
  nested,
  optional,
  type RecordSchema,
  record,
  text,
  timestamp,
} from '../../../src/model/schema.ts'
import { batchDecoder } from '../../../src/sql/duckdb/decode.ts'
import { EngineInterruptedError } from '../../../src/sql/duckdb/errors.ts'
import { quoteIdentifier } from '../../../src/sql/duckdb/quote-identifier.ts'
import { engineForTests } from './engine-for-tests.ts'
import { ARRIVED_MS, batchOf } from './record-batches.ts'

const held = engineForTests()

/** Rows as text in offset order, and the dead as `place: reason`. */
async function decode(schema: RecordSchema, batches: readonly RecordBatch[], strictJson = false) {
  const decoder = batchDecoder({ schema, strictJson })
  const decoded = await decoder.decode(held.connection, batches)
  const columns = Object.keys(schema.fields).map((name) => `${quoteIdentifier(name)}::VARCHAR`)
  const rows = await held.connection.rows(
    `SELECT ${columns.join(', ') || '1'} FROM ${decoded.relation.name} ORDER BY _topic, _partition, _offset`,
  )
  await decoded.release()
  const dead = decoded.undecodable.map(
    (one) => `${one.batchIndex}/${one.recordIndex}: ${one.reason}`,
  )
  return { rows, dead, messages: decoded.undecodable.map((one) => one.message) }
}

describe('decode', () => {
  test('types come out as the schema says', async () => {
    const schema = record({
      flag: boolean(),
      small: int32(),
      big: int64(),
      real: float64(),
      money: decimal(10, 2),
      word: text(),
      at: timestamp(),
      seen: epoch(),
      day: date(),
      rest: json(),
      tags: list(text()),
      lines: list(nested({ sku: text(), quantity: int32({ min: 1 }) })),
      home: nested({ city: text(), zip: optional(text()) }),
      note: optional(text()),
    })
    const value = {
      flag: true,
      small: -5,
      big: 0,
      real: 1.5,
      money: '12.30',
      word: 'chào, "bạn" 👋\n',
      at: '2023-11-29T12:09:27.890+07:00',
      seen: 1_701_234_567_890,
      day: '2024-02-29',
      rest: { a: [1, null] },
      tags: ['a', "b'c"],
      lines: [
        { sku: 'x', quantity: 2 },
        { sku: 'y', quantity: 1 },
      ],
      home: { city: 'Huế', zip: null },
    }
    const body = JSON.stringify(value).replace('"big":0', '"big":9007199254740993')
    const { rows, dead, messages } = await decode(schema, [batchOf([body])])
    expect(messages).toEqual([])
    expect(dead).toEqual([])
    expect(rows).toEqual([
      [
        'true',
        '-5',
        '9007199254740993',
        '1.5',
        '12.30',
        'chào, "bạn" 👋\n',
        '2023-11-29 05:09:27.89+00',
        '2023-11-29 05:09:27.89+00',
        '2024-02-29',
        '{"a":[1,null]}',
        "[a, 'b\\'c']",
        "[{'sku': x, 'quantity': 2}, {'sku': y, 'quantity': 1}]",
        "{'city': Huế, 'zip': NULL}",
        null,
      ],
    ])
  })

  test.each([
    ['a text where a whole number belongs', '{"n":"12"}', 'wrong_type'],
    ['a fraction', '{"n":1.7}', 'wrong_type'],
    ['true', '{"n":true}', 'wrong_type'],
    ['null', '{"n":null}', 'missing_field'],
    ['nothing', '{}', 'missing_field'],
    ['too large', '{"n":2147483648}', 'out_of_range'],
    ['far too large', '{"n":123456789012345678901234567890}', 'out_of_range'],
    ['beyond any double', '{"n":1e400}', 'out_of_range'],
    ['not a number', '{"n":NaN}', 'malformed_json'],
    ['a list', '[{"n":1}]', 'not_an_object'],
    ['null alone', 'null', 'not_an_object'],
    ['no bytes', '', 'malformed_json'],
    ['half a record', '{"n":1', 'malformed_json'],
    ['two records', '{"n":1}{"n":2}', 'malformed_json'],
    ['a line end inside a text', '{"n":1,"t":"a\nb"}', 'malformed_json'],
    ['NUL', '{"n":1}\0', 'malformed_json'],
    ['a byte order mark', '\ufeff{"n":1}', 'malformed_json'],
  ])('%s is turned away', async (_name, value, reason) => {
    const { rows, dead } = await decode(record({ n: int32() }), [
      batchOf(['{"n":1}', value, '{"n":2}']),
    ])
    expect(dead).toEqual([`0/1: ${reason}`])
    expect(rows).toEqual([['1'], ['2']])
  })

  test.each([
    ['a whole number written as a fraction', '{"n":1.0}'],
    ['a whole number written with an exponent', '{"n":10e-1}'],
    ['white space everywhere', '\t{\r\n  "n" :\t1\n}\n'],
    ['an unnamed field with half a surrogate pair', '{"n":1,"z":"\\ud800"}'],
    ['an unnamed field nested deeply', `{"z":${'['.repeat(500)}${']'.repeat(500)},"n":1}`],
    ['an unnamed field of 3 MiB', `{"n":1,"z":"${'x'.repeat(3 * 1024 * 1024)}"}`],
    ['an escaped name', '{"\\u006e":1}'],
  ])('%s is taken', async (_name, value) => {
    const { rows, dead } = await decode(record({ n: int32() }), [batchOf([value, '{"n":2}'])])
    expect(dead).toEqual([])
    expect(rows).toEqual([['1'], ['2']])
  })

  test('what DuckDB reads leniently is refused with strictJson', async () => {
    const values = ['{"n":1,}', '{"n":1,"z":NaN}', '{"n":1,"z":[-inf]}', '{"n":1,"z":[1, ]}']
    const { rows, dead } = await decode(record({ n: int32() }), [batchOf(values)], true)
    expect(rows).toEqual([])
    expect(dead).toEqual(values.map((_, index) => `0/${index}: malformed_json`))
  })

  test('bytes that are not UTF-8 cost one record, also when they complete each other', async () => {
    const half = (first: string, byte: number, last: string) =>
      Buffer.concat([Buffer.from(first), Buffer.from([byte]), Buffer.from(last)])
    const { rows, dead } = await decode(record({ n: int32() }), [
      batchOf([
        '{"n":1}',
        half('{"n":2,"t":"', 0xff, '"}'),
        half('{"n":3}', 0xc3, ''),
        half('', 0xa9, '{"n":4}'),
        '{"n":5}',
      ]),
    ])
    expect(rows).toEqual([['1'], ['5']])
    expect(dead).toEqual(['0/1: invalid_utf8', '0/2: invalid_utf8', '0/3: invalid_utf8'])
  })

  test('every row says which record it is, whatever bytes its key and headers hold', async () => {
    const decoder = batchDecoder({ schema: record({ n: int32() }) })
    const raw = '{"n":\t2}'
    const batches = [
      batchOf(['{"n":1}', raw], {
        topic: "it's",
        partition: 7,
        offsetStart: 2 ** 40,
        ids: ['a"b', 'tab\tid'],
        keys: ['', 'line\nkey\0'],
        headers: ['{"traceparent":"00-1"}', ''],
      }),
      batchOf(['{"n":3}'], { topic: 'other', partition: 0, offsetStart: 5 }),
    ]
    const decoded = await decoder.decode(held.connection, batches)
    const rows = await held.connection.rows(
      `SELECT _topic, _partition, _offset, _id, _key, epoch_ms(_arrived_at), _headers, _raw FROM ${decoded.relation.name} ORDER BY n`,
    )
    expect(rows).toEqual([
      ["it's", 7, 2n ** 40n, 'a"b', null, BigInt(ARRIVED_MS), '{"traceparent":"00-1"}', '{"n":1}'],
      ["it's", 7, 2n ** 40n + 1n, 'tab\tid', 'line\nkey\0', BigInt(ARRIVED_MS + 1), null, raw],
      ['other', 0, 5n, 'id-0', null, BigInt(ARRIVED_MS), null, '{"n":3}'],
    ])
    expect(decoded.relation.rowCount).toBe(3)
    await decoded.release()
    await decoded.release()
    expect(readdirSync(held.engine.spillDirectory).filter((f) => f.endsWith('.tsv'))).toEqual([])
  })

  test('an empty batch is an empty relation', async () => {
    expect(await decode(record({ n: int32() }), [])).toEqual({ rows: [], dead: [], messages: [] })
    expect((await decode(record({}), [batchOf(['{}', '[]'])])).dead).toEqual(['0/1: not_an_object'])
  })

  test('a large batch goes through many files and keeps every record', async () => {
    const filler = 'y'.repeat(900)
    const values = Array.from({ length: 120_000 }, (_, n) =>
      n % 10_000 === 77 ? '{"n":"no"}' : `{"n":${n},"z":"${filler}"}`,
    )
    const { rows, dead } = await decode(record({ n: int32() }), [
      batchOf(values.slice(0, 70_000)),
      batchOf(values.slice(70_000), { partition: 1 }),
    ])
    expect(dead).toHaveLength(12)
    expect(rows).toHaveLength(120_000 - 12)
    expect(rows.at(-1)).toEqual(['119999'])
  })

  test('an aborted decode leaves nothing behind', async () => {
    const values = Array.from({ length: 50_000 }, (_, n) => `{"n":${n}}`)
    const decoder = batchDecoder({ schema: record({ n: int32() }) })
    const stop = new AbortController()
    const decoding = decoder.decode(held.connection, [batchOf(values)], stop.signal)
    setTimeout(() => stop.abort(), 5)
    await expect(decoding).rejects.toThrow(EngineInterruptedError)
    const tables = await held.connection.rows('SELECT table_name FROM duckdb_tables()')
    expect(tables).toEqual([])
    expect(readdirSync(held.engine.spillDirectory).filter((f) => f.endsWith('.tsv'))).toEqual([])
  })
})
