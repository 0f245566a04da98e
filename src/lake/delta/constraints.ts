import type { Relation } from '../../model/relation.ts'
import { sql } from '../../model/row-edit.ts'
import { TableMismatchError } from '../errors.ts'
import type { RowsPort } from '../rows-port.ts'
import type { LogState } from './log-state.ts'
import type { TableSchema } from './table-schema.ts'

/** A condition that every row of the table meets. Null counts as met for a CHECK, and as broken for an invariant. */
export interface Constraint {
  readonly name: string
  /** SQL over the table's columns. */
  readonly expression: string
  readonly kind: 'check' | 'invariant' | 'generated'
}

const CHECK_PREFIX = 'delta.constraints.'
export const GENERATION = 'delta.generationExpression'

/** PROTOCOL.md, "CHECK Constraints", "Column Invariants", "Generated Columns". */
export function constraintsOf({ metadata }: LogState, { struct }: TableSchema): Constraint[] {
  const found: Constraint[] = []
  for (const [key, expression] of Object.entries(metadata.configuration))
    if (key.startsWith(CHECK_PREFIX))
      found.push({
        name: key.slice(CHECK_PREFIX.length),
        expression: spokenSql(expression),
        kind: 'check',
      })
  for (const { name, metadata: facts } of struct.fields) {
    const invariant = invariantOf(facts?.['delta.invariants'])
    if (invariant !== undefined)
      found.push({
        name: `the invariant of ${name}`,
        expression: spokenSql(invariant),
        kind: 'invariant',
      })
    const generation = facts?.[GENERATION]
    if (typeof generation === 'string')
      found.push({
        name: `the generation of ${name}`,
        expression: `${quoted(name)} IS NOT DISTINCT FROM (${spokenSql(generation)})`,
        kind: 'generated',
      })
  }
  return found
}

/** `{"expression": {"expression": "x > 3"}}` as JSON text. */
function invariantOf(text: unknown): string | undefined {
  if (typeof text !== 'string') return undefined
  try {
    const parsed = JSON.parse(text) as { expression?: { expression?: unknown } }
    const found = parsed.expression?.expression
    return typeof found === 'string' ? found : undefined
  } catch {
    return undefined
  }
}

/** @throws TableMismatchError naming each constraint that rows break, with how many do */
export async function checkRows(
  { rows, tableKey }: { readonly rows: RowsPort; readonly tableKey: string },
  { state, schema, relation }: { state: LogState; schema: TableSchema; relation: Relation },
  signal?: AbortSignal,
): Promise<void> {
  const constraints = constraintsOf(state, schema)
  if (constraints.length === 0) return
  const checks = constraints.map(({ kind, expression }) =>
    sql(kind === 'invariant' ? `coalesce((${expression}), false)` : expression),
  )
  const counts = await rows.countViolations(relation, checks, signal)
  const problems = constraints.flatMap(({ name, expression }, index) =>
    counts[index]! > 0 ? [`${counts[index]} rows break ${name}, which demands ${expression}`] : [],
  )
  if (problems.length > 0) throw new TableMismatchError(`Writing to ${tableKey}`, problems)
}

const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`

/** Other engines quote names with backquotes. */
export const spokenSql = (expression: string): string =>
  expression.replace(/('(?:[^']|'')*')|`((?:[^`]|``)*)`/g, (whole, text, name: string) =>
    text === undefined ? quoted(name.replaceAll('``', '`')) : whole,
  )
