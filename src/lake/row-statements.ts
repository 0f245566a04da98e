import type { Columns } from '../model/column.ts'
import { and, compare, conjuncts, isIn, type Predicate, type Value } from '../model/predicate.ts'
import type { Relation } from '../model/relation.ts'
import type {
  Assignments,
  Condition,
  RowClause,
  SourceDiffers,
  SqlText,
} from '../model/row-edit.ts'
import { scalarFromText } from '../model/scalar.ts'
import { conditionText } from './condition-text.ts'
import { TableMismatchError } from './errors.ts'
import type { RowStatement } from './row-edits.ts'
import type { RowsPort } from './rows-port.ts'

/** What users ask of a table's rows, as statements on files. */

export interface DeleteOptions {
  /** Which rows. Predicates let files be skipped; SQL is tried on every file. Default: all. */
  readonly where?: Condition
}

export interface UpdateOptions {
  readonly where?: Condition
  /** New values by column; SQL may look at the row's old values. */
  readonly set: Assignments
}

export interface MergeOptions {
  readonly source: Relation
  readonly on: MergeOn
  /** The first clause whose condition is true counts for a row. */
  readonly clauses: readonly MergeClause[]
}

/** Keys let files be skipped; with a condition alone every file is looked into. One of both is needed. */
export interface MergeOn {
  /** Columns of the same name on both sides that must be equal and not null. */
  readonly keys?: readonly string[]
  /** SQL over `target` and `source`. */
  readonly condition?: SqlText
}

export type MergeClause =
  | {
      readonly when: 'matched' | 'not_matched_by_source'
      /** `source_differs` is for `matched` alone. */
      readonly condition?: Condition | SourceDiffers
      /** `update` takes every column that the source has, and is for `matched` alone. */
      readonly do: 'delete' | 'update' | { readonly set: Assignments }
    }
  | {
      readonly when: 'not_matched'
      readonly condition?: Condition
      /** `insert` takes every column that the source has; others become null. */
      readonly do: 'insert' | { readonly insert: Assignments }
    }

export interface OverwriteOptions {
  /**
   * Rows to replace. The new rows must all satisfy a predicate. `same_partitions` are all rows of those partitions that the new rows
   * belong to; others stay, and no rows replace none. Default: all rows.
   */
  readonly where?: Predicate | 'same_partitions'
}

export function deleteStatement({ where }: DeleteOptions): RowStatement {
  return {
    operation: 'DELETE',
    operationParameters: parametersOf(where),
    clauses: [{ when: 'not_matched_by_source', ...conditionOf(where), do: 'delete' }],
    ...predicateOf(where),
    deletesPredicate: where?.kind !== 'sql',
  }
}

export function updateStatement(
  { where, set }: UpdateOptions,
  columns: Columns,
  table: string,
): RowStatement {
  checkAssignments(set, columns, `Updating ${table}`)
  return {
    operation: 'UPDATE',
    operationParameters: parametersOf(where),
    clauses: [{ when: 'not_matched_by_source', ...conditionOf(where), do: { set } }],
    ...predicateOf(where),
  }
}

export function overwriteStatement(appended: Relation, where: Predicate | undefined): RowStatement {
  return {
    operation: 'WRITE',
    operationParameters: { mode: 'Overwrite', ...parametersOf(where) },
    clauses: [{ when: 'not_matched_by_source', ...conditionOf(where), do: 'delete' }],
    ...predicateOf(where),
    deletesPredicate: true,
    appended,
  }
}

/** @throws TableMismatchError when some of the rows that replace others would not be replaced themselves */
export async function checkSatisfies(
  rows: RowsPort,
  relation: Relation,
  { where, table }: { readonly where: Predicate | undefined; readonly table: string },
  signal?: AbortSignal,
): Promise<void> {
  if (where === undefined) return
  const [outside] = await rows.countViolations(relation, [where], signal)
  if (outside! > 0)
    throw new TableMismatchError(`Overwriting a part of ${table}`, [
      `${outside} of the new rows do not satisfy ${conditionText(where)}`,
    ])
}

/** Above so many keys, only their bounds choose files: each key is compared with each file. */
const KEY_COUNT_MAX = 256

/** @throws TableMismatchError when a column is not there, or a clause makes no sense */
export async function mergeStatement(
  rows: RowsPort,
  { source, on, clauses }: MergeOptions,
  { columns, table }: { readonly columns: Columns; readonly table: string },
  signal?: AbortSignal,
): Promise<RowStatement> {
  const attempt = `Merging into ${table}`
  const keys = on.keys ?? []
  const problems: string[] = []
  if (keys.length === 0 && on.condition === undefined)
    problems.push('it needs keys or a condition to match rows by')
  if (clauses.length === 0) problems.push('it has no clauses')
  for (const key of keys) {
    if (!has(columns, key)) problems.push(`the table has no column ${key}`)
    if (!has(source.columns, key)) problems.push(`the source has no column ${key}`)
  }
  for (const clause of clauses) {
    if (clause.when === 'not_matched_by_source' && clause.do === 'update')
      problems.push('rows without a source row cannot take its values; set them one by one')
    if (clause.condition?.kind !== 'source_differs') continue
    if (clause.when !== 'matched') problems.push('rows without a source row cannot differ from it')
    for (const name of clause.condition.columns)
      if (!has(columns, name) || !has(source.columns, name))
        problems.push(`column ${name}, by which rows are compared, is not on both sides`)
  }
  if (problems.length > 0) throw new TableMismatchError(attempt, problems)
  const needsAll = clauses.some((clause) => clause.when === 'not_matched_by_source')
  return {
    operation: 'MERGE',
    operationParameters: {
      predicate: [
        ...keys.map((key) => `target.${key} = source.${key}`),
        ...(on.condition === undefined ? [] : [on.condition.text]),
      ].join(' AND '),
      clauses: JSON.stringify(clauses.map(clauseText)),
    },
    clauses: clauses.map((clause) => resolvedClause(clause, { source, columns, attempt })),
    source: {
      relation: source,
      on: { keys, ...(on.condition === undefined ? {} : { condition: on.condition }) },
    },
    predicate: needsAll ? undefined : await keyPredicate(rows, { source, keys }, signal),
  }
}

/** What the source's keys say of the rows they can match. */
async function keyPredicate(
  rows: RowsPort,
  { source, keys }: { source: Relation; keys: readonly string[] },
  signal?: AbortSignal,
): Promise<Predicate | undefined> {
  const parts: Predicate[] = []
  for (const column of keys) {
    const { type } = source.columns.find(({ name }) => name === column)!
    if (type === 'binary' || type === 'float32' || type === 'float64' || type === 'boolean')
      continue
    if (typeof type !== 'string' && type.kind !== 'decimal') continue
    const found = await rows.valuesIn(
      { relation: source, column, valueCountMax: KEY_COUNT_MAX },
      signal,
    )
    const value = (text: string): Value | undefined => {
      const scalar = scalarFromText(text, type)
      return scalar === undefined ? undefined : { type, value: scalar }
    }
    if (found === undefined) {
      parts.push(isIn([column], []))
      continue
    }
    const values = found.values?.map(value)
    if (values?.every((each) => each !== undefined)) parts.push(isIn([column], values as Value[]))
    const [min, max] = [value(found.min), value(found.max)]
    if (min !== undefined) parts.push(compare([column], '>=', min))
    if (max !== undefined) parts.push(compare([column], '<=', max))
  }
  return parts.length === 0 ? undefined : and(...parts)
}

function resolvedClause(
  clause: MergeClause,
  { source, columns, attempt }: { source: Relation; columns: Columns; attempt: string },
): RowClause {
  const fromSource = (): Assignments =>
    Object.fromEntries(
      columns
        .filter(({ name }) => has(source.columns, name))
        .map(({ name }) => [name, { kind: 'source_column', name }]),
    )
  if (clause.when === 'not_matched') {
    const condition = conditionOf(clause.condition)
    const insert = clause.do === 'insert' ? fromSource() : clause.do.insert
    checkAssignments(insert, columns, attempt)
    return { when: 'not_matched', ...condition, insert }
  }
  const condition = clause.condition === undefined ? {} : { condition: clause.condition }
  if (clause.do === 'delete') return { when: clause.when, ...condition, do: 'delete' }
  const set = clause.do === 'update' ? fromSource() : clause.do.set
  checkAssignments(set, columns, attempt)
  return { when: clause.when, ...condition, do: { set } }
}

function checkAssignments(values: Assignments, columns: Columns, attempt: string): void {
  const unknown = Object.keys(values).filter((name) => !has(columns, name))
  if (unknown.length > 0)
    throw new TableMismatchError(
      attempt,
      unknown.map((name) => `the table has no column ${name}`),
    )
}

const has = (columns: Columns, name: string) => columns.some((column) => column.name === name)

const conditionOf = (where: Condition | undefined) =>
  where === undefined ? {} : { condition: where }
const predicateOf = (where: Condition | undefined) =>
  where === undefined || where.kind === 'sql' ? {} : { predicate: and(...conjuncts(where)) }
const parametersOf = (where: Condition | undefined): Record<string, string> =>
  where === undefined ? {} : { predicate: JSON.stringify([conditionText(where)]) }
const clauseText = ({ when, condition, ...rest }: MergeClause) => ({
  when,
  ...(condition === undefined ? {} : { condition: conditionText(condition) }),
  do: typeof rest.do === 'string' ? rest.do : Object.keys(rest.do)[0],
})
