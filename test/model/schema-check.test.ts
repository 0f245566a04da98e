import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { EPOCH_MICROS_END, epochToMicros } from '../../src/model/epoch.ts'
import type { Problem } from '../../src/model/problem.ts'
import {
  boolean,
  date,
  decimal,
  epoch,
  type Field,
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
} from '../../src/model/schema.ts'
import { compileSchemaCheck } from '../../src/model/schema-check.ts'

/** The codes that a field gives a JSON text. */
function codesOf(field: Field, jsonText: string): string[] {
  const source = `{"f":${jsonText}}`
  return compileSchemaCheck(record({ f: field }))
    .problems(JSON.parse(source), source)
    .map((problem) => problem.code)
}

const good = (field: Field, ...texts: string[]) => {
  for (const one of texts) expect([one, codesOf(field, one)]).toEqual([one, []])
}
const bad = (field: Field, code: string, ...texts: string[]) => {
  for (const one of texts) expect([one, codesOf(field, one)]).toEqual([one, [code]])
}

describe('schema check', () => {
  test('boolean is true or false and nothing like them', () => {
    good(boolean(), 'true', 'false')
    bad(boolean(), 'wrong_type', '0', '"true"', '[]')
    bad(boolean(), 'missing_field', 'null')
  })

  test('int32 is whole and within 32 bits or narrower bounds', () => {
    good(int32(), '0', '-2147483648', '2147483647', '1e3', '5.0')
    bad(int32(), 'out_of_range', '2147483648', '-2147483649', '9223372036854775807', '1e400')
    bad(int32(), 'wrong_type', '1.5', '"1"', 'true', '{}')
    good(int32({ min: 1, max: 3 }), '1', '3')
    bad(int32({ min: 1, max: 3 }), 'out_of_range', '0', '4')
  })

  test('int64 is exact to the last digit, beyond what a JavaScript number holds', () => {
    good(int64(), '9223372036854775807', '-9223372036854775808', '9007199254740993', '0')
    bad(int64(), 'out_of_range', '9223372036854775808', '-9223372036854775809', '1e400')
    bad(int64(), 'wrong_type', '0.5', '"1"')
    bad(int64({ min: 10 }), 'out_of_range', '9')
  })

  test('float64 is finite', () => {
    good(float64(), '1.5', '-0', '1e308', '9223372036854775807')
    bad(float64(), 'out_of_range', '1e309')
    bad(float64(), 'wrong_type', '"1.5"')
  })

  test('decimal counts digits before and after the point, as number or text', () => {
    good(
      decimal(5, 2),
      '123.45',
      '"123.45"',
      '"-999.99"',
      '0',
      '"0.10"',
      '"1.5000"',
      '1e-2',
      '12e1',
    )
    bad(decimal(5, 2), 'out_of_range', '1000', '"0.001"', '1e-3', '1e300', '"12345.6"')
    bad(decimal(5, 2), 'bad_format', '"1,5"', '""', '"1."', '"+1"', '"0x10"', '"NaN"')
    bad(decimal(5, 2), 'wrong_type', 'true', '[]')
    good(decimal(2, 2), '0.25', '"0"')
    bad(decimal(2, 2), 'out_of_range', '1')
  })

  test('text is counted in code points, not in units of UTF-16', () => {
    const word = text({ min: 2, max: 3 })
    good(word, '"ab"', '"abc"', '"👍👍👍"', '"a👍"', '"é́é"')
    bad(word, 'too_long', '"abcd"', '"👍👍👍👍"', '"aaaaaaaaaaaa"')
    bad(word, 'too_short', '"a"', '""', '"👍"')
    bad(text(), 'wrong_type', '1', 'false', '{}')
    good(text({ oneOf: ['click', 'watch'] }), '"click"')
    bad(text({ oneOf: ['click', 'watch'] }), 'not_allowed', '"Click"', '""')
  })

  test('timestamp needs a real moment and a zone', () => {
    good(
      timestamp(),
      '"2023-11-29T05:09:27.890Z"',
      '"2024-02-29 23:59:59+07:00"',
      '"2015-03-01T00:00:00-0800"',
      '"2023-11-29T05:09:27.123456789+05"',
    )
    bad(
      timestamp(),
      'bad_format',
      '"2023-11-29T05:09:27"',
      '"2023-11-29"',
      '"2023-02-29T00:00:00Z"',
      '"2023-11-29T24:00:00Z"',
      '"2023-11-29T05:60:00Z"',
      '"2023-11-29T05:09:60Z"',
      '"2023-11-29T05:09:27.Z"',
      '"2023-13-01T00:00:00Z"',
      '"2023-11-29T05:09:27Z "',
      '"2023-11-29T05:09:27+7:00"',
      '"0000-01-01T00:00:00Z"',
      '"yesterday"',
    )
    bad(timestamp(), 'wrong_type', '1701234567890')
  })

  test('date is a day of the calendar', () => {
    good(date(), '"2024-02-29"', '"0001-01-01"', '"9999-12-31"')
    bad(
      date(),
      'bad_format',
      '"2023-02-29"',
      '"2023-04-31"',
      '"2023-1-1"',
      '"20230101"',
      '"2023-11-29T"',
    )
    bad(date(), 'wrong_type', '20230101')
  })

  test('epoch takes seconds to nanoseconds and refuses nonsense', () => {
    good(epoch(), '1701234567', '1701234567890', '1701234567890123', '1701234567890123456')
    bad(epoch(), 'out_of_range', '0', '-1701234567', '99999999', '7258118400', '1e21', '1e400')
    bad(epoch(), 'wrong_type', '1701234567.5', '"1701234567"', '"now"')
  })

  test('epoch agrees with model/epoch.ts on every whole number', () => {
    const end = EPOCH_MICROS_END
    const near = fc.constantFrom(
      end / 1_000_000n,
      end / 1_000n,
      end,
      10n ** 8n,
      10n ** 11n,
      10n ** 14n,
    )
    const value = fc.oneof(
      fc.bigInt({ min: 0n, max: 10n ** 16n }),
      fc.tuple(near, fc.bigInt({ min: -3n, max: 3n })).map(([at, by]) => at + by),
    )
    fc.assert(
      fc.property(value, (instant) => {
        const wanted = epochToMicros(instant) === undefined ? ['out_of_range'] : []
        expect(codesOf(epoch(), String(instant))).toEqual(wanted)
      }),
    )
  })

  test('json takes anything but null', () => {
    good(json(), '1', '"x"', '[null]', '{}')
    bad(json(), 'missing_field', 'null')
    good(optional(json()), 'null')
  })

  test('every problem is reported, with its pointer, in the order of the schema', () => {
    const check = compileSchemaCheck(
      record({
        'a/b': int32(),
        'c~d': text({ max: 1 }),
        lines: list(nested({ id: int32({ min: 1 }), tags: list(text()) }), { min: 1 }),
        extra: optional(nested({ at: timestamp() })),
        gone: date(),
      }),
    )
    const value = {
      'a/b': 'x',
      'c~d': 'long',
      lines: [{ id: 1, tags: [] }, { id: 0, tags: ['a', null, 3] }, null, 'no'],
      extra: { at: 'then' },
      unknown: { let: 'through' },
    }
    expect(check.problems(value).map(({ path, code }) => [path, code])).toEqual([
      ['/a~1b', 'wrong_type'],
      ['/c~0d', 'too_long'],
      ['/lines/1/id', 'out_of_range'],
      ['/lines/1/tags/1', 'missing_field'],
      ['/lines/1/tags/2', 'wrong_type'],
      ['/lines/2', 'missing_field'],
      ['/lines/3', 'wrong_type'],
      ['/extra/at', 'bad_format'],
      ['/gone', 'missing_field'],
    ])
    expect(check.problems(value)[0]!.message).toBe(
      'Expected a whole number from -2147483648 to 2147483647, found the text "x".',
    )
  })

  test('optional may be missing or null, required may be neither', () => {
    const check = compileSchemaCheck(record({ must: int32(), may: optional(int32()) }))
    expect(check.problems({ must: 1 })).toEqual([])
    expect(check.problems({ must: 1, may: null })).toEqual([])
    expect(check.problems({ must: 1, may: 'x' }).map((p) => p.path)).toEqual(['/may'])
    expect(check.problems({ must: null }).map((p) => p.code)).toEqual(['missing_field'])
    for (const value of [null, [], 'x', 1, true]) {
      expect(check.problems(value).map((p) => p.code)).toEqual(['not_an_object'])
    }
  })

  test('names that every object inherits are not mistaken for fields', () => {
    const check = compileSchemaCheck(record({ constructor: text(), toString: optional(text()) }))
    expect(check.problems({}).map((p) => p.path)).toEqual(['/constructor'])
    const fields = JSON.parse('{"__proto__":0}')
    Object.defineProperty(fields, '__proto__', { value: text(), enumerable: true })
    const own = compileSchemaCheck({ fields })
    expect(own.problems({}).map((p) => p.code)).toEqual(['missing_field'])
    expect(own.problems(JSON.parse('{"__proto__":"x"}'))).toEqual([])
  })

  test('one record brings a hundred problems at most', () => {
    const check = compileSchemaCheck(record({ many: list(int32()) }))
    expect(check.problems({ many: Array(5_000).fill('x') })).toHaveLength(100)
    expect(check.problems({ many: [1] })).toEqual([])
  })

  test('agrees with a naive check on random schemas and values', () => {
    const leaf = fc.constantFrom<Field>(
      boolean(),
      int32({ min: -5, max: 5 }),
      int64(),
      float64(),
      text({ min: 1, max: 2 }),
      date(),
      json(),
    )
    const field: fc.Arbitrary<Field> = fc.letrec<{ field: Field }>((tie) => ({
      field: fc
        .oneof(
          { maxDepth: 3 },
          leaf,
          tie('field').map((item) => list(item, { max: 2 }) as Field),
          fc.dictionary(names, tie('field'), { maxKeys: 2 }).map((f) => nested(f) as Field),
        )
        .chain((made) => fc.boolean().map((o) => (o ? (optional(made) as Field) : made))),
    })).field
    const value = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom(null, true, 0, 1, 6, 1.5, '', 'a', '👍👍', '👍👍👍', '2024-02-29'),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(names, tie('value'), { maxKeys: 3 }),
      ),
    })).value
    fc.assert(
      fc.property(fc.dictionary(names, field, { maxKeys: 3 }), value, (fields, candidate) => {
        const schema = record(fields)
        const paths = compileSchemaCheck(schema)
          .problems(candidate)
          .map((problem: Problem) => problem.path)
        expect(new Set(paths)).toEqual(new Set(naive(nested(fields) as Field, candidate, '')))
      }),
      { numRuns: 500 },
    )
  })
})

const names = fc.constantFrom('a', 'b', 'c')

/** The rules again, as plainly as they can be written: pointers of everything that is wrong. */
function naive(field: Field, value: unknown, path: string): string[] {
  if (value === null || value === undefined) return field.optional ? [] : [path]
  const wrong = (isRight: boolean) => (isRight ? [] : [path])
  switch (field.kind) {
    case 'boolean':
      return wrong(typeof value === 'boolean')
    case 'int32':
      return wrong(Number.isInteger(value) && (value as number) >= -5 && (value as number) <= 5)
    case 'int64':
      return wrong(Number.isInteger(value))
    case 'float64':
      return wrong(typeof value === 'number')
    case 'text':
      return wrong(typeof value === 'string' && [...value].length >= 1 && [...value].length <= 2)
    case 'date':
      return wrong(value === '2024-02-29')
    case 'list': {
      const { item } = field as never as { item: Field }
      if (!Array.isArray(value)) return [path]
      const inside = value.flatMap((cell, index) => naive(item, cell, `${path}/${index}`))
      return [...wrong(value.length <= 2), ...inside]
    }
    case 'record': {
      const { fields } = field as never as { fields: Record<string, Field> }
      if (typeof value !== 'object' || Array.isArray(value)) return [path]
      const cells = value as Record<string, unknown>
      return Object.entries(fields).flatMap(([name, f]) => naive(f, cells[name], `${path}/${name}`))
    }
    default:
      return []
  }
}
