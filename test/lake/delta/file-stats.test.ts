import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { boundsFromStats } from '../../../src/lake/delta/file-bounds.ts'
import { fileStatsJson } from '../../../src/lake/delta/file-stats.ts'
import { parseIntervalMs, parseProperties } from '../../../src/lake/delta/properties.ts'
import type { ColumnType } from '../../../src/model/column.ts'
import { compareScalars, scalarFromText } from '../../../src/model/scalar.ts'
import { compareUtf8 } from '../../../src/model/utf8-order.ts'

const properties = parseProperties({})

function statsOf(type: ColumnType, min: string, max: string, more: object = {}) {
  return fileStatsJson({
    rowCount: 3,
    columns: [{ name: 'c', type, nullable: true }],
    columnStatistics: [{ path: ['c'], valueCount: 3, nullCount: 1, min, max, ...more }],
    properties,
  })
}

describe('statistics of a file', () => {
  test.each([
    [
      'int64',
      '-9223372036854775808',
      '9223372036854775807',
      '-9223372036854775808',
      '9223372036854775807',
    ],
    [
      { kind: 'decimal', precision: 38, scale: 3 },
      '-12345678901234567890.123',
      '0.100',
      '-12345678901234567890.123',
      '0.100',
    ],
    ['date', '1999-12-31', '2000-01-01', '"1999-12-31"', '"2000-01-01"'],
    [
      'timestamp',
      '2020-01-01 00:00:00.123456+00',
      '2020-01-01 00:00:00.123456+00',
      '"2020-01-01T00:00:00.123Z"',
      '"2020-01-01T00:00:00.124Z"',
    ],
    [
      'timestamp',
      '1969-12-31 23:59:59.999999+00',
      '1969-12-31 23:59:59.999+00',
      '"1969-12-31T23:59:59.999Z"',
      '"1969-12-31T23:59:59.999Z"',
    ],
    [
      'timestamp_ntz',
      '2020-01-01 00:00:00',
      '2020-01-01 00:00:00',
      '"2020-01-01T00:00:00.000"',
      '"2020-01-01T00:00:00.000"',
    ],
    ['float64', '1e-300', '1e+300', '1e-300', '1e+300'],
    ['string', 'a"b\\', 'é', '"a\\"b\\\\"', '"é"'],
  ] as const)('%j', (type, min, max, minJson, maxJson) => {
    expect(statsOf(type, min, max)).toBe(
      `{"numRecords":3,"minValues":{"c":${minJson}},"maxValues":{"c":${maxJson}},"nullCount":{"c":1}}`,
    )
  })

  test.each([
    ['boolean', '0', '1'],
    ['binary', '00', 'FF'],
    ['float64', '-inf', 'inf'],
    ['date', 'infinity', '10000-01-01'],
    ['timestamp', 'infinity', '294247-01-10 04:00:54.775807+00'],
  ] as const)('%s has no bounds for %s and %s', (type, min, max) => {
    expect(statsOf(type, min, max)).toBe(
      '{"numRecords":3,"minValues":{},"maxValues":{},"nullCount":{"c":1}}',
    )
  })

  test('no upper bound where there is a NaN, which is above it', () => {
    expect(JSON.parse(statsOf('float64', '1.5', '2.5', { hasNan: true }))).toMatchObject({
      minValues: { c: 1.5 },
      maxValues: {},
    })
  })

  test('nest as the columns do, and stop at the indexed ones', () => {
    const columns = [
      {
        name: 's',
        type: { kind: 'struct', columns: [{ name: 'a.b', type: 'int32', nullable: true }] },
        nullable: true,
      },
      { name: 'z', type: 'int32', nullable: true },
    ] as const
    const columnStatistics = [['s', 'a.b'], ['z'], ['l', 'element']].map((path) => ({
      path,
      valueCount: 1,
      nullCount: 0,
      min: '1',
      max: '2',
    }))
    const stats = (configuration: Record<string, string>) =>
      JSON.parse(
        fileStatsJson({
          rowCount: 1,
          columns,
          columnStatistics,
          properties: parseProperties(configuration),
        }),
      )
    expect(stats({})).toEqual({
      numRecords: 1,
      minValues: { s: { 'a.b': 1 }, z: 1 },
      maxValues: { s: { 'a.b': 2 }, z: 2 },
      nullCount: { s: { 'a.b': 0 }, z: 0 },
    })
    expect(stats({ 'delta.dataSkippingNumIndexedCols': '1' }).minValues).toEqual({
      s: { 'a.b': 1 },
    })
    expect(stats({ 'delta.dataSkippingStatsColumns': 'z' }).minValues).toEqual({ z: 1 })
    expect(stats({ 'delta.dataSkippingStatsColumns': 's,`z`' }).minValues).toEqual({
      s: { 'a.b': 1 },
      z: 1,
    })
  })

  test('of text enclose it, however it is cut', () => {
    const text = fc.string({
      unit: fc.constantFrom('a', '\u007f', '\u{10ffff}', '\ufffd', '😀', '~'),
      maxLength: 60,
    })
    fc.assert(
      fc.property(text, (value) => {
        const { minValues, maxValues } = JSON.parse(statsOf('string', value, value))
        expect(compareUtf8(minValues.c, value)).toBeLessThanOrEqual(0)
        expect(compareUtf8(maxValues.c, value)).toBeGreaterThanOrEqual(0)
        expect([...minValues.c].length).toBeLessThanOrEqual(32)
      }),
    )
    expect(JSON.parse(statsOf('string', 'x', 'a'.repeat(40))).maxValues.c).toBe(
      `${'a'.repeat(32)}\u007f`,
    )
  })

  test('read back as what was written', () => {
    const column = { path: ['c'], type: 'int64', isNameUnique: true } as const
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
        const stats = statsOf('int64', String(value), String(value))
        const wanted = { min: value, max: value, mayBeNull: true, mayBeValue: true }
        expect(boundsFromStats(stats, column)).toEqual(wanted)
        // Spaces make the quick search fail, and a full parse find the same.
        expect(boundsFromStats(stats.replaceAll(':{', ': {'), column)).toEqual(wanted)
        expect(boundsFromStats(stats, { ...column, isNameUnique: false })).toEqual(wanted)
      }),
    )
  })

  test('are not fooled by text that looks like statistics', () => {
    const tricky = '","c":1,"maxValues":{"c":'
    const json = fileStatsJson({
      rowCount: 1,
      columns: [
        { name: 'a', type: 'string', nullable: true },
        { name: 'c', type: 'string', nullable: true },
      ],
      columnStatistics: [
        { path: ['a'], valueCount: 1, nullCount: 0, min: tricky, max: tricky },
        { path: ['c'], valueCount: 1, nullCount: 0, min: 'true min', max: 'true max' },
      ],
      properties,
    })
    const found = boundsFromStats(json, { path: ['c'], type: 'string', isNameUnique: true })
    expect(found).toMatchObject({ min: 'true min', max: 'true max', mayBeNull: false })
  })

  test.each([
    [null, undefined],
    ['not json', undefined],
    ['{"numRecords":2}', { mayBeNull: true, mayBeValue: true }],
    ['{"numRecords":2,"nullCount":{"c":2}}', { mayBeNull: true, mayBeValue: false }],
    [
      '{"numRecords":2,"nullCount":{"c":0},"minValues":{"c":null}}',
      { mayBeNull: false, mayBeValue: true },
    ],
  ])('%s', (stats, wanted) => {
    const found = boundsFromStats(stats, { path: ['c'], type: 'int32', isNameUnique: true })
    expect(found).toEqual(
      wanted === undefined ? undefined : { min: undefined, max: undefined, ...wanted },
    )
  })

  test('timestamps of others are cut to milliseconds, and bounds allow for it', () => {
    const stats =
      '{"numRecords":1,"minValues":{"c":"2000-01-01T01:00:00.123-08:00"},"maxValues":{"c":"2000-01-01T01:00:00.123-08:00"},"nullCount":{"c":0}}'
    const found = boundsFromStats(stats, { path: ['c'], type: 'timestamp', isNameUnique: true })
    expect(found).toMatchObject({ min: 946_717_200_123_000n, max: 946_717_200_123_999n })
  })
})

describe('scalars', () => {
  test.each([
    ['1.2E+3', { kind: 'decimal', precision: 10, scale: 2 }, 120_000n],
    ['-0.05', { kind: 'decimal', precision: 10, scale: 2 }, -5n],
    ['1.0E-7', { kind: 'decimal', precision: 10, scale: 2 }, undefined],
    ['1.500', { kind: 'decimal', precision: 10, scale: 2 }, 150n],
    ['', { kind: 'decimal', precision: 10, scale: 2 }, undefined],
    ['2024-02-30', 'date', undefined],
    ['0001-01-01', 'date', -719_162n],
    ['1969-12-31 23:59:59.9999999', 'timestamp_ntz', -1n],
    ['2020-01-01T00:00:00+05:30', 'timestamp', 1_577_817_000_000_000n],
    ['0.1', 'float32', Math.fround(0.1)],
    ['NaN', 'float64', Number.NaN],
    ['yes', 'boolean', undefined],
  ] as const)('%s as %j', (text, type, wanted) => {
    expect(scalarFromText(text, type)).toEqual(wanted)
  })

  test('text is ordered by code point, not by UTF-16 unit', () => {
    const point = fc.string({ unit: 'binary', maxLength: 5 })
    fc.assert(
      fc.property(point, point, (a, b) => {
        const wanted = Buffer.compare(Buffer.from(a), Buffer.from(b))
        expect(Math.sign(compareScalars(a, b))).toBe(wanted)
      }),
    )
  })

  test('NaN is above everything and equal to itself', () => {
    const sorted = [Number.NaN, 1, Number.POSITIVE_INFINITY, -1].sort(compareScalars)
    expect(sorted).toEqual([-1, 1, Number.POSITIVE_INFINITY, Number.NaN])
    expect(compareScalars(Number.NaN, Number.NaN)).toBe(0)
  })
})

test.each([
  ['interval 1 week', 604_800_000],
  ['interval 36 hours 30 minutes', 131_400_000],
  ['7 days', 604_800_000],
  ['interval 1 month', undefined],
  ['soon', undefined],
])('%s is %s ms', (text, ms) => expect(parseIntervalMs(text)).toBe(ms))
