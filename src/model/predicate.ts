import type { ColumnType } from './column.ts'

/**
 * A condition on the rows of a table, as a plain value: small enough that a lake can decide from statistics which
 * files it rules out, and that a compute engine can compile what is left. SQL's three-valued logic: a comparison
 * with null is neither true nor false, and only rows for which the whole is true count.
 */
export type Predicate =
  | { readonly kind: 'and'; readonly of: readonly Predicate[] }
  | { readonly kind: 'or'; readonly of: readonly Predicate[] }
  | { readonly kind: 'not'; readonly of: Predicate }
  | {
      readonly kind: 'compare'
      readonly column: ColumnPath
      readonly op: ComparisonOperator
      readonly value: Value
    }
  | { readonly kind: 'in'; readonly column: ColumnPath; readonly values: readonly Value[] }
  | { readonly kind: 'is_null'; readonly column: ColumnPath }

export type ComparisonOperator = '=' | '<>' | '<' | '<=' | '>' | '>='

/** Names from the top of the table down through structs; compared with case. Never through lists or maps. */
export type ColumnPath = readonly string[]

/**
 * A value that is not null, with the type it has. A compared value has the type of its column.
 *
 * | type                         | value                                                    |
 * | ---------------------------- | -------------------------------------------------------- |
 * | boolean                      | boolean                                                  |
 * | int8 to int64                | bigint                                                   |
 * | float32, float64             | number, also NaN (above everything) and infinities       |
 * | decimal                      | bigint: the number times ten to the scale                |
 * | string                       | string, ordered by UTF-8 bytes                           |
 * | binary                       | Uint8Array, ordered by unsigned bytes                    |
 * | date                         | bigint: days since 1970-01-01                            |
 * | timestamp, timestamp_ntz     | bigint: microseconds since 1970-01-01T00:00:00 (UTC)     |
 */
export interface Value {
  readonly type: ColumnType
  readonly value: Scalar
}

export type Scalar = boolean | bigint | number | string | Uint8Array

export const and = (...of: readonly Predicate[]): Predicate => ({ kind: 'and', of })
export const or = (...of: readonly Predicate[]): Predicate => ({ kind: 'or', of })
export const not = (of: Predicate): Predicate => ({ kind: 'not', of })
export const isNull = (...column: ColumnPath): Predicate => ({ kind: 'is_null', column })
export const compare = (column: ColumnPath, op: ComparisonOperator, value: Value): Predicate => ({
  kind: 'compare',
  column,
  op,
  value,
})
export const isIn = (column: ColumnPath, values: readonly Value[]): Predicate => ({
  kind: 'in',
  column,
  values,
})

/** The parts that must all be true. */
export function conjuncts(predicate: Predicate): readonly Predicate[] {
  return predicate.kind === 'and' ? predicate.of.flatMap(conjuncts) : [predicate]
}

/** Every column that a predicate looks at, each once. */
export function columnsIn(predicate: Predicate): readonly ColumnPath[] {
  return [...new Map(pathsIn(predicate).map((path) => [JSON.stringify(path), path])).values()]
}

/** Every column reference in a predicate: the very objects, repeated where the predicate repeats itself. */
export function pathsIn(predicate: Predicate): readonly ColumnPath[] {
  switch (predicate.kind) {
    case 'and':
    case 'or':
      return predicate.of.flatMap(pathsIn)
    case 'not':
      return pathsIn(predicate.of)
    default:
      return [predicate.column]
  }
}
