import type { ColumnType } from '../model/column.ts'
import type { ColumnPath, Predicate } from '../model/predicate.ts'

/**
 * What keeps a predicate's values from being compared with their columns, in words; nothing when all can be. What width a
 * number has does not matter. Columns of unknown type are passed over.
 */
export function comparisonProblems(
  predicate: Predicate,
  typeOf: (column: ColumnPath) => ColumnType | undefined,
): readonly string[] {
  switch (predicate.kind) {
    case 'and':
    case 'or':
      return predicate.of.flatMap((part) => comparisonProblems(part, typeOf))
    case 'not':
      return comparisonProblems(predicate.of, typeOf)
    case 'is_null':
      return []
    case 'compare':
    case 'in': {
      const type = typeOf(predicate.column)
      if (type === undefined) return []
      const values = predicate.kind === 'in' ? predicate.values : [predicate.value]
      return values
        .filter((value) => comparableAs(value.type) !== comparableAs(type))
        .map(
          (value) =>
            `${predicate.column.join('.')} is ${comparableAs(type)}, not ${comparableAs(value.type)}`,
        )
    }
  }
}

function comparableAs(type: ColumnType): string {
  if (typeof type !== 'string')
    return type.kind === 'decimal' ? `a decimal with scale ${type.scale}` : `a ${type.kind}`
  if (type.startsWith('int')) return 'an integer'
  return type.startsWith('float') ? 'a float' : `a ${type}`
}
