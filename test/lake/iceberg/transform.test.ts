import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { murmur3 } from '../../../src/lake/iceberg/murmur3.ts'
import { bytesFromScalar, scalarFromBytes } from '../../../src/lake/iceberg/single-value.ts'
import {
  appliesTo,
  applyTransform,
  bytesAfterPrefix,
  parseTransform,
  preimage,
  stringAfterPrefix,
  transformText,
} from '../../../src/lake/iceberg/transform.ts'
import type { Scalar } from '../../../src/model/predicate.ts'
import { compareScalars } from '../../../src/model/scalar.ts'

const BIG = Number.MAX_SAFE_INTEGER
const hash = (value: Scalar, type: string) =>
  applyTransform({ kind: 'bucket', width: BIG }, value, type)
/** The table gives signed hashes; a bucket has lost the sign. */
const unsigned = (value: number) => BigInt(value & 0x7fff_ffff)
const bytes = (...values: number[]) => Uint8Array.from(values)

describe('partition transforms', () => {
  // Table spec, "Appendix B: 32-bit Hash Requirements".
  test.each([
    [34n, 'int', 2017239379],
    [34n, 'long', 2017239379],
    [1420n, 'decimal(9,2)', -500754589],
    [17486n, 'date', -653330422],
    ['22:31:08', 'time', -662762989],
    [1510871468000000n, 'timestamp', -2047944441],
    [1510871468000001n, 'timestamp', -1207196810],
    [1510871468000000n, 'timestamptz', -2047944441],
    ['iceberg', 'string', 1210000089],
    ['f79c3e09-677c-4bbd-a479-3f349cb785e7', 'uuid', 1488055340],
    [bytes(0, 1, 2, 3), 'fixed[4]', -188683207],
    [bytes(0, 1, 2, 3), 'binary', -188683207],
  ] as const)('hashes %s as %s', (value, type, expected) => {
    expect(hash(value, type)).toBe(unsigned(expected))
  })

  test('hashes bytes of every length as the reference does', () => {
    // By mmh3.hash of PyPI: the first n letters of the alphabet.
    expect([0, 1, 2, 3, 5, 7].map((n) => murmur3(Buffer.from('abcdefghij'.slice(0, n))))).toEqual([
      0, 1009084850, -1681926305, -1277324294, -392455434, -2009294074,
    ])
  })

  test.each([
    ['truncate[10]', 1n, 'int', 0n],
    ['truncate[10]', -1n, 'int', -10n],
    ['truncate[50]', 1065n, 'decimal(9,2)', 1050n],
    ['truncate[3]', 'iceberg', 'string', 'ice'],
    ['truncate[2]', '😀😀😀', 'string', '😀😀'],
    ['truncate[3]', bytes(1, 2, 3, 4, 5), 'binary', bytes(1, 2, 3)],
    ['year', -1n, 'date', -1n],
    ['month', -1n, 'date', -1n],
    ['month', 17486n, 'date', 574n],
    ['day', -1n, 'timestamptz', -1n],
    ['hour', 3_600_000_000n * 5n - 1n, 'timestamp', 4n],
    ['identity', 'x', 'string', 'x'],
    ['void', 'x', 'string', null],
  ] as const)('%s of %s', (text, value, type, expected) => {
    const transform = parseTransform(text)
    expect(transformText(transform)).toBe(text)
    expect(applyTransform(transform, value, type)).toEqual(expected)
    expect(applyTransform(transform, null, type)).toBeNull()
  })

  test('a transform of the future is kept and makes nothing', () => {
    expect(parseTransform('zorder[3]')).toEqual({ kind: 'unknown', text: 'zorder[3]' })
    expect(appliesTo(parseTransform('hour'), 'date')).toBe(false)
    expect(appliesTo(parseTransform('bucket[4]'), 'double')).toBe(false)
  })

  test('what lies behind a partition value encloses every value that gives it', () => {
    const micros = fc.bigInt({ min: -(10n ** 16n), max: 10n ** 16n })
    const cases: readonly [string, string, fc.Arbitrary<Scalar>][] = [
      ...['year', 'month', 'day'].map(
        (t) => [t, 'date', fc.bigInt({ min: -200_000n, max: 200_000n })] as const,
      ),
      ...['year', 'month', 'day', 'hour'].map((t) => [t, 'timestamptz', micros] as const),
      ['truncate[7]', 'long', fc.bigInt({ min: -1000n, max: 1000n })],
      ['truncate[2]', 'string', fc.string({ unit: 'binary' })],
      ['truncate[2]', 'binary', fc.uint8Array()],
      ['identity', 'string', fc.string()],
    ].map((each) => [...each] as [string, string, fc.Arbitrary<Scalar>])
    for (const [text, type, values] of cases)
      fc.assert(
        fc.property(values, (value) => {
          const transform = parseTransform(text)
          const range = preimage(transform, applyTransform(transform, value, type)!, type)!
          if (range.min !== undefined)
            expect(compareScalars(range.min, value)).toBeLessThanOrEqual(0)
          if (range.max !== undefined)
            expect(compareScalars(range.max, value)).toBeGreaterThanOrEqual(0)
        }),
        { numRuns: 200 },
      )
  })

  test('a raised prefix is above all that start with it, where there is such a one', () => {
    expect(stringAfterPrefix('ab')).toBe('ac')
    expect(stringAfterPrefix('a\u{10ffff}')).toBe('b')
    expect(stringAfterPrefix('\ud7ff')).toBe('\ue000')
    expect(stringAfterPrefix('\u{10ffff}')).toBeUndefined()
    expect(bytesAfterPrefix(bytes(1, 255))).toEqual(bytes(2))
    expect(bytesAfterPrefix(bytes(255))).toBeUndefined()
  })
})

describe('binary single values', () => {
  test.each([
    ['boolean', true, bytes(1)],
    ['int', -2n, bytes(254, 255, 255, 255)],
    ['long', 1n, bytes(1, 0, 0, 0, 0, 0, 0, 0)],
    ['date', 1n, bytes(1, 0, 0, 0)],
    ['string', 'é', bytes(0xc3, 0xa9)],
    ['decimal(9,2)', 1420n, bytes(0x05, 0x8c)],
    ['decimal(9,2)', -1n, bytes(0xff)],
    ['decimal(9,2)', 128n, bytes(0, 128)],
    ['double', 1.5, bytes(0, 0, 0, 0, 0, 0, 0xf8, 0x3f)],
  ] as const)('%s %s', (type, value, expected) => {
    expect(bytesFromScalar(value, type)).toEqual(expected)
    expect(scalarFromBytes(expected, type)).toEqual(value)
  })

  test('bounds from before a column was widened still mean what they meant', () => {
    expect(scalarFromBytes(bytes(7, 0, 0, 0), 'long')).toBe(7n)
    expect(scalarFromBytes(bytes(0, 0, 0xc0, 0x3f), 'double')).toBe(1.5)
    expect(scalarFromBytes(bytes(1, 0, 0, 0), 'timestamp')).toBe(86_400_000_000n)
  })

  test('bytes that are no such value tell nothing', () => {
    expect(scalarFromBytes(bytes(1, 2, 3), 'long')).toBeUndefined()
    expect(scalarFromBytes(bytes(), 'decimal(9,2)')).toBeUndefined()
  })
})
