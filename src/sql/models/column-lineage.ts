import { ModelInvalidError } from './errors.ts'

// Column lineage from the plan that DuckDB itself binds: names, stars, views, common table expressions and subqueries are resolved by
// then, and every reference is a place among the columns of the operators below. In: that plan as JSON
// (`json_serialize_plan`, not optimized). Out: for each column of the result, the columns of tables that its values are made of.
// What only chooses rows (filters, joins, groups) makes no values and is left out.

/** How a value is made of another: as it is, computed from it, or from many of it. */
export type LineageKind = 'identity' | 'transformation' | 'aggregation'

/** Where the values of one column come from. */
export type ColumnOrigins = ReadonlyMap<string, Origin>

export interface Origin {
  /** `layer.name`, or `incoming` and the like as the SQL has it. */
  readonly table: string
  readonly column: string
  readonly kind: LineageKind
}

interface Operator {
  readonly type: string
  readonly children?: readonly Operator[]
  readonly [field: string]: unknown
}

interface Context {
  /** Columns of common table expressions, by their index. */
  readonly ctes: Map<number, readonly ColumnOrigins[]>
  /** Columns that a correlated subquery sees of the query around it. */
  readonly outer: readonly ColumnOrigins[]
}

/** The origins of each column that a bound plan yields. @throws ModelInvalidError for an operator that nobody has met yet */
export const originsOfPlan = (plan: unknown): readonly ColumnOrigins[] =>
  columnsOf(plan as Operator, { ctes: new Map(), outer: [] })

function columnsOf(operator: Operator, context: Context): readonly ColumnOrigins[] {
  const { type, children = [] } = operator
  const below = (index: number) => columnsOf(children[index]!, context)
  switch (type) {
    case 'LOGICAL_GET':
      return [...scanned(operator), ...(children.length > 0 ? below(0) : [])]
    case 'LOGICAL_PROJECTION':
      return made(operator.expressions, below(0))
    case 'LOGICAL_AGGREGATE_AND_GROUP_BY': {
      const from = below(0)
      return [...made(operator.groups, from), ...made(operator.expressions, from, 'aggregation')]
    }
    case 'LOGICAL_WINDOW': {
      const from = below(0)
      return [...from, ...made(operator.expressions, from, 'aggregation')]
    }
    case 'LOGICAL_UNNEST': {
      const from = below(0)
      return [...from, ...made(operator.expressions, from)]
    }
    case 'LOGICAL_FILTER':
    case 'LOGICAL_ORDER_BY':
      return picked(below(0), operator.projection_map)
    case 'LOGICAL_LIMIT':
    case 'LOGICAL_DISTINCT':
    case 'LOGICAL_SAMPLE':
    case 'LOGICAL_TOP_N':
      return below(0)
    case 'LOGICAL_CROSS_PRODUCT':
    case 'LOGICAL_POSITIONAL_JOIN':
      return [...below(0), ...below(1)]
    case 'LOGICAL_COMPARISON_JOIN':
    case 'LOGICAL_ANY_JOIN':
    case 'LOGICAL_ASOF_JOIN':
    case 'LOGICAL_DELIM_JOIN':
    case 'LOGICAL_DEPENDENT_JOIN':
      return joined(operator, context)
    case 'LOGICAL_UNION':
    case 'LOGICAL_INTERSECT':
      return merged(children.map((_, index) => below(index)))
    case 'LOGICAL_EXCEPT':
      return below(0)
    case 'LOGICAL_MATERIALIZED_CTE': {
      context.ctes.set(operator.table_index as number, below(0))
      return below(1)
    }
    case 'LOGICAL_RECURSIVE_CTE': {
      const base = below(0)
      context.ctes.set(operator.table_index as number, base)
      return merged([base, below(1)])
    }
    case 'LOGICAL_CTE_REF':
      return context.ctes.get(operator.cte_index as number) ?? []
    case 'LOGICAL_DELIM_GET':
      return context.outer
    case 'LOGICAL_DUMMY_SCAN':
      return [new Map()]
    case 'LOGICAL_EXPRESSION_GET':
      return nothingFor(operator.expr_types)
    case 'LOGICAL_CHUNK_GET':
      return nothingFor(operator.chunk_types)
    case 'LOGICAL_EMPTY_RESULT':
      return nothingFor(operator.return_types)
    default:
      throw new ModelInvalidError(
        `Where the columns of a model come from cannot be told: its plan has the operator ${type}, which is not known here.`,
      )
  }
}

const nothingFor = (types: unknown): readonly ColumnOrigins[] =>
  ((types ?? []) as unknown[]).map(() => new Map())

/** Columns of a table; those of a table function come from nowhere. */
function scanned({ names, column_indexes, function_data }: Operator): readonly ColumnOrigins[] {
  const { schema, table } = (function_data ?? {}) as { schema?: string; table?: string }
  const name = schema === 'main' ? table : `${schema}.${table}`
  return (column_indexes as { index: number }[]).map(({ index }) => {
    const column = (names as string[])[index]
    if (table === undefined || column === undefined) return new Map()
    return new Map([[`${name}.${column}`, { table: name!, column, kind: 'identity' as const }]])
  })
}

/** A subquery's rows are joined to those of the query around it; it sees some of that one's columns. */
function joined(operator: Operator, context: Context): readonly ColumnOrigins[] {
  const [left, right] = operator.children!
  const around = columnsOf(left!, context)
  const outer = made(operator.duplicate_eliminated_columns, around)
  const inner = columnsOf(right!, outer.length === 0 ? context : { ...context, outer })
  const lefts = picked(around, operator.left_projection_map)
  const rights = picked(inner, operator.right_projection_map)
  switch (operator.join_type) {
    case 'SEMI':
    case 'ANTI':
      return lefts
    case 'RIGHT_SEMI':
    case 'RIGHT_ANTI':
      return rights
    case 'MARK':
      return [...lefts, new Map()]
    default:
      return [...lefts, ...rights]
  }
}

function picked(columns: readonly ColumnOrigins[], map: unknown): readonly ColumnOrigins[] {
  const places = (map ?? []) as number[]
  return places.length === 0 ? columns : places.map((place) => columns[place]!)
}

/** Several inputs one after another: a column comes from the columns at its place in any. */
function merged(inputs: readonly (readonly ColumnOrigins[])[]): readonly ColumnOrigins[] {
  return inputs[0]!.map((_, place) =>
    together(inputs.map((columns) => columns[place] ?? new Map())),
  )
}

/** The origins of expressions over some columns. */
function made(
  expressions: unknown,
  from: readonly ColumnOrigins[],
  kind: LineageKind = 'transformation',
): readonly ColumnOrigins[] {
  return ((expressions ?? []) as Operator[]).map((expression) => {
    if (expression.expression_class === 'BOUND_REF') return from[placeOf(expression)] ?? new Map()
    const parts = referencesIn(expression).map((place) => from[place] ?? new Map<string, Origin>())
    return weakened(together(parts), kind)
  })
}

const placeOf = ({ index }: Operator) => Number(index ?? 0)

/** Places of all columns that an expression refers to, but for those that only order or divide its input. */
function referencesIn(node: unknown): readonly number[] {
  if (Array.isArray(node)) return node.flatMap(referencesIn)
  if (typeof node !== 'object' || node === null) return []
  const fields = node as Operator
  if (fields.expression_class === 'BOUND_REF') return [placeOf(fields)]
  return Object.entries(fields).flatMap(([name, value]) =>
    name === 'partitions' || name === 'orders' || name === 'order_bys' ? [] : referencesIn(value),
  )
}

function together(parts: readonly ColumnOrigins[]): ColumnOrigins {
  const all = new Map<string, Origin>()
  for (const part of parts)
    for (const [name, origin] of part) {
      const known = all.get(name)
      if (known === undefined || RANKS[known.kind] < RANKS[origin.kind]) all.set(name, origin)
    }
  return all
}

const RANKS = { identity: 0, transformation: 1, aggregation: 2 } as const

function weakened(origins: ColumnOrigins, kind: LineageKind): ColumnOrigins {
  return new Map(
    [...origins].map(([name, origin]) => [
      name,
      RANKS[origin.kind] < RANKS[kind] ? { ...origin, kind } : origin,
    ]),
  )
}
