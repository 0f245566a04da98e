import type { Relation } from '../../model/relation.ts'
import type { EditMetrics } from '../row-edits.ts'
import { checkSatisfies, type OverwriteOptions, overwriteStatement } from '../row-statements.ts'
import type { AddAction, PartitionValues } from './actions.ts'
import { checkChangeable, type EditOutcome, editRows, metricsText } from './edit-rows.ts'
import { fileKeyAt, removeActionAt } from './file-actions.ts'
import { rowCountFromStats } from './file-bounds.ts'
import { type FileTable, liveRows } from './file-table.ts'
import { type CommitOptions, finishCommit } from './finish-commit.ts'
import { withGenerated } from './generated-columns.ts'
import { type OpenTable, writeContext } from './open-table.ts'
import { partitionScalar } from './partition-value.ts'
import { parseProperties } from './properties.ts'
import { checkWritable } from './protocol.ts'
import { type TableSchema, tableSchemaOf } from './table-schema.ts'
import { writeFiles } from './write-files.ts'

/**
 * Put a relation's rows in the place of all rows, of those that a predicate is true for, or of the partitions they belong to.
 * @throws TableMismatchError when its columns are not the table's, or some row does not satisfy the predicate
 */
export async function overwriteRows(
  table: OpenTable,
  relation: Relation,
  options: OverwriteOptions & CommitOptions,
  signal?: AbortSignal,
): Promise<EditOutcome> {
  const { log, deps } = table
  const { tableKey } = log.context
  const schema = tableSchemaOf(await log.newest(signal), tableKey)
  await using full = await withGenerated(writeContext(table), schema, relation, signal)
  const { where } = options
  if (where === 'same_partitions')
    return await overwritePartitions(table, full.relation, options, signal)
  await checkSatisfies(deps.ports.tableRows, full.relation, { where, table: tableKey }, signal)
  return await editRows(table, overwriteStatement(full.relation, where), options, signal)
}

/** The new files say which partitions they are for; all files that were there go, without a look. */
async function overwritePartitions(
  table: OpenTable,
  relation: Relation,
  options: CommitOptions,
  signal?: AbortSignal,
): Promise<EditOutcome> {
  const { log } = table
  const { tableKey } = log.context
  const context = writeContext(table)
  const state = await log.newest(signal)
  const schema = tableSchemaOf(state, tableKey)
  const properties = parseProperties(state.metadata.configuration)
  checkWritable(state.protocol, { metadata: state.metadata, schema: schema.struct }, tableKey)
  checkChangeable(properties, tableKey)
  const adds = await writeFiles(context, state, relation, {}, signal)
  const keyOf = (values: PartitionValues) => partitionKey(schema, values, tableKey)
  const keys = new Set(adds.map((add) => keyOf(add.partitionValues)))
  const { table: files } = state.files
  const replaced = files.partitions.map((values) => keys.has(keyOf(values)))
  const rows = [...liveRows(state.files)].filter((row) => replaced[files.partitionIds[row]!])
  const metrics = metricsOf(files, { rows, adds, insertedRowCount: relation.rowCount })
  const { transactions = [] } = options
  if (adds.length === 0 && transactions.length === 0)
    return { status: 'unchanged', version: state.version, metrics }
  const gone = new Set(rows.map((row) => fileKeyAt(files, row)))
  const outcome = await finishCommit(
    table,
    {
      commitId: log.newId(),
      base: state,
      intent: {
        read: {
          files: gone,
          mayMatch: (add) => keys.has(keyOf(add.partitionValues)),
          isolation: properties.isolation,
        },
        removes: gone,
        changesMetadata: false,
        transactions,
        domains: new Set(),
      },
      actions: [
        ...rows.map((row) => ({
          remove: removeActionAt(files, row, { nowMs: context.nowMs, dataChange: true }),
        })),
        ...adds.map((add) => ({ add })),
      ],
      info: {
        operation: 'WRITE',
        operationParameters: { mode: 'Overwrite', partitionOverwriteMode: 'dynamic' },
        operationMetrics: metricsText(metrics),
        isBlindAppend: false,
      },
    },
    options,
    signal,
  )
  return outcome.status === 'committed' ? { ...outcome, metrics } : outcome
}

/** Equal for equal partitions, however their values are written. */
const partitionKey = (schema: TableSchema, values: PartitionValues, tableKey: string): string =>
  JSON.stringify(
    schema.partitionColumns.map(({ physicalName, type }) => {
      const value = partitionScalar(values[physicalName], type, tableKey)
      return value === null ? null : String(value)
    }),
  )

/** Rows that go are counted from statistics at hand; files without any count as nothing. */
function metricsOf(
  files: FileTable,
  change: {
    readonly rows: readonly number[]
    readonly adds: readonly AddAction[]
    readonly insertedRowCount: number
  },
): EditMetrics {
  const { rows, adds, insertedRowCount } = change
  const rowsIn = (row: number) =>
    (rowCountFromStats(files.stats[row] ?? null) ?? 0) -
    (files.deletionVectors.get(row)?.cardinality ?? 0)
  return {
    deletedRowCount: rows.reduce((sum, row) => sum + Math.max(0, rowsIn(row)), 0),
    updatedRowCount: 0,
    insertedRowCount,
    scannedFileCount: 0,
    addedFileCount: adds.length,
    removedFileCount: rows.length,
    markedFileCount: 0,
    addedBytes: adds.reduce((sum, add) => sum + add.size, 0),
  }
}
