import { TableMismatchError } from '../errors.ts'
import type { EditMetrics, RowStatement } from '../row-edits.ts'
import { changeOf } from './edit-files.ts'
import { fileKeyAt } from './file-actions.ts'
import { type CommitOptions, finishCommit, type TableCommitOutcome } from './finish-commit.ts'
import { type OpenTable, writeContext } from './open-table.ts'
import { parseProperties, type TableProperties } from './properties.ts'
import { checkWritable } from './protocol.ts'
import { mayAddMatch, planFiles } from './scan.ts'
import { tableSchemaOf } from './table-schema.ts'

/** `unchanged`: no row was concerned, and nothing was committed; `version` is what was looked at. */
export type EditOutcome =
  | (Extract<TableCommitOutcome, { status: 'committed' }> & { readonly metrics: EditMetrics })
  | { readonly status: 'unchanged'; readonly version: number; readonly metrics: EditMetrics }
  | Exclude<TableCommitOutcome, { status: 'committed' }>

/**
 * @throws TableMismatchError when a column or value does not fit, or the table takes appends alone
 * @throws MergeAmbiguousError when several source rows want to change one row
 * @throws TableUnsupportedError when the table needs what Mekong cannot write
 */
export async function editRows(
  table: OpenTable,
  statement: RowStatement,
  options: CommitOptions = {},
  signal?: AbortSignal,
): Promise<EditOutcome> {
  const { log } = table
  const state = await log.newest(signal)
  const { tableKey } = log.context
  const schema = tableSchemaOf(state, tableKey)
  const properties = parseProperties(state.metadata.configuration)
  checkWritable(state.protocol, { metadata: state.metadata, schema: schema.struct }, tableKey)
  if (statement.clauses.some((clause) => clause.when !== 'not_matched'))
    checkChangeable(properties, tableKey)
  const { predicate } = statement
  const planned = await planFiles(
    { ...log.context, state, schema },
    predicate === undefined ? {} : { predicate },
    signal,
  )
  const edit = { reader: log.context, state, schema, properties, statement, planned }
  const change = await changeOf(edit, writeContext(table), signal)
  const { transactions = [] } = options
  if (change.actions.length === 0 && transactions.length === 0)
    return { status: 'unchanged', version: state.version, metrics: change.metrics }
  const scope = mayAddMatch({ schema, tableKey }, predicate ?? { kind: 'and', of: [] })
  const outcome = await finishCommit(
    table,
    {
      commitId: log.newId(),
      intent: {
        read: {
          files: new Set(planned.rows.map((row) => fileKeyAt(state.files.table, row))),
          mayMatch: scope,
          isolation: properties.isolation,
        },
        removes: change.removes,
        changesMetadata: false,
        transactions,
        domains: new Set(),
      },
      base: state,
      actions: change.actions,
      info: {
        operation: statement.operation,
        operationParameters: statement.operationParameters,
        operationMetrics: metricsText(change.metrics),
        isolationLevel:
          properties.isolation === 'serializable' ? 'Serializable' : 'WriteSerializable',
        isBlindAppend: false,
      },
    },
    options,
    signal,
  )
  return outcome.status === 'committed' ? { ...outcome, metrics: change.metrics } : outcome
}

/** @throws TableMismatchError when rows that are there must stay as they are */
export function checkChangeable({ appendOnly }: TableProperties, tableKey: string): void {
  if (appendOnly)
    throw new TableMismatchError(`Changing rows of ${tableKey}`, [
      'the table takes appends alone (delta.appendOnly is true)',
    ])
}

/** Spark's names, so that `DESCRIBE HISTORY` shows them. */
export function metricsText(metrics: EditMetrics): Readonly<Record<string, string>> {
  return {
    numDeletedRows: String(metrics.deletedRowCount),
    numUpdatedRows: String(metrics.updatedRowCount),
    numOutputRows: String(metrics.insertedRowCount),
    numAddedFiles: String(metrics.addedFileCount),
    numRemovedFiles: String(metrics.removedFileCount),
    numDeletionVectorsUpdated: String(metrics.markedFileCount),
    numAddedBytes: String(metrics.addedBytes),
  }
}
