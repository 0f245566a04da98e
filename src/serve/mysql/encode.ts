import type { NewServingTable } from '../table-publisher.ts'
import { versionNote } from '../table-publisher.ts'
import { mysqlType } from './type-mapping.ts'

// SQL texts, and nothing that knows of a network.

/** A name in backticks, whatever it contains. */
export const quoteName = (name: string): string => `\`${name.replaceAll('`', '``')}\``

const quoteText = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`

/** The table that is being filled, and the one that was replaced: nobody else's names. */
export const newName = (table: string): string => `${table}__new`
export const oldName = (table: string): string => `${table}__old`

/** The table to fill, with its keys, under the name that nobody reads. */
export function createTable(
  { table, columns, key, indexes, textLengths, source }: NewServingTable,
  exactCollation: string,
): string {
  const indexed = new Set([...key, ...indexes.flat()])
  const lines = columns.map((column) => {
    const isIndexed = indexed.has(column.name)
    const facts = { isIndexed, textLength: textLengths[column.name] ?? 0, exactCollation }
    const nullability = key.includes(column.name) ? 'NOT NULL' : 'NULL'
    return `${quoteName(column.name)} ${mysqlType(column, facts)} ${nullability}`
  })
  const list = (names: readonly string[]) => names.map(quoteName).join(', ')
  lines.push(`PRIMARY KEY (${list(key)})`)
  for (const [index, names] of indexes.entries())
    lines.push(`KEY ${quoteName(`by_${index + 1}`)} (${list(names)})`)
  return (
    `CREATE TABLE ${quoteName(newName(table))} (\n  ${lines.join(',\n  ')}\n) ` +
    `ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci COMMENT=${quoteText(versionNote(source))}`
  )
}

export const insertRows = ({ table, columns }: NewServingTable): string =>
  `INSERT INTO ${quoteName(newName(table))} (${columns.map(({ name }) => quoteName(name)).join(', ')}) VALUES ?`

/** One statement, atomic in both servers: readers see the one table or the other. */
export function swapTables(table: string, hasOld: boolean): string {
  const incoming = `${quoteName(newName(table))} TO ${quoteName(table)}`
  return hasOld
    ? `RENAME TABLE ${quoteName(table)} TO ${quoteName(oldName(table))}, ${incoming}`
    : `RENAME TABLE ${incoming}`
}
