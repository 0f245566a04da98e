import type { Columns, ColumnType } from '../../model/column.ts'
import type { ColumnPath, ComparisonOperator, Predicate, Value } from '../../model/predicate.ts'
import { and, compare, isIn, isNull, not, or } from '../../model/predicate.ts'
import { scalarFromText } from '../../model/scalar.ts'
import type { EngineConnection } from './engine.ts'
import { QueryRefusedError, SqlError } from './errors.ts'
import { quoteText } from './quote-identifier.ts'

/**
 * A condition as a person writes it, `event_date >= '2026-01-01' AND city IN ('Hue', 'Vinh')`, as a predicate that a lake can decide files
 * by. Columns are found whatever their case; values take the type of their column. Parsed by DuckDB; nothing runs.
 *
 * @throws SqlError when it does not parse; QueryRefusedError for what is no comparison of a column with a value
 */
export async function parsePredicate(
  connection: EngineConnection,
  text: string,
  columns: Columns,
): Promise<Predicate> {
  const statement = `SELECT 1 WHERE (${text}\n)`
  const [row] = await connection.rows(`SELECT json_serialize_sql(${quoteText(statement)})`)
  const parsed = JSON.parse(row![0] as string) as {
    readonly error: boolean
    readonly error_message?: string
    readonly statements?: readonly { readonly node: { readonly where_clause?: ConditionNode } }[]
  }
  const where =
    parsed.statements?.length === 1 ? parsed.statements[0]!.node.where_clause : undefined
  if (parsed.error || where === undefined || where === null)
    throw new SqlError({
      sql: text,
      facts: {
        type: 'Parser',
        text: parsed.error_message ?? 'this is not one condition',
        candidates: [],
      },
    })
  return predicateOf(where, { columns, text })
}

/** A condition as DuckDB serializes it. */
export interface ConditionNode {
  readonly class: string
  readonly type: string
  readonly children?: readonly ConditionNode[]
  readonly left?: ConditionNode
  readonly right?: ConditionNode
  readonly input?: ConditionNode
  readonly lower?: ConditionNode
  readonly upper?: ConditionNode
  readonly child?: ConditionNode
  readonly column_names?: readonly string[]
  readonly value?: ConstantValue
  readonly cast_type?: { readonly id: string }
}

interface ConstantValue {
  readonly type: { readonly id: string; readonly type_info?: { readonly scale?: number } | null }
  readonly is_null: boolean
  readonly value?: unknown
}

export interface Scope {
  readonly columns: Columns
  readonly text: string
}

const OPERATORS: Readonly<Record<string, ComparisonOperator>> = {
  COMPARE_EQUAL: '=',
  COMPARE_NOTEQUAL: '<>',
  COMPARE_LESSTHAN: '<',
  COMPARE_LESSTHANOREQUALTO: '<=',
  COMPARE_GREATERTHAN: '>',
  COMPARE_GREATERTHANOREQUALTO: '>=',
}
const MIRRORED: Readonly<Record<ComparisonOperator, ComparisonOperator>> = {
  '=': '=',
  '<>': '<>',
  '<': '>',
  '<=': '>=',
  '>': '<',
  '>=': '<=',
}

/** @throws QueryRefusedError */
export function predicateOf(node: ConditionNode, scope: Scope): Predicate {
  const children = node.children ?? []
  switch (node.type) {
    case 'CONJUNCTION_AND':
      return and(...children.map((child) => predicateOf(child, scope)))
    case 'CONJUNCTION_OR':
      return or(...children.map((child) => predicateOf(child, scope)))
    case 'OPERATOR_NOT':
      return not(predicateOf(children[0]!, scope))
    case 'OPERATOR_IS_NULL':
      return isNull(...columnOf(children[0]!, scope).path)
    case 'OPERATOR_IS_NOT_NULL':
      return not(isNull(...columnOf(children[0]!, scope).path))
    case 'COMPARE_IN':
    case 'COMPARE_NOT_IN': {
      const { path, type } = columnOf(children[0]!, scope)
      const values = children.slice(1).map((child) => literalOf(child, type, scope))
      return node.type === 'COMPARE_IN' ? isIn(path, values) : not(isIn(path, values))
    }
    case 'COMPARE_BETWEEN': {
      const { path, type } = columnOf(node.input!, scope)
      return and(
        compare(path, '>=', literalOf(node.lower!, type, scope)),
        compare(path, '<=', literalOf(node.upper!, type, scope)),
      )
    }
    case 'COLUMN_REF': {
      const { path, type } = columnOf(node, scope)
      if (type === 'boolean') return compare(path, '=', { type, value: true })
      throw refused(scope)
    }
  }
  const operator = OPERATORS[node.type]
  if (operator === undefined) throw refused(scope)
  const isColumnFirst = node.left!.type === 'COLUMN_REF'
  const [left, right] = isColumnFirst ? [node.left!, node.right!] : [node.right!, node.left!]
  const { path, type } = columnOf(left, scope)
  return compare(path, isColumnFirst ? operator : MIRRORED[operator], literalOf(right, type, scope))
}

function columnOf(
  node: ConditionNode,
  scope: Scope,
): { readonly path: ColumnPath; readonly type: ColumnType } {
  if (node.type !== 'COLUMN_REF') throw refused(scope)
  const path: string[] = []
  let inside: Columns = scope.columns
  let type: ColumnType | undefined
  for (const name of node.column_names ?? []) {
    const found =
      inside.find((column) => column.name === name) ??
      inside.find((column) => column.name.toLowerCase() === name.toLowerCase())
    if (found === undefined)
      throw new QueryRefusedError(
        `There is no column ${[...path, name].join('.')}. There are: ${inside.map((column) => column.name).join(', ')}.`,
      )
    path.push(found.name)
    type = found.type
    inside = typeof type === 'object' && type.kind === 'struct' ? type.columns : []
  }
  return { path, type: type! }
}

function literalOf(node: ConditionNode, type: ColumnType, scope: Scope): Value {
  if (node.type === 'OPERATOR_CAST') {
    const { cast_type: target, child } = node
    if (!CASTS[target?.id ?? '']?.includes(type)) throw refused(scope)
    return literalOf(child!, type, scope)
  }
  const text =
    node.type === 'VALUE_CONSTANT' && suits(node.value!, type)
      ? constantText(node.value!)
      : undefined
  if (text === undefined) throw refused(scope)
  const value = scalarFromText(text, type)
  if (value !== undefined) return { type, value }
  throw new QueryRefusedError(
    `${JSON.stringify(text)} in ${JSON.stringify(scope.text)} is no value of the type ${JSON.stringify(type)}.`,
  )
}

/** Casts that leave a constant what its column's type makes of it: `DATE '2026-01-01'` beside a date, or as midnight in UTC. */
const CASTS: Readonly<Record<string, readonly ColumnType[]>> = {
  DATE: ['date', 'timestamp', 'timestamp_ntz'],
  TIMESTAMP: ['timestamp_ntz'],
  'TIMESTAMP WITH TIME ZONE': ['timestamp'],
  TIMESTAMP_TZ: ['timestamp'],
}

/** Whether a constant is compared as its column's type: a number beside text would turn the text into numbers. */
function suits({ type, value }: ConstantValue, column: ColumnType): boolean {
  if (column === 'boolean') return type.id === 'BOOLEAN'
  if (column === 'timestamp_ntz')
    return type.id === 'VARCHAR' && /^[\d\s:.T-]+$/.test(String(value))
  if (column === 'string' || column === 'date' || column === 'timestamp')
    return type.id === 'VARCHAR'
  return type.id !== 'BOOLEAN'
}

function constantText({ type, is_null: isNull, value }: ConstantValue): string | undefined {
  if (isNull || typeof value === 'object') return undefined
  const scale = type.id === 'DECIMAL' ? (type.type_info?.scale ?? 0) : 0
  return scale === 0 ? String(value) : (Number(value) / 10 ** scale).toFixed(scale)
}

const refused = ({ text }: Scope) =>
  new QueryRefusedError(
    `${JSON.stringify(text)} cannot be used here: a condition compares columns with plain values, with =, <>, <, <=, >, >=, IN, BETWEEN, IS NULL, AND, OR and NOT.`,
  )
