import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type ColumnBounds, mayMatch, surelyMatches } from '../../src/lake/file-skipping.ts'
import type { Predicate } from '../../src/model/predicate.ts'

// A file is a handful of rows with two columns; its bounds are computed from them, then loosened by chance. Whatever the
// predicate: a file with a matching row is never left out, and a file said to match throughout does.

type Cell = number | null
type Row = Readonly<Record<'a' | 'b', Cell>>

const cell = fc.option(fc.integer({ min: -3, max: 3 }), { nil: null })
const rows = fc.array(fc.record({ a: cell, b: cell }), { maxLength: 4 })
const column = fc.constantFrom(['a'] as const, ['b'] as const)
const value = fc.integer({ min: -3, max: 3 }).map((n) => ({ type: 'float64', value: n }) as const)
const { predicate } = fc.letrec<{ predicate: Predicate }>((tie) => ({
  predicate: fc.oneof(
    { maxDepth: 4 },
    fc.record({
      kind: fc.constant('compare' as const),
      column,
      op: fc.constantFrom('=', '<>', '<', '<=', '>', '>=' as const),
      value,
    }),
    fc.record({
      kind: fc.constant('in' as const),
      column,
      values: fc.array(value, { maxLength: 3 }),
    }),
    fc.record({ kind: fc.constant('is_null' as const), column }),
    fc.record({ kind: fc.constant('not' as const), of: tie('predicate') }),
    fc.record({
      kind: fc.constantFrom('and' as const, 'or' as const),
      of: fc.array(tie('predicate'), { maxLength: 3 }),
    }),
  ) as fc.Arbitrary<Predicate>,
}))

/** SQL's answer for one row. */
function truth(part: Predicate, row: Row): boolean | null {
  switch (part.kind) {
    case 'and': {
      const all = part.of.map((inner) => truth(inner, row))
      return all.includes(false) ? false : all.includes(null) ? null : true
    }
    case 'or': {
      const all = part.of.map((inner) => truth(inner, row))
      return all.includes(true) ? true : all.includes(null) ? null : false
    }
    case 'not': {
      const inner = truth(part.of, row)
      return inner === null ? null : !inner
    }
    case 'is_null':
      return row[part.column[0] as 'a'] === null
    case 'in':
    case 'compare': {
      const found = row[part.column[0] as 'a']
      if (found === null) return null
      if (part.kind === 'in') return part.values.some((candidate) => candidate.value === found)
      const n = part.value.value as number
      const answers = {
        '=': found === n,
        '<>': found !== n,
        '<': found < n,
        '<=': found <= n,
        '>': found > n,
        '>=': found >= n,
      }
      return answers[part.op]
    }
  }
}

function boundsOf(file: readonly Row[], name: 'a' | 'b', loose: number): ColumnBounds | undefined {
  if (loose === 3) return undefined
  const values = file.map((row) => row[name]).filter((found) => found !== null)
  return {
    ...(values.length === 0 || loose === 1 ? {} : { min: Math.min(...values) - loose }),
    ...(values.length === 0 || loose === 2 ? {} : { max: Math.max(...values) }),
    mayBeNull: values.length < file.length || loose > 0,
    mayBeValue: values.length > 0 || loose > 0,
  }
}

test('files are left out only when no row can match', () => {
  fc.assert(
    fc.property(predicate, rows, fc.nat(3), fc.nat(3), (part, file, looseA, looseB) => {
      const bounds = (path: readonly string[]) =>
        boundsOf(file, path[0] as 'a', path[0] === 'a' ? looseA : looseB)
      const answers = file.map((row) => truth(part, row))
      if (answers.includes(true)) expect(mayMatch(part, bounds)).toBe(true)
      if (surelyMatches(part, bounds)) expect(answers.every((answer) => answer === true)).toBe(true)
    }),
    { numRuns: 3000 },
  )
})

test('tight bounds do leave files out', () => {
  const bounds = () => ({ min: 1, max: 5, mayBeNull: false, mayBeValue: true })
  const over = {
    kind: 'compare',
    column: ['a'],
    op: '>',
    value: { type: 'float64', value: 5 },
  } as const
  expect(mayMatch(over, bounds)).toBe(false)
  expect(mayMatch({ kind: 'not', of: over }, bounds)).toBe(true)
  expect(surelyMatches({ kind: 'not', of: over }, bounds)).toBe(true)
})
