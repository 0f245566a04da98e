import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseDeletionVector } from '../../../src/lake/delta/deletion-vector.ts'
import { serializeDeletionVector } from '../../../src/lake/delta/deletion-vector-write.ts'
import { unionOfPositions } from '../../../src/lake/positions.ts'

const positions = (values: Iterable<number>) =>
  Float64Array.from([...new Set(values)].sort((a, b) => a - b))

describe('deletion vectors that we write', () => {
  test('hold what went in: few, many, all of a range, beyond 32 bits', () => {
    const places = fc.oneof(
      fc.uniqueArray(fc.integer({ min: 0, max: 2 ** 40 }), { maxLength: 50 }),
      fc
        .tuple(fc.integer({ min: 0, max: 200_000 }), fc.integer({ min: 1, max: 70_000 }))
        .map(([start, count]) => Array.from({ length: count }, (_, index) => start + index)),
    )
    fc.assert(
      fc.property(fc.array(places, { minLength: 1, maxLength: 3 }), (parts) => {
        const wanted = positions(parts.flat())
        fc.pre(wanted.length > 0)
        expect(parseDeletionVector(serializeDeletionVector(wanted))).toEqual(wanted)
      }),
      { numRuns: 60 },
    )
  })

  test('join with those that were there', () => {
    const numbers = fc.uniqueArray(fc.integer({ min: 0, max: 40 }))
    fc.assert(
      fc.property(numbers, numbers, (a, b) => {
        expect(unionOfPositions(positions(a), positions(b))).toEqual(positions([...a, ...b]))
      }),
    )
  })
})
