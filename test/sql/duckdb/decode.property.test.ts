import fc from 'fast-check'
import { expect, test } from 'vitest'
import { epochToMicros } from '../../../src/model/epoch.ts'
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
  record,
  text,
  timestamp,
} from '../../../src/model/schema.ts'
import { compileSchemaCheck, parseExactly } from '../../../src/model/schema-check.ts'
import { batchDecoder } from '../../../src/sql/duckdb/decode.ts'
import { engineForTests } from './engine-for-tests.ts'
import { batchOf } from './record-batches.ts'

// Random values, whole, wrong and damaged, decoded by the engine and by the naive reference below, row by row. The
// reference is what one would write first: JSON.parse, the schema check, and a conversion for each kind of field.

const held = engineForTests()
const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31))

const schema = record({
  flag: boolean(),
  small: int32({ min: -100, max: 1_000_000 }),
  large: optional(int64()),
  ratio: float64(),
  price: decimal(9, 3),
  label: text({ min: 1, max: 12 }),
  colour: optional(text({ oneOf: ['red', "gr'een"] })),
  instant: timestamp(),
  moment: optional(epoch()),
  birthday: date(),
  extra: json(),
  scores: list(optional(int32()), { max: 4 }),
  parts: optional(list(nested({ code: text(), weight: optional(decimal(5, 1)) }))),
  place: optional(nested({ city: text(), point: nested({ lat: float64() }) })),
})
const FIELDS = Object.keys(schema.fields)

const one = <T>(...values: T[]) => fc.constantFrom(...values)
const digits = (max: number) => fc.integer({ min: 0, max })
const instants = fc
  .record({
    day: one('2023-11-29', '2024-02-29', '2023-02-29', '1969-12-31', '0001-01-01', '9999-12-31'),
    separator: one('T', ' ', '_'),
    clock: one('05:09:27', '23:59:59', '24:00:00', '12:00:60', '1:00:00'),
    fraction: one('', '.8', '.890', '.123456', '.1234567', '.999999999', '.', '.1234567890'),
    zone: one('Z', '+07:00', '-0330', '+05', '', '+16:00', '+07:60', 'z', ' UTC'),
  })
  .map((p) => `${p.day}${p.separator}${p.clock}${p.fraction}${p.zone}`)

/** JSON texts, not values, so that the same number can be written in several ways. */
const RIGHT: Record<string, fc.Arbitrary<string>> = {
  flag: one('true', 'false'),
  small: fc.integer({ min: -100, max: 1_000_000 }).map(String),
  large: one('9223372036854775807', '-9223372036854775808', '0', '9007199254740993', 'null'),
  ratio: fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => JSON.stringify(n)),
  price: fc.tuple(digits(999_999), digits(999), fc.boolean()).map(([whole, part, quoted]) => {
    const number = `${whole}.${String(part).padStart(3, '0')}`
    return quoted ? `"${number}"` : number
  }),
  label: fc.string({ minLength: 1, maxLength: 12, unit: 'grapheme' }).map((t) => JSON.stringify(t)),
  colour: one('"red"', '"gr\'een"', 'null'),
  instant: one('"2023-11-29T05:09:27.890Z"', '"2024-02-29 23:59:59.123456789+07:00"'),
  moment: one('1701234567', '1701234567890', '1701234567890123', '1701234567890123456', 'null'),
  birthday: one('"2024-02-29"', '"1900-01-01"'),
  extra: fc.json({ maxDepth: 3 }).filter((text) => text.trim() !== 'null'),
  scores: one('[]', '[1,null,3]', '[ 7 ]'),
  parts: one('null', '[]', '[{"code":"a","weight":"1.5"},{"code":"b"}]'),
  place: one('null', '{"city":"Huế","point":{"lat":16.5}}'),
}
const ODD = fc.oneof(
  one(
    'null',
    'true',
    '""',
    '"12"',
    '12',
    '-1',
    '1.0',
    '1e3',
    '1.7',
    '-0',
    '1e400',
    '1E-7',
    '[]',
    '{}',
  ),
  one('123456789012345678901234', '18446744073709551615', '2147483648', '99999999', '7258118400'),
  one(
    '"1234567.1"',
    '"1.2345"',
    '"1.2340"',
    '"0012.5"',
    '"1.5e2"',
    '".5"',
    '"-7"',
    '0.1234',
    '1e-3',
  ),
  one(
    '"red "',
    '"infinity"',
    '"\\u0000"',
    '"\\ud83d\\ude00"',
    '"\\ud800"',
    '"2024-13-01"',
    '"0000-01-01"',
  ),
  one(
    '[1,2,3,4,5]',
    '[1,"2"]',
    '[1.0,1.5]',
    '[{"code":1}]',
    '[{"code":"a","weight":"12345.6"}]',
    '[null]',
  ),
  one(
    '{"city":"x"}',
    '{"city":"x","point":[]}',
    '{"city":"x","point":{"lat":"1"}}',
    '{"point":null}',
  ),
  one('NaN', '-Infinity', '[1,]', '{"a":1,}', "'x'", '01', '+1'),
  instants.map((t) => JSON.stringify(t)),
)
const seldom = <T>(arbitrary: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 5, arbitrary: fc.constant(null) }, { weight: 1, arbitrary })
const SPACE = one('', ' ', '  ', '\t', '\r\n')

const document = fc
  .tuple(
    fc.tuple(...FIELDS.map((name) => RIGHT[name]!)),
    seldom(fc.array(fc.tuple(fc.nat(FIELDS.length - 1), ODD), { maxLength: 2 })),
    seldom(fc.nat(FIELDS.length - 1)),
    SPACE,
    seldom(ODD),
  )
  .map(([right, odd, missing, space, unnamed]) => {
    const cells: string[] = [...right]
    for (const [index, cell] of odd ?? []) cells[index] = cell
    const members = FIELDS.flatMap((name, i) =>
      i === missing ? [] : [`"${name}":${space}${cells[i]}`],
    )
    if (unnamed !== null) members.push(`"unnamed":${unnamed}`)
    return `{${members.join(`,${space}`)}}`
  })

const damaged = fc
  .tuple(document, fc.array(fc.tuple(fc.nat(), fc.nat(255), fc.boolean()), { maxLength: 3 }))
  .map(([text, changes]) => {
    let bytes = Buffer.from(text)
    for (const [at, byte, insert] of changes) {
      const place = at % bytes.length
      bytes = insert
        ? Buffer.concat([bytes.subarray(0, place), Buffer.from([byte]), bytes.subarray(place)])
        : Buffer.concat([bytes.subarray(0, place), Buffer.from([byte]), bytes.subarray(place + 1)])
    }
    return new Uint8Array(bytes)
  })

const values = fc.oneof(
  { weight: 6, arbitrary: document.map((text) => new Uint8Array(Buffer.from(text))) },
  { weight: 3, arbitrary: damaged },
  {
    weight: 1,
    arbitrary: fc.oneof(fc.json(), fc.string()).map((t) => new Uint8Array(Buffer.from(t))),
  },
)

const check = compileSchemaCheck(schema)

/** The reason to refuse, or the row. */
function reference(value: Uint8Array): string | Record<string, unknown> {
  let text: string
  let parsed: unknown
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(value)
  } catch {
    return 'invalid_utf8'
  }
  try {
    parsed = parseExactly(text)
  } catch {
    return 'malformed_json'
  }
  const [problem] = check.problems(parsed)
  if (problem !== undefined) return problem.code
  const row = parsed as Record<string, never>
  // biome-ignore lint/suspicious/noExplicitAny: the check above has judged every cell
  const named: Record<string, any> = Object.fromEntries(
    FIELDS.map((name) => [name, row[name] ?? null]),
  )
  const words = JSON.stringify(named, (_, cell) => (typeof cell === 'bigint' ? 0 : cell))
  if (!isWellFormedDeep(JSON.parse(words))) return 'bad_format'
  const place = named.place as null | { city: string; point: { lat: number } }
  const parts = named.parts as null | { code: string; weight?: unknown }[]
  return {
    flag: named.flag,
    small: Number(named.small),
    large: named.large === null ? null : String(BigInt(named.large)),
    ratio: Number(named.ratio),
    price: Number(named.price).toFixed(3),
    label: named.label,
    colour: named.colour,
    instant: micros(named.instant!),
    moment: named.moment === null ? null : String(epochToMicros(BigInt(named.moment))),
    birthday: named.birthday,
    extra: numbersOf(named.extra),
    scores: (named.scores as (number | null)[]).map((n) => (n === null ? null : Number(n))),
    parts:
      parts?.map(({ code, weight }) => ({
        code,
        weight: weight === null || weight === undefined ? null : Number(weight),
      })) ?? null,
    place: place && { city: place.city, point: { lat: Number(place.point.lat) } },
  }
}

function isWellFormedDeep(value: unknown): boolean {
  if (typeof value === 'string') return value.isWellFormed()
  if (typeof value !== 'object' || value === null) return true
  return Object.entries(value).every(
    ([name, cell]) => name.isWellFormed() && isWellFormedDeep(cell),
  )
}

function micros(text: string): string {
  const [, seconds, fraction = '', zone] = /^(.{19})(?:\.(\d+))?(.+)$/.exec(text)!
  const [sign, hours, minutes = '00'] = /^Z$/.test(zone!)
    ? ['+', '00', '00']
    : [zone![0]!, zone!.slice(1, 3), zone!.slice(3).replace(':', '') || '00']
  const ms = Date.parse(`${seconds!.replace(' ', 'T')}Z`)
  const shift = (Number(hours) * 60 + Number(minutes)) * 60_000 * (sign === '-' ? 1 : -1)
  return String(BigInt(ms + shift) * 1000n + BigInt(fraction.slice(0, 6).padEnd(6, '0')))
}

/** JSON compared as values: numbers as doubles, so that 1.0 is 1 and -0 is 0. */
function numbersOf(value: unknown): unknown {
  if (typeof value === 'bigint' || typeof value === 'number') return Number(value) + 0
  if (Array.isArray(value)) return value.map(numbersOf)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, cell]) => [name, numbersOf(cell)]))
}

const SELECT =
  'to_json({flag: flag, small: small, "large": "large"::VARCHAR, ratio: ratio, price: price::VARCHAR, label: label, colour: colour, ' +
  'instant: epoch_us(instant)::VARCHAR, moment: epoch_us(moment)::VARCHAR, birthday: birthday::VARCHAR, extra: extra, ' +
  'scores: scores, parts: parts, place: place})::VARCHAR'

test('decoding agrees with a naive reference, row by row', async () => {
  console.log(`seed ${SEED}`)
  let rowCount = 0
  let deadCount = 0
  const plain = batchDecoder({ schema, strictJson: true })
  const sampled = batchDecoder({ schema, strictJson: true, sampledRecordCountMin: 1 })
  await fc.assert(
    fc.asyncProperty(
      fc.array(values, { minLength: 1, maxLength: 40 }),
      fc.boolean(),
      async (bodies, sample) => {
        const decoded = await (sample ? sampled : plain).decode(held.connection, [batchOf(bodies)])
        try {
          const rows = await held.connection.rows(
            `SELECT _offset, ${SELECT} FROM ${decoded.relation.name} ORDER BY _offset`,
          )
          const found = new Map<number, unknown>(
            rows.map(([offset, row]) => {
              const cells = JSON.parse(row as string)
              return [Number(offset), { ...cells, extra: numbersOf(JSON.parse(cells.extra)) }]
            }),
          )
          for (const dead of decoded.undecodable) found.set(dead.recordIndex, dead.reason)
          rowCount += rows.length
          deadCount += decoded.undecodable.length
          expect(rows.length + decoded.undecodable.length).toBe(bodies.length)
          for (const [index, body] of bodies.entries()) {
            const expected = reference(body)
            const got = found.get(index)
            if (typeof expected === 'string')
              expect(got, Buffer.from(body).toString()).toBe(expected)
            else expect(numbersOf(got), Buffer.from(body).toString()).toEqual(numbersOf(expected))
          }
        } finally {
          await decoded.release()
        }
      },
    ),
    { seed: SEED, numRuns: 150 },
  )
  // Both outcomes must be common, or the test says little.
  expect(Math.min(rowCount, deadCount)).toBeGreaterThan(300)
}, 120_000)
