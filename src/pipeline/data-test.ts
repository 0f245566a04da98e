import type { DataTest, DataTestKind, Severity, SqlSource } from '../model/sql-model.ts'

// Questions that a model must answer with no rows. `error` stops what depends on the model, `warn` is told and kept.

export interface DataTestOptions {
  /** Default `error`. */
  readonly severity?: Severity
  /** Default: made from what it asks. Unique among the tests of a model. */
  readonly name?: string
}

/** The column holds no null. */
export const notNull = (column: string, options?: DataTestOptions): DataTest =>
  dataTest({ kind: 'not_null', column }, `not_null_${column}`, options)

/** No two rows have the same values in these columns; rows with a null among them are not compared. */
export const unique = (
  columns: string | readonly string[],
  options?: DataTestOptions,
): DataTest => {
  const all = typeof columns === 'string' ? [columns] : columns
  return dataTest({ kind: 'unique', columns: all }, `unique_${all.join('_')}`, options)
}

/** The column holds one of these values, or null. */
export const accepted = (
  column: string,
  values: readonly (string | number | boolean)[],
  options?: DataTestOptions,
): DataTest => dataTest({ kind: 'accepted', column, values }, `accepted_${column}`, options)

/** Every value of the column, but null, is in a column of another table. */
export const relationship = (
  column: string,
  to: { readonly table: string; readonly field: string },
  options?: DataTestOptions,
): DataTest => dataTest({ kind: 'relationship', column, ...to }, `relationship_${column}`, options)

/** SQL over the columns of a row that must not be false for any. Name it: the text alone says little. */
export const expression = (
  sql: string,
  options: DataTestOptions & { readonly name: string },
): DataTest => dataTest({ kind: 'expression', sql }, options.name, options)

/** The newest value of the column is not older than this. Its severity follows from the ages. */
export const freshness = (
  column: string,
  ages: { readonly warnAfterMs?: number; readonly errorAfterMs?: number },
  options?: Pick<DataTestOptions, 'name'>,
): DataTest => dataTest({ kind: 'freshness', column, ...ages }, `freshness_${column}`, options)

/** The table has so many rows. */
export const rowCount = (
  bounds: { readonly min?: number; readonly max?: number },
  options?: DataTestOptions,
): DataTest => dataTest({ kind: 'row_count', ...bounds }, 'row_count', options)

/** A SELECT of your own whose rows are failures; it may read any table. */
export const customSql = (
  sql: SqlSource,
  options: DataTestOptions & { readonly name: string },
): DataTest => dataTest({ kind: 'custom', sql }, options.name, options)

function dataTest(
  kind: DataTestKind,
  defaultName: string,
  options: DataTestOptions = {},
): DataTest {
  const { severity = 'error', name = defaultName } = options
  return Object.freeze({ ...kind, name, severity })
}
