import type { Relation } from '../../model/relation.ts'
import { columnProblems } from '../column-match.ts'
import { TableMismatchError } from '../errors.ts'
import { checkSatisfies, type OverwriteOptions, overwriteStatement } from '../row-statements.ts'
import type { CommitOptions } from './commit.ts'
import { storedType } from './define-schema.ts'
import { type EditOutcome, editRows } from './edit-rows.ts'
import { type ChangeableTable, columnsOf } from './table-changes.ts'

/**
 * Put a relation's rows in the place of all rows, or of those that a predicate is true for.
 * @throws TableMismatchError when its columns are not the table's, or some row does not satisfy the predicate
 */
export async function overwriteRows(
  table: ChangeableTable,
  relation: Relation,
  options: OverwriteOptions & CommitOptions,
  signal?: AbortSignal,
): Promise<EditOutcome> {
  const { tools, name } = table
  const problems = columnProblems(
    relation.columns,
    columnsOf(await table.newest(signal)),
    storedType,
  )
  if (problems.length > 0) throw new TableMismatchError(`Overwriting ${name}`, problems)
  await checkSatisfies(
    tools.ports.tableRows,
    relation,
    { where: options.where, table: name },
    signal,
  )
  return editRows(table, overwriteStatement(relation, options), options, signal)
}
