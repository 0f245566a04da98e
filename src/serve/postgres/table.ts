import type { Columns } from '../../model/column.ts'
import { SinkConfigError } from '../errors.ts'
import type { PostgresConnection } from './client.ts'
import { quoteTable } from './encode.ts'
import { columnDifferences, type TableColumn } from './type-mapping.ts'

/** The columns of a table as the server has them, or `null` when nothing of that name can be written to. */
export async function readTableColumns(
  connection: PostgresConnection,
  table: string,
): Promise<readonly TableColumn[] | null> {
  const { rows } = await connection.run(
    `SELECT a.attname, t.typname, format_type(a.atttypid, a.atttypmod), t.typtype, a.atttypmod,
  a.attnotnull, a.atthasdef OR a.attidentity <> '', a.attgenerated <> ''
FROM pg_class c
LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_type t ON t.oid = a.atttypid
WHERE c.oid = to_regclass($1) AND c.relkind IN ('r', 'p', 'f')
ORDER BY a.attnum`,
    [quoteTable(table)],
  )
  if (rows.length === 0) return null
  return rows
    .filter((row) => row[0] !== null)
    .map(([name, typeName, typeText, typeKind, typeModifier, notNull, filled, generated]) => ({
      name: name!,
      typeName: typeName!,
      typeText: typeText!,
      typeKind: typeKind!,
      typeModifier: Number(typeModifier),
      notNull: notNull === 't',
      filledByServer: filled === 't' && generated !== 't',
      generated: generated === 't',
    }))
}

/** @throws SinkConfigError that lists every difference between the table and what the sink writes. */
export function assertTableTakes(
  table: string,
  where: string,
  declared: Columns,
  actual: readonly TableColumn[] | null,
): void {
  if (actual === null)
    throw new SinkConfigError(
      `There is no table ${table} in ${where}. Nothing was written. Add a migration that creates it with the columns ` +
        `${declared.map((column) => column.name).join(', ')}.`,
    )
  const differences = columnDifferences(declared, actual)
  if (differences.length === 0) return
  throw new SinkConfigError(
    `The table ${table} in ${where} does not take what the sink writes: ${differences.join('; ')}. ` +
      'Nothing was written. Add a migration that changes the table, or change the declared columns.',
  )
}
