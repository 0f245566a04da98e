import type { Relation } from '../../model/relation.ts'
import type { AddAction, MetadataAction } from './actions.ts'
import { withGenerated } from './generated-columns.ts'
import type { LogState } from './log-state.ts'
import { checkWritable } from './protocol.ts'
import { tableSchemaOf } from './table-schema.ts'
import { type WriteContext, type WriteFilesOptions, writeFiles } from './write-files.ts'

/**
 * Data files of one append, in place and seen by nobody. Committing it twice leaves the rows once. When it is never
 * committed its files are orphans, which vacuum removes.
 */
export interface PreparedAppend {
  /** Of the commit that this becomes, so that it is recognised after an answer was lost. */
  readonly commitId: string
  readonly adds: readonly AddAction[]
  readonly rowCount: number
  readonly bytes: number
  /** What the files were written for. */
  readonly metadata: MetadataAction
}

export type PrepareOptions = Pick<WriteFilesOptions, 'fileBytesTarget' | 'orderBy'>

/**
 * Write a relation's rows into data files of the table.
 * @throws TableMismatchError when its columns are not exactly the table's (generated ones may be absent), or hold what the
 *   table does not allow
 * @throws TableUnsupportedError when the table needs what Mekong cannot write
 */
export async function prepareAppend(
  context: WriteContext,
  state: LogState,
  relation: Relation,
  options: PrepareOptions = {},
  signal?: AbortSignal,
): Promise<PreparedAppend> {
  const { tableKey } = context
  const schema = tableSchemaOf(state, tableKey)
  checkWritable(state.protocol, { metadata: state.metadata, schema: schema.struct }, tableKey)
  await using full = await withGenerated(context, schema, relation, signal)
  const adds = await writeFiles(context, state, full.relation, options, signal)
  return {
    commitId: context.newId(),
    adds,
    rowCount: relation.rowCount,
    bytes: adds.reduce((sum, add) => sum + add.size, 0),
    metadata: state.metadata,
  }
}

/** Whether files written under one `metaData` action fit a table that has another by now. */
export function fitsMetadata(a: MetadataAction, b: MetadataAction): boolean {
  const essence = (metadata: MetadataAction) =>
    JSON.stringify([
      metadata.id,
      metadata.schemaString,
      metadata.partitionColumns,
      metadata.configuration['delta.columnMapping.mode'],
      Object.entries(metadata.configuration).filter(([key]) =>
        key.startsWith('delta.constraints.'),
      ),
    ])
  return a === b || essence(a) === essence(b)
}
