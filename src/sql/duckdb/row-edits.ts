import type { Column } from '../../model/column.ts'
import type { Relation } from '../../model/relation.ts'
import {
  type Assignments,
  CHANGE_TYPE_COLUMN,
  type Condition,
  type JoinOn,
  type RowClause,
  type RowExpression,
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
  /** A table with the source's rows and `SOURCE_COLUMN`. */
  readonly source?: { readonly table: string; readonly on: JoinOn; readonly relation: Relation }
  /** Name of the table of edits. */
  readonly edits: string
}

/** The query whose rows are the edits. */
export function editsSql({ scan: places, clauses, source }: EditSql): string {
  const scan = `(${places()}) AS target`
  const missing = actionSql(clauses, 'not_matched_by_source')
  if (source === undefined)
    return `SELECT * FROM (SELECT ${F} AS ${AT.file}, ${R} AS ${AT.row}, NULL::BIGINT AS ${AT.source}, ${missing} AS ${AT.action} FROM ${scan}) WHERE ${AT.action} IS NOT NULL`
  const matched = actionSql(clauses, 'matched')
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
function actionSql(clauses: readonly RowClause[], when: RowClause['when']): string {
  const cases = clauses.flatMap((clause, index) =>
    clause.when === when
      ? [
          `WHEN ${clause.condition === undefined ? 'true' : conditionSql(clause.condition)} THEN ${index}`,
        ]
      : [],
  )
  return cases.length === 0 ? 'NULL::INTEGER' : `CASE ${cases.join(' ')} END`
}

const conditionSql = (condition: Condition) =>
  condition.kind === 'sql' ? `(${condition.text})` : `(${predicateSql(condition, ['target'])})`

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
function insertsSql({ clauses, source, edits }: EditSql): string | undefined {
  if (source === undefined || !clauses.some((clause) => clause.when === 'not_matched'))
    return undefined
  const action = actionSql(clauses, 'not_matched')
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
    parts.push(
      `SELECT ${updatedColumns(sql, updates)} FROM ${editedSql(sql, rewrite, 'LEFT JOIN')}${stays}`,
    )
  }
  const others = touched.filter((file) => !rewrite.includes(file))
  if (updates.length > 0 && others.length > 0)
    parts.push(
      `SELECT ${updatedColumns(sql, updates)} FROM ${editedSql(sql, others, 'JOIN')} WHERE ${AT.action} IN (${updates.join(', ')})`,
    )
  const inserts = insertsSql(sql)
  if (inserts !== undefined) parts.push(`SELECT ${insertedColumns(sql)} FROM ${inserts} AS source`)
  if (parts.length === 0)
    parts.push(
      `SELECT ${columns.map((c) => `NULL::${duckdbType(c.type)} AS ${quoteIdentifier(c.name)}`).join(', ')} WHERE false`,
    )
  return parts.join(' UNION ALL ')
}

/** Every change as a row of the target's columns with its type. */
export function changedRowsSql(sql: EditSql, touched: readonly number[]): string {
  const { columns } = sql.target
  const names = columns.map((column) => `target.${quoteIdentifier(column.name)}`).join(', ')
  const updates = clauseNumbers(
    sql,
    (clause) => clause.when !== 'not_matched' && clause.do !== 'delete',
  )
  const type = (text: string) => `'${text}' AS ${quoteIdentifier(CHANGE_TYPE_COLUMN)}`
  const parts: string[] = []
  if (touched.length > 0) {
    const edited = editedSql(sql, touched, 'JOIN')
    const isUpdate = updates.length === 0 ? 'false' : `${AT.action} IN (${updates.join(', ')})`
    parts.push(
      `SELECT ${names}, CASE WHEN ${isUpdate} THEN 'update_preimage' ELSE 'delete' END AS ${quoteIdentifier(CHANGE_TYPE_COLUMN)} FROM ${edited}`,
    )
    if (updates.length > 0)
      parts.push(
        `SELECT ${updatedColumns(sql, updates)}, ${type('update_postimage')} FROM ${edited} WHERE ${isUpdate}`,
      )
  }
  const inserts = insertsSql(sql)
  if (inserts !== undefined)
    parts.push(`SELECT ${insertedColumns(sql)}, ${type('insert')} FROM ${inserts} AS source`)
  return parts.join(' UNION ALL ')
}

const clauseNumbers = ({ clauses }: EditSql, passes: (clause: RowClause) => boolean) =>
  clauses.flatMap((clause, index) => (passes(clause) ? [index] : []))

/** Rows of some files beside their edits, and beside the source row of the edit. */
function editedSql(
  { scan: places, source, edits }: EditSql,
  files: readonly number[],
  join: 'JOIN' | 'LEFT JOIN',
): string {
  const scan = `(${places(files)}) AS target ${join} ${placesSql(edits)} AS edit ON edit.${AT.file} = target.${F} AND edit.${AT.row} = target.${R}`
  return source === undefined
    ? scan
    : `${scan} LEFT JOIN ${source.table} AS source ON source.${SOURCE_COLUMN} = edit.${AT.source}`
}

function updatedColumns({ target, clauses }: EditSql, updates: readonly number[]): string {
  const outputs = target.columns.map((column) => {
    const old = `target.${quoteIdentifier(column.name)}`
    const cases = updates.flatMap((number) => {
      const clause = clauses[number]!
      if (clause.when === 'not_matched' || clause.do === 'delete') return []
      const { set } = clause.do
      return Object.hasOwn(set, column.name)
        ? [`WHEN ${number} THEN ${valueSql(set[column.name]!, column)}`]
        : []
    })
    const value = cases.length === 0 ? old : `CASE ${AT.action} ${cases.join(' ')} ELSE ${old} END`
    return `${value} AS ${quoteIdentifier(column.name)}`
  })
  return outputs.join(', ')
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
    return `CAST(${quotePath(['source', expression.name])} AS ${duckdbType(type)})`
  return `CAST((${expression.text}) AS ${duckdbType(type)})`
}
