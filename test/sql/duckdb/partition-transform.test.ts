import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { applyTransform, parseTransform } from '../../../src/lake/iceberg/transform.ts'
import type { ColumnType } from '../../../src/model/column.ts'
import type { Scalar } from '../../../src/model/predicate.ts'
import { literalSql } from '../../../src/sql/duckdb/literal.ts'
import { type DerivedValue, derivedSql } from '../../../src/sql/duckdb/partition-transform.ts'
import { type Bench, openBench } from '../../lake/iceberg/engine.ts'

// The transforms exist twice: in TypeScript, to choose files, and in SQL, to write them. Where they part, rows get lost.

describe('partition transforms in SQL', () => {
  let bench: Bench
  beforeAll(async () => {
    bench = await openBench()
  })
  afterAll(() => bench[Symbol.asyncDispose]())

  const days = fc.bigInt({ min: -30_000n, max: 30_000n })
  const micros = fc.bigInt({ min: -(10n ** 15n), max: 10n ** 16n })
  const longs = fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n })
  const ints = fc.bigInt({ min: -(2n ** 30n), max: 2n ** 30n })
  const decimal: ColumnType = { kind: 'decimal', precision: 9, scale: 2 }
  const decimals = fc.bigInt({ min: -9_999_999n, max: 9_999_999n })
  const texts = fc.string({ unit: 'grapheme', maxLength: 12 })
  const bytes = fc.uint8Array({ maxLength: 12 })
  const times = ['year', 'month', 'day']
  const cases: readonly [string, ColumnType, string, fc.Arbitrary<Scalar>][] = [
    ...times.map((t) => [t, 'date', 'date', days] as const),
    ...[...times, 'hour'].map((t) => [t, 'timestamp', 'timestamptz', micros] as const),
    ...[...times, 'hour'].map((t) => [t, 'timestamp_ntz', 'timestamp', micros] as const),
    ['bucket[17]', 'int64', 'long', longs] as const,
    ['bucket[17]', 'int32', 'int', ints] as const,
    ['bucket[17]', 'date', 'date', days] as const,
    ['bucket[17]', 'timestamp', 'timestamptz', micros] as const,
    ['bucket[17]', 'string', 'string', texts] as const,
    ['bucket[17]', 'binary', 'binary', bytes] as const,
    ['truncate[7]', 'int64', 'long', ints] as const,
    ['truncate[50]', decimal, 'decimal(9,2)', decimals] as const,
    ['truncate[3]', 'string', 'string', texts] as const,
    ['truncate[3]', 'binary', 'binary', bytes] as const,
  ].map((each) => [...each] as [string, ColumnType, string, fc.Arbitrary<Scalar>])

  test.each(cases)('%s of %s', async (text, type, icebergType, values) => {
    const transform = parseTransform(text)
    const seed = (Date.now() * 31) & 0x7fff_ffff
    const given = fc.sample(values, { numRuns: 60, seed })
    const derived: DerivedValue = {
      name: 'p',
      path: ['v'],
      type,
      transform: transform.kind as DerivedValue['transform'],
      ...('width' in transform ? { width: transform.width } : {}),
    }
    const keepsType = transform.kind === 'truncate'
    const expected = given.map((value) => applyTransform(transform, value, icebergType)!)
    const rows = expected.map(
      (value, at) =>
        `(${literalSql(given[at]!, type)}, ${literalSql(value, keepsType ? type : 'int32')})`,
    )
    const wrong = await bench.rows(
      `SELECT v, e, ${derivedSql(derived)} AS p FROM (VALUES ${rows.join(', ')}) AS t(v, e) ` +
        `WHERE ${derivedSql(derived)} IS DISTINCT FROM e`,
    )
    expect(wrong, `seed ${seed}`).toEqual([])
    const nothing = `SELECT ${derivedSql(derived)} AS p FROM (SELECT ${literalSql(null, type)} AS v)`
    expect(await bench.rows(nothing)).toEqual([{ p: null }])
  })

  test('the least decimals are cut below what their type holds', async () => {
    const least = literalSql(-999_999_999n, decimal)
    const sql = derivedSql({
      name: 'p',
      path: ['v'],
      type: decimal,
      transform: 'truncate',
      width: 50,
    })
    expect(await bench.rows(`SELECT ${sql}::VARCHAR AS p FROM (SELECT ${least} AS v)`)).toEqual([
      { p: '-10000000.00' },
    ])
    expect(applyTransform(parseTransform('truncate[50]'), -999_999_999n, 'decimal(9,2)')).toBe(
      -1_000_000_000n,
    )
  })
})
