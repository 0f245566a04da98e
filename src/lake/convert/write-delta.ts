import type { ColumnType } from '../../model/column.ts'
import { uuidV7Maker } from '../../model/uuid.ts'
import type { Action, AddAction, MetadataAction } from '../delta/actions.ts'
import { putCommit } from '../delta/commit.ts'
import { type CreateOutcome, checkCreateOptions, hasLog } from '../delta/create.ts'
import { writeDeletionVectors } from '../delta/deletion-vector-write.ts'
import { ENGINE_INFO } from '../delta/engine-info.ts'
import { fileStatsJson } from '../delta/file-stats.ts'
import { parseProperties } from '../delta/properties.ts'
import { neededFeatures, protocolWith } from '../delta/protocol-upgrade.ts'
import { schemaOfColumns } from '../delta/schema.ts'
import { commitContext, type DeltaDeps } from '../delta/table-log.ts'
import { encodePath } from '../delta/table-path.ts'
import {
  type PlainFile,
  type PlainStatistics,
  type PlainTable,
  refuseUncarried,
} from './plain-table.ts'
import { scalarText } from './scalar-text.ts'

/**
 * Make a Delta table of files that are there, in one commit: version 0. Rows that are gone are told by deletion vectors.
 * @throws TableMismatchError when Delta does not allow such columns
 */
export async function deltaFromPlain(
  deps: DeltaDeps,
  location: string,
  plain: PlainTable,
  signal?: AbortSignal,
): Promise<CreateOutcome> {
  const { columns, partitionBy, files } = plain
  const marked = files.filter(({ deletedRows }) => (deletedRows?.length ?? 0) > 0)
  const configuration = {
    ...plain.properties,
    ...(marked.length === 0 ? {} : { 'delta.enableDeletionVectors': 'true' }),
  }
  checkCreateOptions(location, { columns, partitionBy, properties: configuration })
  if (await hasLog(deps, location)) return { status: 'exists' }
  const newId = uuidV7Maker(deps.clock, deps.randomness)
  const nowMs = deps.clock.nowMs()
  const schema = schemaOfColumns(columns)
  const vectors = await writeDeletionVectors(
    { store: deps.store, tableKey: location, newId },
    marked.map((file) => file.deletedRows!),
    signal,
  )
  const vectorOf = new Map(marked.map((file, index) => [file, vectors[index]!]))
  const metaData: MetadataAction = {
    id: newId(),
    format: { provider: 'parquet', options: {} },
    schemaString: JSON.stringify(schema),
    partitionColumns: partitionBy,
    createdTime: nowMs,
    configuration,
  }
  const commitId = newId()
  const actions: Action[] = [
    {
      commitInfo: {
        timestamp: nowMs,
        operation: 'CONVERT',
        operationParameters: { source: plain.origin, numFiles: String(files.length) },
        isBlindAppend: true,
        engineInfo: ENGINE_INFO,
        txnId: commitId,
      },
    },
    { protocol: protocolWith(neededFeatures(schema, configuration)) },
    { metaData },
    ...plain.transactions.map(({ appId, version }) => ({
      txn: { appId, version, lastUpdated: nowMs },
    })),
    ...files.map((file) => {
      const deletionVector = vectorOf.get(file)
      const add = addAction(file, { plain, location, rootUrl: deps.store.rootUrl })
      return { add: deletionVector === undefined ? add : { ...add, deletionVector } }
    }),
  ]
  const put = await putCommit(commitContext(deps, location), 0, actions, commitId)
  if (put.status === 'mine') return { status: 'created' }
  return put.status === 'taken' ? { status: 'exists' } : { status: 'unknown', cause: put.cause }
}

function addAction(
  file: PlainFile,
  { plain, location, rootUrl }: { plain: PlainTable; location: string; rootUrl: string },
): AddAction {
  const { columns, partitionBy } = plain
  const typeOf = (name: string) => columns.find((column) => column.name === name)!.type
  const inside = `${location}/`
  const isInside = file.key.startsWith(inside)
  const known = [...file.statistics].flatMap(([name, { min, max, nullCount }]) => {
    if (nullCount === undefined) return []
    const type = typeOf(name)
    return [
      {
        ...{ path: [name], valueCount: file.rowCount, nullCount },
        ...textsOf({ min, max }, type),
      },
    ]
  })
  return {
    path: isInside
      ? encodePath(file.key.slice(inside.length))
      : `${rootUrl}${encodePath(file.key)}`,
    partitionValues: Object.fromEntries(
      partitionBy.map((name, index) => {
        const value = file.partition[index] ?? null
        const text = value === null ? null : scalarText(value, typeOf(name))
        if (text === undefined)
          refuseUncarried(location, 'a Delta table', [`values of the partition column ${name}`])
        return [name, text ?? null]
      }),
    ),
    size: file.bytes,
    modificationTime: file.modifiedMs,
    dataChange: true,
    stats: fileStatsJson({
      rowCount: file.rowCount,
      columnStatistics: known,
      columns: columns.filter(({ name }) => !partitionBy.includes(name)),
      properties: parseProperties(plain.properties),
    }),
  }
}

function textsOf({ min, max }: PlainStatistics, type: ColumnType) {
  const low = min === undefined ? undefined : scalarText(min, type)
  const high = max === undefined ? undefined : scalarText(max, type)
  return {
    ...(low === undefined ? {} : { min: low }),
    ...(high === undefined ? {} : { max: high }),
  }
}
