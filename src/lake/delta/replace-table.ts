import type { Columns } from '../../model/column.ts'
import type { Relation } from '../../model/relation.ts'
import type { EditMetrics } from '../row-edits.ts'
import type { MetadataAction } from './actions.ts'
import { MAPPING_MODE, withMapping } from './column-mapping.ts'
import { checkChangeable, type EditOutcome, metricsText } from './edit-rows.ts'
import { fileKeyAt, removeActionAt } from './file-actions.ts'
import { liveRows } from './file-table.ts'
import { type CommitOptions, finishCommit } from './finish-commit.ts'
import { type OpenTable, writeContext } from './open-table.ts'
import { parseProperties } from './properties.ts'
import { checkWritable } from './protocol.ts'
import { neededFeatures, upgraded } from './protocol-upgrade.ts'
import { countRows } from './scan.ts'
import { schemaOfColumns } from './schema.ts'
import { tableSchemaOf } from './table-schema.ts'
import { writeFiles } from './write-files.ts'

export interface ReplaceTableOptions {
  readonly columns: Columns
  readonly partitionBy: readonly string[]
}

/**
 * Make the table another one by one commit: columns, partitioning and all rows. It gets a new id, by which those who follow its changes
 * see that there is no way from the old rows to the new ones; versions, properties and application ids go on. Anything that others
 * commit meanwhile is a conflict.
 * @throws TableMismatchError, TableUnsupportedError
 */
export async function replaceTable(
  table: OpenTable,
  relation: Relation,
  options: ReplaceTableOptions & CommitOptions,
  signal?: AbortSignal,
): Promise<EditOutcome> {
  const { log } = table
  const { tableKey } = log.context
  const context = writeContext(table)
  const before = await log.newest(signal)
  const oldSchema = tableSchemaOf(before, tableKey)
  checkWritable(before.protocol, { metadata: before.metadata, schema: oldSchema.struct }, tableKey)
  checkChangeable(parseProperties(before.metadata.configuration), tableKey)
  const plain = schemaOfColumns(options.columns)
  const { configuration: properties } = before.metadata
  const { schema, configuration } =
    properties[MAPPING_MODE] === 'name'
      ? withMapping(plain, properties, () => `col-${log.newId()}`)
      : { schema: plain, configuration: properties }
  const metadata: MetadataAction = {
    ...before.metadata,
    id: log.newId(),
    schemaString: JSON.stringify(schema),
    partitionColumns: options.partitionBy,
    configuration,
  }
  const protocol = upgraded(before.protocol, neededFeatures(schema, configuration))
  const adds = await writeFiles(context, { ...before, metadata, protocol }, relation, {}, signal)
  const rows = [...liveRows(before.files)]
  const files = before.files.table
  const metrics: EditMetrics = {
    deletedRowCount:
      (await countRows({ ...log.context, state: before, schema: oldSchema }, signal)) ?? 0,
    updatedRowCount: 0,
    insertedRowCount: relation.rowCount,
    scannedFileCount: 0,
    addedFileCount: adds.length,
    removedFileCount: rows.length,
    markedFileCount: 0,
    addedBytes: adds.reduce((sum, add) => sum + add.size, 0),
  }
  const outcome = await finishCommit(
    table,
    {
      commitId: log.newId(),
      base: before,
      intent: {
        read: 'everything',
        removes: new Set(rows.map((row) => fileKeyAt(files, row))),
        changesMetadata: true,
        transactions: options.transactions ?? [],
        domains: new Set(),
      },
      actions: [
        ...(protocol === before.protocol ? [] : [{ protocol }]),
        { metaData: metadata },
        ...rows.map((row) => ({
          remove: removeActionAt(files, row, { nowMs: context.nowMs, dataChange: true }),
        })),
        ...adds.map((add) => ({ add })),
      ],
      info: {
        operation: 'CREATE OR REPLACE TABLE AS SELECT',
        operationParameters: { partitionBy: JSON.stringify(options.partitionBy) },
        operationMetrics: metricsText(metrics),
        isBlindAppend: false,
      },
    },
    options,
    signal,
  )
  return outcome.status === 'committed' ? { ...outcome, metrics } : outcome
}
