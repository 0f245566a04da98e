import type { Columns, ColumnType } from '../../model/column.ts'
import { quoteText } from '../duckdb/quote-identifier.ts'
import { duckdbType } from '../duckdb/type-mapping.ts'

// Rows that come as JSON objects, as relations: of unit tests, and of failed data tests. For few rows: they are part of the statement.

/** SQL for rows in these columns; what an object lacks, or what is not of its column's type, is null. */
export const jsonRowsSql = (rows: readonly object[], columns: Columns): string =>
  unnested(rows, [structureOf(columns)])

/** SQL that says of what types the members of some objects are, for `inferredRowsSql`. */
export const jsonStructureSql = (rows: readonly object[]): string =>
  `SELECT json_structure(${quoteText(jsonText(rows))})::VARCHAR`

/** SQL for rows in the columns that `jsonStructureSql` found: whole numbers, numbers, texts, truths. */
export const inferredRowsSql = (rows: readonly object[], structure: string): string =>
  unnested(rows, JSON.parse(structure.replaceAll('"UBIGINT"', '"BIGINT"')) as unknown)

const unnested = (rows: readonly object[], structure: unknown) =>
  `SELECT unnest(from_json(${quoteText(jsonText(rows))}, ${quoteText(JSON.stringify(structure))}), max_depth := 2)`

const jsonText = (rows: readonly object[]) =>
  JSON.stringify(rows, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value))

const structureOf = (columns: Columns): Record<string, unknown> =>
  Object.fromEntries(columns.map(({ name, type }) => [name, structureOfType(type)]))

function structureOfType(type: ColumnType): unknown {
  if (typeof type === 'object' && type.kind === 'list') return [structureOfType(type.element)]
  if (typeof type === 'object' && type.kind === 'struct') return structureOf(type.columns)
  return duckdbType(type)
}
