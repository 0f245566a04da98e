import type { Column } from '../../model/column.ts'
import type { Relation } from '../../model/relation.ts'
import {
  type Assignments,
  CHANGE_TYPE_COLUMN,
  type Condition,
  type JoinOn,
  type RowClause,
  type RowExpression,
  type SourceDiffers,
} from '../../model/row-edit.ts'
import type { ScanPlan } from '../../model/scan-plan.ts'
import { literalSql } from './literal.ts'
import { quoteIdentifier, quotePath, quoteText } from './quote-identifier.ts'
import { FILE_COLUMN, predicateSql, ROW_COLUMN } from './scan.ts'
import type { PlacesQuery } from './scan-by-id.ts'
import { duckdbType } from './type-mapping.ts'

// `DELETE`, `UPDATE` and `MERGE` as queries. One pass over the columns that conditions look at finds the rows concerned, and only their places are
// remembered:
//
//   file    place of the file in the plan         row     of the file
//   source  source row, if any                    action  number of the clause, if any applies
//
// All else is made from that: what stays, what is new, what changed. Joins put the smaller side into memory and spill.

const F = quoteIdentifier(FILE_COLUMN)
const R = quoteIdentifier(ROW_COLUMN)
/** Number of a source row. */
export const SOURCE_COLUMN = quoteIdentifier('mekong source')

/** Columns of the table of edits, under names that no column of users has. */
const AT = {
  file: quoteIdentifier('mekong edit file'),
  row: quoteIdentifier('mekong edit row'),
  source: quoteIdentifier('mekong edit source'),
  action: quoteIdentifier('mekong edit action'),
}

export interface EditSql {
  readonly target: ScanPlan
  /** The target's rows, with their places. */
  readonly scan: PlacesQuery
  readonly clauses: readonly RowClause[]
  /** A table or view with the source's rows and `SOURCE_COLUMN`. */
  readonly source?: { readonly table: string; readonly on: JoinOn; readonly relation: Relation }
  /** Whether the table of the source has digests of its rows in place of the columns that they are compared by. */
  readonly hasDigests?: boolean
  /** Name of the table of edits. */
  readonly edits: string
}

/** The query whose rows are the edits. */
export function editsSql(sql: EditSql): string {
  const { scan: places, source, clauses } = sql
  const scan = `(${places()}) AS target`
  const missing = actionSql(sql, 'not_matched_by_source')
  if (source === undefined)
    return `SELECT * FROM (SELECT ${F} AS ${AT.file}, ${R} AS ${AT.row}, NULL::BIGINT AS ${AT.source}, ${missing} AS ${AT.action} FROM ${scan}) WHERE ${AT.action} IS NOT NULL`
  const matched = actionSql(sql, 'matched')
  const from = `${scan} %JOIN% ${source.table} AS source ON ${onSql(source.on)}`
  const n = `source.${SOURCE_COLUMN}`
  if (!clauses.some((clause) => clause.when === 'not_matched_by_source'))
    return `SELECT ${F} AS ${AT.file}, ${R} AS ${AT.row}, ${n} AS ${AT.source}, ${matched} AS ${AT.action} FROM ${from.replace('%JOIN%', 'JOIN')}`
  return (
    `SELECT * FROM (SELECT ${F} AS ${AT.file}, ${R} AS ${AT.row}, ${n} AS ${AT.source}, CASE WHEN ${n} IS NULL THEN ${missing} ELSE ${matched} END AS ${AT.action} ` +
    `FROM ${from.replace('%JOIN%', 'LEFT JOIN')}) WHERE ${AT.source} IS NOT NULL OR ${AT.action} IS NOT NULL`
  )
}

function onSql({ keys, condition }: JoinOn): string {
  const parts = keys.map((key) => `target.${quoteIdentifier(key)} = source.${quoteIdentifier(key)}`)
  if (condition !== undefined) parts.push(`(${condition.text})`)
  return parts.join(' AND ')
}

/** The number of the first clause that applies, or null. */
function actionSql(sql: EditSql, when: RowClause['when']): string {
  const cases = sql.clauses.flatMap((clause, index) =>
    clause.when === when
      ? [
          `WHEN ${clause.condition === undefined ? 'true' : conditionSql(sql, clause.condition, index)} THEN ${index}`,
        ]
      : [],
  )
  return cases.length === 0 ? 'NULL::INTEGER' : `CASE ${cases.join(' ')} END`
}

function conditionSql(sql: EditSql, condition: Condition | SourceDiffers, clause: number): string {
  if (condition.kind === 'sql') return `(${condition.text})`
  if (condition.kind !== 'source_differs') return `(${predicateSql(condition, ['target'])})`
  const { columns } = condition
  if (sql.hasDigests)
    return `(${digestSql(sql, columns, 'target')} <> source.${digestName(clause)})`
  const differs = compared(sql, columns).map(
    (column) => `${oldSql(column)} IS DISTINCT FROM ${storedSql(column, 'source')}`,
  )
  return `(${differs.join(' OR ') || 'false'})`
}

const digestName = (clause: number) => quoteIdentifier(`mekong digest ${clause}`)

const compared = ({ target }: EditSql, names: readonly string[]) =>
  target.columns.filter(({ name }) => names.includes(name))

const storedSql = ({ name, type }: Named, of: 'source' | 'target') =>
  `CAST(${quotePath([of, name])} AS ${duckdbType(type)})`

/** Of some columns as they are stored. As JSON, which no two values share. */
function digestSql(sql: EditSql, names: readonly string[], of: 'source' | 'target'): string {
  const cells = compared(sql, names).map((column, at) => `c${at} := ${storedSql(column, of)}`)
  return cells.length === 0 ? `''` : `sha256(to_json(struct_pack(${cells.join(', ')}))::VARCHAR)`
}

/**
 * The query of a table that can stand for the source's while edits are looked for: keys, and digests of what rows are compared by. It takes
 * some hundred bytes for each row, however wide. `undefined` where conditions look at more than that.
 */
export function digestsSql({ source, ...rest }: EditSql): string | undefined {
  if (source === undefined || source.on.condition !== undefined) return undefined
  const conditions = rest.clauses.map(({ when, condition }) =>
    when === 'not_matched' ? undefined : condition,
  )
  if (conditions.some((condition) => condition?.kind === 'sql')) return undefined
  const digests = conditions.flatMap((condition, clause) =>
    condition?.kind === 'source_differs'
      ? [`${digestSql(rest, condition.columns, 'source')} AS ${digestName(clause)}`]
      : [],
  )
  if (digests.length === 0) return undefined
  const outputs = [SOURCE_COLUMN, ...source.on.keys.map(quoteIdentifier), ...digests]
  return `SELECT ${outputs.join(', ')} FROM ${source.table} AS source`
}

/** One row: how many rows each clause concerns, and how many rows several sources want. */
export function countSql({ edits }: EditSql): string {
  return (
    `SELECT (SELECT list({a: action::VARCHAR, n: n::VARCHAR}) FROM (SELECT ${AT.action} AS action, count(*) AS n FROM ${placesSql(edits)} GROUP BY ALL)), ` +
    `(SELECT count(*)::VARCHAR FROM (SELECT 1 FROM ${edits} WHERE ${AT.action} IS NOT NULL GROUP BY ${AT.file}, ${AT.row} HAVING count(*) > 1))`
  )
}

/** Each place once: deleting a row for several reasons is deleting it. */
const placesSql = (edits: string) =>
  `(SELECT ${AT.file}, ${AT.row}, any_value(${AT.action}) AS ${AT.action}, any_value(${AT.source}) AS ${AT.source} FROM ${edits} WHERE ${AT.action} IS NOT NULL GROUP BY ${AT.file}, ${AT.row})`

/** Number of the file and of the row, in that order, for each row that goes. */
export const removedSql = ({ edits }: EditSql): string =>
  `SELECT ${AT.file}::DOUBLE, ${AT.row}::DOUBLE FROM ${placesSql(edits)} ORDER BY ALL`

/** The same as rows of a path, a position, and what to split them by: for files that have a path. */
export function removedPlacesSql(
  { edits }: EditSql,
  files: readonly { readonly file: number; readonly path: string; readonly group: number }[],
  names: { readonly path: string; readonly position: string; readonly group: string },
): string {
  const values = files.map(({ file, path, group }) => `(${file}, ${quoteText(path)}, ${group})`)
  return (
    `SELECT f.path AS ${quoteIdentifier(names.path)}, ${AT.row}::BIGINT AS ${quoteIdentifier(names.position)}, f.part AS ${quoteIdentifier(names.group)} ` +
    `FROM ${placesSql(edits)} JOIN (VALUES ${values.join(', ')}) AS f(file, path, part) ON f.file = ${AT.file}`
  )
}

/** Numbers of the files that have edits. */
export const touchedSql = ({ edits }: EditSql): string =>
  `SELECT DISTINCT ${AT.file}::DOUBLE FROM ${edits} WHERE ${AT.action} IS NOT NULL`

/** Source rows that no target row has, with the clause that takes them. */
function insertsSql(sql: EditSql): string | undefined {
  const { clauses, source, edits } = sql
  if (source === undefined || !clauses.some((clause) => clause.when === 'not_matched'))
    return undefined
  const action = actionSql(sql, 'not_matched')
  return (
    `(SELECT * FROM (SELECT *, ${action} AS "mekong clause" FROM ${source.table} AS source ` +
    `WHERE ${SOURCE_COLUMN} NOT IN (SELECT ${AT.source} FROM ${edits} WHERE ${AT.source} IS NOT NULL)) WHERE "mekong clause" IS NOT NULL)`
  )
}

export function insertCountSql(sql: EditSql): string | undefined {
  const inserts = insertsSql(sql)
  return inserts && `SELECT count(*)::VARCHAR FROM ${inserts}`
}

/** New rows in the target's columns; of the files in `rewrite`, also what stays. */
export function newRowsSql(
  sql: EditSql,
  rewrite: readonly number[],
  touched: readonly number[],
): string {
  const parts: string[] = []
  const updates = clauseNumbers(
    sql,
    (clause) => clause.when !== 'not_matched' && clause.do !== 'delete',
  )
  const deletes = clauseNumbers(
    sql,
    (clause) => clause.when !== 'not_matched' && clause.do === 'delete',
  )
  const columns = sql.target.columns
  if (rewrite.length > 0) {
    const stays =
      deletes.length === 0
        ? ''
        : ` WHERE ${AT.action} IS NULL OR ${AT.action} NOT IN (${deletes.join(', ')})`
    const outputs = columns.map((column) => updatedSql(sql, updates, column, oldSql(column)))
    parts.push(`SELECT ${outputs.join(', ')} FROM ${editedSql(sql, rewrite, 'LEFT JOIN')}${stays}`)
  }
  const others = touched.filter((file) => !rewrite.includes(file))
  if (updates.length > 0 && others.length > 0) parts.push(updatedRowsSql(sql, updates, others))
  const inserts = insertsSql(sql)
  if (inserts !== undefined) parts.push(`SELECT ${insertedColumns(sql)} FROM ${inserts} AS source`)
  if (parts.length === 0)
    parts.push(
      `SELECT ${columns.map((c) => `NULL::${duckdbType(c.type)} AS ${quoteIdentifier(c.name)}`).join(', ')} WHERE false`,
    )
  return parts.join(' UNION ALL ')
}

/** Every change as a row of the target's columns with its type: the rows that were there before, and those that are there now. */
export function changedRowsSql(
  sql: EditSql,
  touched: readonly number[],
): { readonly before: string | undefined; readonly after: string | undefined } {
  const { columns } = sql.target
  const names = columns.map(oldSql).join(', ')
  const updates = clauseNumbers(
    sql,
    (clause) => clause.when !== 'not_matched' && clause.do !== 'delete',
  )
  const type = (text: string) => `'${text}' AS ${quoteIdentifier(CHANGE_TYPE_COLUMN)}`
  const isUpdate = updates.length === 0 ? 'false' : `${AT.action} IN (${updates.join(', ')})`
  const after: string[] = []
  if (touched.length > 0 && updates.length > 0)
    after.push(
      `SELECT *, ${type('update_postimage')} FROM (${updatedRowsSql(sql, updates, touched)})`,
    )
  const inserts = insertsSql(sql)
  if (inserts !== undefined)
    after.push(`SELECT ${insertedColumns(sql)}, ${type('insert')} FROM ${inserts} AS source`)
  return {
    before:
      touched.length === 0
        ? undefined
        : `SELECT ${names}, CASE WHEN ${isUpdate} THEN 'update_preimage' ELSE 'delete' END AS ${quoteIdentifier(CHANGE_TYPE_COLUMN)} FROM ${placedSql(sql, touched, 'JOIN')}`,
    after: after.length === 0 ? undefined : after.join(' UNION ALL '),
  }
}

const clauseNumbers = ({ clauses }: EditSql, passes: (clause: RowClause) => boolean) =>
  clauses.flatMap((clause, index) => (passes(clause) ? [index] : []))

/** Rows of some files beside their edits. */
const placedSql = (
  { scan: places, edits }: EditSql,
  files: readonly number[],
  join: 'JOIN' | 'LEFT JOIN',
) =>
  `(${places(files)}) AS target ${join} ${placesSql(edits)} AS edit ON edit.${AT.file} = target.${F} AND edit.${AT.row} = target.${R}`

/** The same beside the source row of each edit. */
function editedSql(sql: EditSql, files: readonly number[], join: 'JOIN' | 'LEFT JOIN'): string {
  const { source } = sql
  const placed = placedSql(sql, files, join)
  return source === undefined
    ? placed
    : `${placed} LEFT JOIN ${source.table} AS source ON source.${SOURCE_COLUMN} = edit.${AT.source}`
}

/**
 * What the updated rows of some files are now. Where nothing of the old row is left in them, as in a merge that takes whole rows, the
 * files are not looked into again.
 */
function updatedRowsSql(
  sql: EditSql,
  updates: readonly number[],
  files: readonly number[],
): string {
  const { source, edits, clauses, target } = sql
  const isOfSource = updates.every(
    (number) =>
      clauses[number]!.when === 'matched' &&
      target.columns.every((column) => {
        const value = setValue(sql, number, column)
        return value !== undefined && !(value !== null && 'kind' in value && value.kind === 'sql')
      }),
  )
  const isUpdated = `${AT.action} IN (${updates.join(', ')})`
  const from =
    source !== undefined && isOfSource
      ? `${placesSql(edits)} AS edit JOIN ${source.table} AS source ON source.${SOURCE_COLUMN} = edit.${AT.source} WHERE ${AT.file} IN (${files.join(', ')}) AND ${isUpdated}`
      : `${editedSql(sql, files, 'JOIN')} WHERE ${isUpdated}`
  const outputs = target.columns.map((column) => {
    const isSet = updates.every((number) => setValue(sql, number, column) !== undefined)
    return updatedSql(sql, updates, column, isSet ? 'NULL' : oldSql(column))
  })
  return `SELECT ${outputs.join(', ')} FROM ${from}`
}

const oldSql = ({ name }: Named) => `target.${quoteIdentifier(name)}`

/** A column as the update that applies sets it, or `otherwise`. */
function updatedSql(sql: EditSql, updates: readonly number[], column: Named, otherwise: string) {
  const cases = updates.flatMap((number) => {
    const value = setValue(sql, number, column)
    return value === undefined ? [] : [`WHEN ${number} THEN ${valueSql(value, column)}`]
  })
  const value =
    cases.length === 0 ? otherwise : `CASE ${AT.action} ${cases.join(' ')} ELSE ${otherwise} END`
  return `${value} AS ${quoteIdentifier(column.name)}`
}

type Named = Pick<Column, 'name' | 'type'>

/** What a clause sets a column to; `undefined` where it leaves it as it is. */
function setValue(
  { clauses }: EditSql,
  number: number,
  { name }: Named,
): RowExpression | undefined {
  const clause = clauses[number]!
  if (clause.when === 'not_matched' || clause.do === 'delete') return undefined
  const { set } = clause.do
  return Object.hasOwn(set, name) ? set[name]! : undefined
}

function insertedColumns({ target, clauses }: EditSql): string {
  const outputs = target.columns.map((column) => {
    const cases = clauses.flatMap((clause, number) =>
      clause.when === 'not_matched'
        ? [`WHEN ${number} THEN ${valueSql(assigned(clause.insert, column), column)}`]
        : [],
    )
    return `CASE "mekong clause" ${cases.join(' ')} END AS ${quoteIdentifier(column.name)}`
  })
  return outputs.join(', ')
}

const assigned = (values: Assignments, { name }: Pick<Column, 'name'>): RowExpression =>
  Object.hasOwn(values, name) ? values[name]! : null

function valueSql(expression: RowExpression, { type }: Pick<Column, 'type'>): string {
  if (expression === null) return `NULL::${duckdbType(type)}`
  if ('type' in expression)
    return `CAST(${literalSql(expression.value, expression.type)} AS ${duckdbType(type)})`
  if (expression.kind === 'source_column')
    return storedSql({ name: expression.name, type }, 'source')
  return `CAST((${expression.text}) AS ${duckdbType(type)})`
}
