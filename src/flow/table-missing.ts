import { TableMissingError } from '../lake/errors.ts'
import { formatName } from './lake-catalog.ts'
import type { TableFormat } from './table-door.ts'

/** What there is instead of the table that somebody named by its place. */
export function missingAt(
  folder: string,
  format: TableFormat | undefined,
  { found, isThere }: { readonly found: readonly TableFormat[]; readonly isThere: boolean },
): TableMissingError {
  const wanted = format === undefined ? 'table' : `${formatName(format)} table`
  if (!isThere)
    return new TableMissingError(`There is no ${wanted} at ${folder}: there is no such folder.`)
  const [other] = found
  return new TableMissingError(
    other === undefined
      ? `There is no ${wanted} at ${folder}: the folder has neither a _delta_log nor a metadata folder with an Iceberg table's files.`
      : `The table at ${folder} is a table of ${formatName(other)}; read it with ${other}('…').`,
  )
}
