import type { DataTest, Severity } from '../../model/sql-model.ts'
import { quoteIdentifier, quoteText } from '../duckdb/quote-identifier.ts'

// Data tests as SQL. Relations: `tested` is the table, `tested_new` those of its rows that nobody has tested yet (the whole table where
// that is not known). Statements yield the rows that fail.

export const TESTED = 'tested'
export const TESTED_NEW = 'tested_new'

/** A condition that holds for a row that fails, for tests that look at one row at a time: all are asked in one pass. */
export function rowCondition(test: DataTest): string | undefined {
  switch (test.kind) {
    case 'not_null':
      return `${quoteIdentifier(test.column)} IS NULL`
    case 'accepted': {
      const values = test.values.map((value) =>
        typeof value === 'string' ? quoteText(value) : String(value),
      )
      return `${quoteIdentifier(test.column)} NOT IN (${values.join(', ')})`
    }
    case 'expression':
      return `NOT (${test.sql}\n)`
    default:
      return undefined
  }
}

/** SQL that counts, in one pass, how many rows fail each of some conditions. */
export const rowConditionsSql = (conditions: readonly string[]): string =>
  `SELECT ${conditions.map((condition) => `count(*) FILTER (WHERE ${condition})`).join(', ')} FROM ${TESTED_NEW}`

export interface TestSqlOptions {
  /** Columns that the way the table is written keeps unique already. */
  readonly keptUnique: readonly string[]
  /** Text of a custom test. */
  readonly customSql?: string
}

/** SQL for the rows that fail a test. */
export function failingRowsSql(test: DataTest, { keptUnique, customSql }: TestSqlOptions): string {
  switch (test.kind) {
    case 'not_null':
    case 'accepted':
    case 'expression':
      return `SELECT * FROM ${TESTED_NEW} WHERE ${rowCondition(test)!}`
    case 'unique':
      return uniqueSql(test.columns, keptUnique)
    case 'relationship': {
      const [column, field] = [quoteIdentifier(test.column), quoteIdentifier(test.field)]
      return (
        `SELECT DISTINCT ${column} FROM ${TESTED_NEW} AS t WHERE ${column} IS NOT NULL ` +
        `AND NOT EXISTS (SELECT 1 FROM ${tableSql(test.table)} AS o WHERE o.${field} = t.${column})`
      )
    }
    case 'freshness':
      // Of a table without rows there is nothing to be old.
      return (
        `SELECT newest, round(age_s)::BIGINT AS age_seconds FROM (SELECT max(${quoteIdentifier(test.column)})::TIMESTAMPTZ AS newest, ` +
        `epoch(run_time()) - epoch(max(${quoteIdentifier(test.column)})::TIMESTAMPTZ) AS age_s FROM ${TESTED} HAVING count(*) > 0) ` +
        `WHERE age_s IS NULL OR age_s * 1000 > ${Math.min(test.warnAfterMs ?? Infinity, test.errorAfterMs ?? Infinity)}`
      )
    case 'row_count': {
      const bounds = [
        ...(test.min === undefined ? [] : [`rows < ${test.min}`]),
        ...(test.max === undefined ? [] : [`rows > ${test.max}`]),
      ]
      return `SELECT rows FROM (SELECT count(*) AS rows FROM ${TESTED}) WHERE ${bounds.join(' OR ')}`
    }
    case 'custom':
      return customSql!
  }
}

/** A merge by a key keeps it unique in the table, so that only the new rows could repeat one another. */
function uniqueSql(columns: readonly string[], keptUnique: readonly string[]): string {
  const names = columns.map(quoteIdentifier)
  const list = names.join(', ')
  const present = names.map((name) => `${name} IS NOT NULL`).join(' AND ')
  const isKept = keptUnique.length > 0 && keptUnique.every((name) => columns.includes(name))
  const rows = isKept
    ? TESTED_NEW
    : `(SELECT t.* FROM ${TESTED} AS t SEMI JOIN ${TESTED_NEW} AS n USING (${list}))`
  return `SELECT ${list}, count(*) AS rows FROM ${rows} WHERE ${present} GROUP BY ALL HAVING count(*) > 1`
}

/** How grave a failure is: that of a freshness test follows from the age it found. */
export function severityOf(test: DataTest, first: Readonly<Record<string, unknown>>): Severity {
  if (test.kind !== 'freshness') return test.severity
  const ageMs = first.age_seconds === null ? Infinity : Number(first.age_seconds) * 1000
  return test.errorAfterMs !== undefined && ageMs >= test.errorAfterMs ? 'error' : 'warn'
}

const tableSql = (name: string) => name.split('.').map(quoteIdentifier).join('.')
