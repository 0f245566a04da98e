import { stat } from 'node:fs/promises'
import path from 'node:path'
import type { Column, Columns } from '../../model/column.ts'
import type { ObjectStore } from '../../model/object-store.ts'
import type { ParquetField } from '../parquet-port.ts'
import type { ScratchPort } from '../scratch-port.ts'
import type { Action, RemoveAction } from './actions.ts'
import { deletionVectorId } from './actions.ts'
import { type CheckpointReader, readTombstones } from './checkpoint-read.ts'
import type { FileTable } from './file-table.ts'
import { checkpointName, LAST_CHECKPOINT, LOG_FOLDER } from './log-files.ts'
import { readHint } from './log-read.ts'
import type { LogState } from './log-state.ts'
import { parsedStatsColumns } from './parsed-stats.ts'
import { parseProperties } from './properties.ts'
import { canonicalPath, encodePath, tableUrlOf } from './table-path.ts'
import { tableSchemaOf } from './table-schema.ts'

/**
 * Writing a classic checkpoint of the first specification in one Parquet file, which every reader knows (PROTOCOL.md,
 * "Classic checkpoint", "Checkpoint Schema"). It is put whole; then `_last_checkpoint` is moved on to it. A crash in between
 * costs readers a longer listing, nothing else.
 */
export interface CheckpointWriter extends CheckpointReader {
  readonly scratch: ScratchPort
  readonly nowMs: number
}

/** @returns the same state, based on the new checkpoint */
export async function writeCheckpoint(
  writer: CheckpointWriter,
  state: LogState,
  signal?: AbortSignal,
): Promise<LogState> {
  const { store, tableKey, parquet } = writer
  const tombstones = await keptTombstones(writer, state, signal)
  const properties = parseProperties(state.metadata.configuration)
  await using folder = await writer.scratch.makeFolder()
  const file = path.join(folder.path, 'checkpoint.parquet')
  let actionCount = 0
  const stats = parsedStatsColumns(tableSchemaOf(state, tableKey), properties)
  await parquet.writeJsonRows(
    {
      path: file,
      columns: CHECKPOINT_COLUMNS,
      compression: properties.compression,
      ...(stats === undefined
        ? {}
        : { parsed: { struct: 'add', field: 'stats', as: 'stats_parsed', columns: stats } }),
      rows: (async function* () {
        for await (const action of checkpointActions(writer, state, tombstones, signal)) {
          actionCount += 1
          yield JSON.stringify(action)
        }
      })(),
    },
    signal,
  )
  const sizeInBytes = (await stat(file)).size
  const name = checkpointName(state.version)
  await store.putFile(`${tableKey}/${LOG_FOLDER}/${name}`, file, signal)
  await moveHint(store, tableKey, {
    version: state.version,
    size: actionCount,
    sizeInBytes,
    numOfAddFiles: state.files.count,
  })
  const base = { version: state.version, names: [name] }
  return { ...state, base, tombstones: [], commitsSinceBase: 0 }
}

/**
 * Removed files that vacuum still has to know, each once, from the old checkpoint and the commits since. One that
 * has been added again is no tombstone.
 */
async function keptTombstones(
  writer: CheckpointWriter,
  state: LogState,
  signal: AbortSignal | undefined,
): Promise<Iterable<RemoveAction>> {
  const tableUrl = tableUrlOf(writer.store, writer.tableKey)
  const { deletedFileRetentionMs } = parseProperties(state.metadata.configuration)
  const oldestMs = writer.nowMs - deletedFileRetentionMs
  const kept = new Map<string, RemoveAction>()
  const take = (remove: RemoveAction) => {
    if ((remove.deletionTimestamp ?? 0) <= oldestMs) return
    const canonical = canonicalPath(remove.path, tableUrl)
    const id = deletionVectorId(remove.deletionVector)
    if (!isLive(state, canonical, id)) kept.set(`${id}\n${canonical}`, remove)
  }
  if (state.base !== undefined)
    for await (const remove of readTombstones(writer, state.base, signal)) take(remove)
  // Replay has decoded these paths; a checkpoint holds URIs.
  for (const remove of state.tombstones) take({ ...remove, path: uriOf(remove.path) })
  return kept.values()
}

function isLive({ files }: LogState, path: string, vectorId: string): boolean {
  const row = files.table.rowOf(path)
  return (
    row !== undefined &&
    row < files.rowEnd &&
    files.live[row] === 1 &&
    files.table.deletionVectorIdAt(row) === vectorId
  )
}

/** In the order that other engines use: what the table is, then what it holds. */
async function* checkpointActions(
  writer: CheckpointWriter,
  state: LogState,
  tombstones: Iterable<RemoveAction>,
  signal: AbortSignal | undefined,
): AsyncIterable<Action> {
  yield { protocol: state.protocol }
  yield { metaData: state.metadata }
  for (const txn of state.transactions.values()) yield { txn }
  for (const domainMetadata of state.domains.values()) yield { domainMetadata }
  const { table, live, rowEnd } = state.files
  for await (const [row, stats] of statsFromSources(writer, table, signal))
    if (live[row] === 1) yield addAction(table, row, stats)
  for (let row = table.statsRowEnd; row < rowEnd; row += 1)
    if (live[row] === 1) yield addAction(table, row, table.stats[row]!)
  for (const remove of tombstones) yield { remove: tombstoneRow(remove) }
}

/** The statistics that the table does not hold, from the old checkpoint into the new one as they are. */
export async function* statsFromSources(
  { store, parquet }: Pick<CheckpointReader, 'store' | 'parquet'>,
  table: FileTable,
  signal: AbortSignal | undefined,
): AsyncIterable<readonly [row: number, stats: string | null]> {
  const fields: ParquetField[] = [
    { path: ['add', 'stats'], as: 'text' },
    { path: ['add', 'stats_parsed'], as: 'json' },
  ]
  for (const { key, rowOfNumber } of table.statsSources) {
    const request = { location: store.locate(key), fields, presentAny: [['add', 'path']] }
    for await (const { rowNumbers, columns } of parquet.readFields(request, signal))
      for (const [index, number] of rowNumbers.entries()) {
        const stats = columns[0]![index] ?? columns[1]![index] ?? null
        yield [rowOfNumber[number]!, stats as string | null]
      }
  }
}

function addAction(table: FileTable, row: number, stats: string | null): Action {
  const deletionVector = table.deletionVectors.get(row)
  return {
    add: {
      path: uriOf(table.paths[row]!),
      partitionValues: table.partitions[table.partitionIds[row]!]!,
      size: table.sizes[row]!,
      modificationTime: table.modificationTimes[row]!,
      // PROTOCOL.md, "Checkpoints": what a checkpoint holds is no change.
      dataChange: false,
      ...(stats === null ? {} : { stats }),
      ...(deletionVector === undefined ? {} : { deletionVector }),
      ...table.extras.get(row),
    },
  }
}

/** PROTOCOL.md, "Checkpoint Schema": tombstones carry no statistics and no tags. */
function tombstoneRow(remove: RemoveAction): RemoveAction {
  const { path, deletionTimestamp, extendedFileMetadata, partitionValues, size } = remove
  const { deletionVector, baseRowId, defaultRowCommitVersion } = remove
  return {
    path,
    dataChange: false,
    ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
    ...(extendedFileMetadata === undefined ? {} : { extendedFileMetadata }),
    ...(partitionValues === undefined ? {} : { partitionValues }),
    ...(size === undefined ? {} : { size }),
    ...(deletionVector === undefined ? {} : { deletionVector }),
    ...(baseRowId === undefined ? {} : { baseRowId }),
    ...(defaultRowCommitVersion === undefined ? {} : { defaultRowCommitVersion }),
  }
}

/** A canonical path as the URI it came as, or one that decodes to the same. */
export const uriOf = (canonical: string) =>
  /^[a-zA-Z][a-zA-Z0-9+.-]+:/.test(canonical)
    ? encodeURI(canonical).replaceAll('#', '%23').replaceAll('?', '%3F')
    : encodePath(canonical)

interface LastCheckpoint {
  readonly version: number
  readonly size: number
  readonly sizeInBytes: number
  readonly numOfAddFiles: number
}

/** PROTOCOL.md, "Last Checkpoint File". Never back: another writer may have written a newer checkpoint. */
async function moveHint(store: ObjectStore, tableKey: string, hint: LastCheckpoint): Promise<void> {
  const found = await readHint(store, tableKey)
  if (found !== undefined && found > hint.version) return
  const key = `${tableKey}/${LOG_FOLDER}/${LAST_CHECKPOINT}`
  await store.put(key, new TextEncoder().encode(JSON.stringify(hint)))
}

const column = (name: string, type: Column['type']): Column => ({ name, type, nullable: true })
const struct = (...columns: Columns): Column['type'] => ({ kind: 'struct', columns })
const TEXT_MAP: Column['type'] = {
  kind: 'map',
  key: 'string',
  value: 'string',
  valueNullable: true,
}
const TEXTS: Column['type'] = { kind: 'list', element: 'string', elementNullable: true }
const DELETION_VECTOR = struct(
  column('storageType', 'string'),
  column('pathOrInlineDv', 'string'),
  column('offset', 'int32'),
  column('sizeInBytes', 'int32'),
  column('cardinality', 'int64'),
)

/** PROTOCOL.md, "Checkpoint Schema". */
const CHECKPOINT_COLUMNS: Columns = [
  column(
    'txn',
    struct(column('appId', 'string'), column('version', 'int64'), column('lastUpdated', 'int64')),
  ),
  column(
    'add',
    struct(
      column('path', 'string'),
      column('partitionValues', TEXT_MAP),
      column('size', 'int64'),
      column('modificationTime', 'int64'),
      column('dataChange', 'boolean'),
      column('stats', 'string'),
      column('tags', TEXT_MAP),
      column('deletionVector', DELETION_VECTOR),
      column('baseRowId', 'int64'),
      column('defaultRowCommitVersion', 'int64'),
      column('clusteringProvider', 'string'),
    ),
  ),
  column(
    'remove',
    struct(
      column('path', 'string'),
      column('deletionTimestamp', 'int64'),
      column('dataChange', 'boolean'),
      column('extendedFileMetadata', 'boolean'),
      column('partitionValues', TEXT_MAP),
      column('size', 'int64'),
      column('deletionVector', DELETION_VECTOR),
      column('baseRowId', 'int64'),
      column('defaultRowCommitVersion', 'int64'),
    ),
  ),
  column(
    'metaData',
    struct(
      column('id', 'string'),
      column('name', 'string'),
      column('description', 'string'),
      column('format', struct(column('provider', 'string'), column('options', TEXT_MAP))),
      column('schemaString', 'string'),
      column('partitionColumns', TEXTS),
      column('configuration', TEXT_MAP),
      column('createdTime', 'int64'),
    ),
  ),
  column(
    'protocol',
    struct(
      column('minReaderVersion', 'int32'),
      column('minWriterVersion', 'int32'),
      column('readerFeatures', TEXTS),
      column('writerFeatures', TEXTS),
    ),
  ),
  column(
    'domainMetadata',
    struct(
      column('domain', 'string'),
      column('configuration', 'string'),
      column('removed', 'boolean'),
    ),
  ),
]
