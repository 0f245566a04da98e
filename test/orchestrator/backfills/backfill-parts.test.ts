import { expect, test } from 'vitest'
import { backfillParts } from '../../../src/orchestrator/backfills/backfill-parts.ts'
import { BackfillInvalidError } from '../../../src/orchestrator/errors.ts'

const spans = (unit: 'days' | 'versions', from: string, to: string, partSize: number) =>
  backfillParts({ unit, from, to, partSize }).map((part) => `${part.from} ${part.to}`)

test('a stretch is cut from its beginning, over leap days and ends of years', () => {
  expect(spans('days', '2023-12-31', '2024-01-02', 2)).toEqual([
    '2023-12-31 2024-01-01',
    '2024-01-02 2024-01-02',
  ])
  expect(spans('days', '2024-02-28', '2024-03-01', 1)).toHaveLength(3)
  expect(spans('versions', '0', '10', 4)).toEqual(['0 3', '4 7', '8 10'])
})

test.each([
  ['days', '2026-02-30', '2026-03-01', 1],
  ['days', '2026-03-02', '2026-03-01', 1],
  ['days', '2026-3-2', '2026-03-03', 1],
  ['days', '1900-01-01', '2026-01-01', 1],
  ['days', '2026-01-01', '2026-01-02', 0],
  ['versions', '1', 'x', 1],
] as const)('%s %s to %s by %i is refused', (unit, from, to, partSize) => {
  expect(() => spans(unit, from, to, partSize)).toThrow(BackfillInvalidError)
})
