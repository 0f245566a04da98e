import type { ColumnPath, ComparisonOperator, Predicate, Scalar } from '../model/predicate.ts'
import { compareScalars } from '../model/scalar.ts'

/**
 * Which truth values a predicate can take among the rows of one file, judged from bounds. Cautious: what is said to
 * be impossible is impossible; what is said to be possible need not happen. Shared by both table formats.
 */
export interface Possible {
  readonly isTrue: boolean
  readonly isFalse: boolean
  readonly isNull: boolean
}

/**
 * What is known of a column's values in one file. Missing bounds know nothing. `min` and `max` enclose all
 * values that are not null; they need not occur.
 */
export interface ColumnBounds {
  readonly min?: Scalar | undefined
  readonly max?: Scalar | undefined
  /** Whether some row may be null, and whether some row may be other than null. */
  readonly mayBeNull: boolean
  readonly mayBeValue: boolean
}

export type BoundsOf = (column: ColumnPath) => ColumnBounds | undefined

const ANYTHING: Possible = { isTrue: true, isFalse: true, isNull: true }

/** Whether a file may hold a row for which the predicate is true. */
export function mayMatch(predicate: Predicate, boundsOf: BoundsOf): boolean {
  return possible(predicate, boundsOf).isTrue
}

/** Whether the predicate is true for every row of a file. */
export function surelyMatches(predicate: Predicate, boundsOf: BoundsOf): boolean {
  const { isFalse, isNull } = possible(predicate, boundsOf)
  return !isFalse && !isNull
}

export function possible(predicate: Predicate, boundsOf: BoundsOf): Possible {
  switch (predicate.kind) {
    case 'and': {
      const parts = predicate.of.map((part) => possible(part, boundsOf))
      return {
        isTrue: parts.every((part) => part.isTrue),
        isFalse: parts.some((part) => part.isFalse),
        isNull: parts.some((part) => part.isNull) && parts.every((p) => p.isTrue || p.isNull),
      }
    }
    case 'or': {
      const parts = predicate.of.map((part) => possible(part, boundsOf))
      return {
        isTrue: parts.some((part) => part.isTrue),
        isFalse: parts.every((part) => part.isFalse),
        isNull: parts.some((part) => part.isNull) && parts.every((p) => p.isFalse || p.isNull),
      }
    }
    case 'not': {
      const part = possible(predicate.of, boundsOf)
      return { isTrue: part.isFalse, isFalse: part.isTrue, isNull: part.isNull }
    }
    case 'is_null': {
      const bounds = boundsOf(predicate.column)
      if (bounds === undefined) return { ...ANYTHING, isNull: false }
      return { isTrue: bounds.mayBeNull, isFalse: bounds.mayBeValue, isNull: false }
    }
    case 'compare': {
      const { column, op, value } = predicate
      return ofValues(boundsOf(column), (bounds) => compared(bounds, op, value.value))
    }
    case 'in': {
      const { column, values } = predicate
      return ofValues(boundsOf(column), (bounds) => {
        const parts = values.map((value) => compared(bounds, '=', value.value))
        return {
          isTrue: parts.some((part) => part.isTrue),
          isFalse: parts.every((part) => part.isFalse),
        }
      })
    }
  }
}

function ofValues(
  bounds: ColumnBounds | undefined,
  judge: (bounds: ColumnBounds) => { readonly isTrue: boolean; readonly isFalse: boolean },
): Possible {
  if (bounds === undefined) return ANYTHING
  if (!bounds.mayBeValue) return { isTrue: false, isFalse: false, isNull: bounds.mayBeNull }
  return { ...judge(bounds), isNull: bounds.mayBeNull }
}

function compared(
  { min, max }: ColumnBounds,
  op: ComparisonOperator,
  value: Scalar,
): { readonly isTrue: boolean; readonly isFalse: boolean } {
  const low = min === undefined ? undefined : compareScalars(min, value)
  const high = max === undefined ? undefined : compareScalars(max, value)
  const mayBeLess = low === undefined || low < 0
  const mayBeMore = high === undefined || high > 0
  const mayBeEqual = (low === undefined || low <= 0) && (high === undefined || high >= 0)
  switch (op) {
    case '=':
      return { isTrue: mayBeEqual, isFalse: mayBeLess || mayBeMore }
    case '<>':
      return { isTrue: mayBeLess || mayBeMore, isFalse: mayBeEqual }
    case '<':
      return { isTrue: mayBeLess, isFalse: mayBeEqual || mayBeMore }
    case '<=':
      return { isTrue: mayBeLess || mayBeEqual, isFalse: mayBeMore }
    case '>':
      return { isTrue: mayBeMore, isFalse: mayBeEqual || mayBeLess }
    case '>=':
      return { isTrue: mayBeMore || mayBeEqual, isFalse: mayBeLess }
  }
}
