import type { Columns, ColumnType } from '../../model/column.ts'
import { and, conjuncts, type Predicate } from '../../model/predicate.ts'
import { QueryRefusedError } from './errors.ts'
import { type ConditionNode, predicateOf } from './predicate-text.ts'

/**
 * What a statement asks of the rows of one table it names, as DuckDB parsed it: the conditions of the `WHERE` beside a `FROM` with that table
 * alone. The statement filters by itself; this is for choosing files.
 */
export interface RowFilter {
  /** Names by which conditions may call the table, lower case. */
  readonly names: readonly string[]
  readonly conditions: readonly ConditionNode[]
}

/** The filter of a `SELECT` node, if its `FROM` is one table and nothing but `WHERE` chooses rows. */
export function filterOf(select: Readonly<Record<string, unknown>>): RowFilter | undefined {
  const table = select.from_table as Readonly<Record<string, unknown>> | undefined
  const where = select.where_clause as ConditionNode | null | undefined
  if (table === undefined || where === undefined || where === null) return undefined
  if ((table.sample ?? null) !== null || (select.sample ?? null) !== null) return undefined
  const call = table.function as { readonly function_name?: string } | undefined
  const name = table.alias || table.table_name || call?.function_name
  if (Array.isArray(table.column_name_alias) && table.column_name_alias.length > 0) return undefined
  return { names: [String(name).toLowerCase()], conditions: conditionsOf(where) }
}

const conditionsOf = (node: ConditionNode): readonly ConditionNode[] =>
  node.type === 'CONJUNCTION_AND' ? (node.children ?? []).flatMap(conditionsOf) : [node]

/**
 * The part of a filter that a lake can decide files by: rows for which it is false or null are rows that the statement leaves out. What we
 * cannot be sure to compare as DuckDB does is left out of it. `undefined` when nothing is left.
 */
export function predicateOfFilter(
  { names, conditions }: RowFilter,
  columns: Columns,
): Predicate | undefined {
  const parts = conditions.flatMap((node) => {
    try {
      const predicate = predicateOf(withoutTable(node, names, columns), { columns, text: '' })
      return conjuncts(predicate).every(comparesAlike) ? [predicate] : []
    } catch (error) {
      if (error instanceof QueryRefusedError) return []
      throw error
    }
  })
  return parts.length === 0 ? undefined : and(...parts)
}

/** The same condition with `table.column` as `column`, where no column has the table's name. */
function withoutTable(
  node: ConditionNode,
  names: readonly string[],
  columns: Columns,
): ConditionNode {
  const isColumn = columns.some(({ name }) => names.includes(name.toLowerCase()))
  const rewritten = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(rewritten)
    if (typeof value !== 'object' || value === null) return value
    const fields = value as Record<string, unknown>
    const path = fields.column_names
    if (Array.isArray(path) && path.length > 1 && names.includes(String(path[0]).toLowerCase())) {
      if (isColumn) throw new QueryRefusedError('the table and a column have one name')
      return { ...fields, column_names: path.slice(1) }
    }
    return Object.fromEntries(Object.entries(fields).map(([key, inner]) => [key, rewritten(inner)]))
  }
  return rewritten(node) as ConditionNode
}

/** Whether DuckDB and we hold the same values equal, less and greater: 32-bit floats are compared as it sees fit. */
function comparesAlike(predicate: Predicate): boolean {
  switch (predicate.kind) {
    case 'and':
    case 'or':
      return predicate.of.every(comparesAlike)
    case 'not':
      return comparesAlike(predicate.of)
    case 'is_null':
      return true
    case 'compare':
      return isPlain(predicate.value.type)
    case 'in':
      return predicate.values.every(({ type }) => isPlain(type))
  }
}

const isPlain = (type: ColumnType) => type !== 'float32' && type !== 'binary'
