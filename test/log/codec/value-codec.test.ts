import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { avroFingerprint, canonicalForm } from '../../../src/log/codec/avro-fingerprint.ts'
import { avroSchemaOf } from '../../../src/log/codec/avro-schema.ts'
import { topLevelMembers } from '../../../src/log/codec/json-members.ts'
import { countCoded, schemaText, ValueCodec } from '../../../src/log/codec/value-codec.ts'
import { parseAvroSchema } from '../../../src/model/avro/schema.ts'
import { bytesAt, bytesColumn } from '../../../src/model/record-batch.ts'
import {
  boolean,
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

const SCHEMA = record({
  id: text(),
  actor: nested({ id: int64(), login: text() }),
  at: timestamp(),
  when: optional(epoch()),
  public: boolean(),
  count: optional(int32()),
  ratio: optional(float64()),
  price: optional(decimal(20, 2)),
  tags: optional(list(optional(text()))),
  payload: optional(json()),
})
const utf8 = new TextEncoder()
const column = (...values: readonly string[]) => bytesColumn(values.map((v) => utf8.encode(v)))
const textAt = (values: ReturnType<typeof column>, index: number) =>
  Buffer.from(bytesAt(values, index)).toString()

function codecOf(schema: RecordSchema = SCHEMA) {
  const codec = new ValueCodec()
  const avro = avroSchemaOf(schema, { name: 'Event', namespace: 'com.example' })
  return { codec, fingerprint: codec.learn(schemaText(avro)) }
}

const FULL =
  '{"id":"a\\"b\\u00e9","actor":{"id":9007199254740993,"login":"ada"},"at":"2015-01-01T00:00:00Z","when":1420070400,"public":true,' +
  '"count":-3,"ratio":0.25,"price":"12.30","tags":["x",null],"payload":{"z":[1.50,1e400,12345678901234567890],"a":{"}":"\\\\"}}}'

describe('values between JSON and Avro', () => {
  test('come back as they were, JSON byte for byte, without what the schema does not name', () => {
    const { codec, fingerprint } = codecOf()
    const given = FULL.replace('"public"', ' "org" : {"id":1} , "public"')
    const coded = codec.encode(
      column(given, '{"id":"b","actor":{"id":1,"login":""},"at":"x","public":false}'),
      fingerprint,
    )
    expect(countCoded(coded)).toBe(2)
    expect(coded.data.length).toBeLessThan(utf8.encode(given).length)
    const back = codec.decode(coded)
    expect(textAt(back, 0)).toBe(FULL.replace('a\\"b\\u00e9', 'a\\"bé'))
    expect(JSON.parse(textAt(back, 1))).toEqual({
      ...{ id: 'b', actor: { id: 1, login: '' }, at: 'x', public: false, when: null, count: null },
      ...{ ratio: null, price: null, tags: null, payload: null },
    })
  })

  test('a value that does not fit lies there as it came, beside coded ones', () => {
    const { codec, fingerprint } = codecOf()
    const misfits = [
      ...['7', '[]', 'null', '{"id":', '', '{"id":"a"}', FULL.replace('true', '"yes"')],
      ...[FULL.replace('"a\\"b\\u00e9"', '5'), FULL.replace('9007199254740993', '1.5')],
    ]
    const back = codec.decode(codec.encode(column(...misfits, FULL), fingerprint))
    for (const [index, value] of misfits.entries()) expect(textAt(back, index)).toBe(value)
    expect(textAt(back, misfits.length)).toContain('9007199254740993')
  })

  test('what was written with an older schema is read with the older schema', () => {
    const { codec, fingerprint } = codecOf()
    const older = codecOf(record({ id: text(), payload: json() }))
    const coded = older.codec.encode(column('{"payload":[1, 2],"id":"old"}'), older.fingerprint)
    expect(codec.unknown(coded)).toEqual([older.fingerprint])
    expect(older.fingerprint).not.toBe(fingerprint)
    const avro = avroSchemaOf(record({ id: text(), payload: json() }), {
      ...{ name: 'Event', namespace: 'com.example' },
    })
    codec.learn(schemaText(avro))
    expect(textAt(codec.decode(coded), 0)).toBe('{"id":"old","payload":[1, 2]}')
  })

  test('any JSON object is cut into its members', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue()),
        fc.constantFrom(undefined, 1, '\t', '\r\n '),
        (object, space) => {
          const bytes = utf8.encode(JSON.stringify(object, null, space as never))
          const members = topLevelMembers(bytes)!
          const found = [...members].map(([name, { start, end }]) => [
            name,
            JSON.parse(new TextDecoder().decode(bytes.subarray(start, end))),
          ])
          const parsed = JSON.parse(new TextDecoder().decode(bytes))
          expect(new Map(found as never)).toEqual(new Map(Object.entries(parsed)))
        },
      ),
    )
  })
})

describe("Avro's own names of schemas", () => {
  // The canonical form and the fingerprints are those of Avro's test file for its implementations (share/test/data/schema-tests.txt).
  test.each([
    ['"null"', '"null"', 7195948357588979594n],
    ['{"type":"boolean"}', '"boolean"', -6970731678124411036n],
    ['"int"', '"int"', 8247732601305521295n],
    ['"string"', '"string"', -8142146995180207161n],
    ['{"type":"array","items":"long"}', '{"type":"array","items":"long"}', undefined],
    ['["null","int"]', '["null","int"]', undefined],
    [
      '{"doc":"x","type":"record","name":"foo","namespace":"x.y","fields":[{"name":"a","doc":"z","type":["null","int"],"default":null}]}',
      '{"name":"x.y.foo","type":"record","fields":[{"name":"a","type":["null","int"]}]}',
      undefined,
    ],
  ])('%s', (json, canonical, fingerprint) => {
    const schema = parseAvroSchema(json)
    expect(canonicalForm(schema)).toBe(canonical)
    if (fingerprint !== undefined)
      expect(BigInt.asIntN(64, avroFingerprint(schema))).toBe(fingerprint)
  })
})
