import type { ObjectStore } from '../../model/object-store.ts'
import { TableBrokenError } from '../errors.ts'
import type { FieldCell, ParquetField, ParquetPort } from '../parquet-port.ts'
import { checkAction, parseActionLines } from './action-json.ts'
import {
  type Action,
  type DeletionVectorDescriptor,
  deletionVectorId,
  type RemoveAction,
} from './actions.ts'
import { type AddExtras, extrasOf } from './file-table.ts'
import { LOG_FOLDER, SIDECAR_FOLDER } from './log-files.ts'
import type { LogReplay } from './log-replay.ts'
import type { CheckpointFiles } from './log-segment.ts'

/**
 * Reading checkpoints: classic, multi-part, and v2 with a Parquet or JSON top and sidecars (PROTOCOL.md, "Checkpoint
 * Format"). The few actions of a table come as JSON, the many files of it as columns. `remove` actions serve only
 * vacuum and later checkpoints, so that a snapshot does not load them.
 */
export interface CheckpointReader {
  readonly store: ObjectStore
  readonly parquet: ParquetPort
  /** Key of the table's folder. */
  readonly tableKey: string
}

/** Everything but the tombstones into `replay`. @throws TableBrokenError, ObjectMissingError */
export async function readCheckpoint(
  reader: CheckpointReader,
  checkpoint: CheckpointFiles,
  replay: LogReplay,
  signal?: AbortSignal,
): Promise<void> {
  const sidecars: string[] = []
  const take = (action: Action) => {
    if (action.sidecar) sidecars.push(action.sidecar.path)
    else if (action.add) replay.applyCheckpointAdd(action.add)
    else if (!action.remove) replay.applyCheckpointAction(action)
  }
  for (const name of checkpoint.names) {
    const key = `${reader.tableKey}/${LOG_FOLDER}/${name}`
    if (name.endsWith('.json')) {
      const text = new TextDecoder().decode(await reader.store.get(key, signal))
      parseActionLines(text, key).forEach(take)
    } else {
      for await (const action of readFewActions(reader, key, signal)) take(action)
      await readFiles(reader, key, replay, signal)
    }
  }
  for (const path of sidecars) await readFiles(reader, sidecarKey(reader, path), replay, signal)
}

/** The tombstones of a checkpoint, in no order. */
export async function* readTombstones(
  reader: CheckpointReader,
  checkpoint: CheckpointFiles,
  signal?: AbortSignal,
): AsyncIterable<RemoveAction> {
  const parquetKeys: string[] = []
  for (const name of checkpoint.names) {
    const key = `${reader.tableKey}/${LOG_FOLDER}/${name}`
    if (name.endsWith('.json')) {
      const text = new TextDecoder().decode(await reader.store.get(key, signal))
      for (const { remove, sidecar } of parseActionLines(text, key)) {
        if (remove) yield remove
        if (sidecar) parquetKeys.push(sidecarKey(reader, sidecar.path))
      }
    } else {
      parquetKeys.push(key)
      for await (const { sidecar } of readFewActions(reader, key, signal))
        if (sidecar) parquetKeys.push(sidecarKey(reader, sidecar.path))
    }
  }
  for (const key of parquetKeys)
    for await (const { remove } of readJsonActions(reader, key, ['remove'], signal))
      if (remove) yield remove
}

/** The kinds of which a table has few. Checkpoints of old programs may hold `commitInfo` too; nobody needs it. */
const FEW = ['protocol', 'metaData', 'txn', 'domainMetadata', 'sidecar'] as const

const readFewActions = (reader: CheckpointReader, key: string, signal?: AbortSignal) =>
  readJsonActions(reader, key, FEW, signal)

async function* readJsonActions(
  { store, parquet }: CheckpointReader,
  key: string,
  kinds: readonly (keyof Action)[],
  signal: AbortSignal | undefined,
): AsyncIterable<Action> {
  const chunks = parquet.readFields(
    {
      location: store.locate(key),
      fields: kinds.map((kind) => ({ path: [kind], as: 'json' })),
      presentAny: kinds.map((kind) => [kind]),
    },
    signal,
  )
  for await (const { rowCount, columns } of chunks)
    for (let row = 0; row < rowCount; row += 1)
      for (const [index, kind] of kinds.entries()) {
        const cell = columns[index]![row]
        if (typeof cell === 'string') yield checkAction({ [kind]: JSON.parse(cell) }, key)
      }
}

const ADD_FIELDS = [
  { path: ['add', 'path'], as: 'text' },
  { path: ['add', 'size'], as: 'number' },
  { path: ['add', 'modificationTime'], as: 'number' },
  { path: ['add', 'partitionValues'], as: 'json' },
  { path: ['add', 'stats'], as: 'text' },
  // Only written instead of `stats`, when `delta.checkpoint.writeStatsAsStruct` is on and `…AsJson` is off.
  { path: ['add', 'stats_parsed'], as: 'json' },
  { path: ['add', 'deletionVector'], as: 'json' },
  { path: ['add', 'tags'], as: 'json' },
  { path: ['add', 'baseRowId'], as: 'number' },
  { path: ['add', 'defaultRowCommitVersion'], as: 'number' },
  { path: ['add', 'clusteringProvider'], as: 'text' },
] as const satisfies readonly ParquetField[]

async function readFiles(
  { store, parquet }: CheckpointReader,
  key: string,
  replay: LogReplay,
  signal: AbortSignal | undefined,
): Promise<void> {
  const chunks = parquet.readFields(
    { location: store.locate(key), fields: ADD_FIELDS, presentAny: [['add', 'path']] },
    signal,
  )
  for await (const { rowCount, columns } of chunks) {
    const [paths, sizes, times, partitions, stats, parsed, vectors, tags, rowIds, versions, by] =
      columns
    for (let row = 0; row < rowCount; row += 1) {
      const size = sizes![row]
      if (typeof size !== 'number')
        throw new TableBrokenError(`An add action in ${key} lacks size, which is required.`)
      const deletionVector = vectorOf(vectors![row], key)
      const extras = extrasFrom(tags![row], rowIds![row], versions![row], by![row])
      replay.pushCheckpointFile({
        path: paths![row] as string,
        size,
        modificationTime: (times![row] as number | null) ?? 0,
        stats: (stats![row] ?? parsed![row] ?? null) as string | null,
        partitionId: replay.fileTable.partitionId((partitions![row] as string | null) ?? '{}'),
        ...(deletionVector === undefined ? {} : { deletionVector }),
        ...(extras === undefined ? {} : { extras }),
      })
    }
  }
}

function vectorOf(cell: FieldCell | undefined, key: string): DeletionVectorDescriptor | undefined {
  if (typeof cell !== 'string') return undefined
  const checked = checkAction({ remove: { path: '-', deletionVector: JSON.parse(cell) } }, key)
  return checked.remove?.deletionVector
}

function extrasFrom(...cells: readonly (FieldCell | undefined)[]): AddExtras | undefined {
  const [tags, baseRowId, defaultRowCommitVersion, clusteringProvider] = cells
  if (cells.every((cell) => cell === null || cell === '{}')) return undefined
  const given = {
    tags: typeof tags === 'string' ? JSON.parse(tags) : undefined,
    baseRowId: baseRowId ?? undefined,
    defaultRowCommitVersion: defaultRowCommitVersion ?? undefined,
    clusteringProvider: clusteringProvider ?? undefined,
  }
  return extrasOf(given as AddExtras)
}

/** Sidecars are in one folder whatever their path says before the name (PROTOCOL.md, "Sidecar File Information"). */
function sidecarKey({ tableKey }: CheckpointReader, path: string): string {
  const name = decodeURIComponent(path.slice(path.lastIndexOf('/') + 1))
  return `${tableKey}/${LOG_FOLDER}/${SIDECAR_FOLDER}/${name}`
}

/** Tells logical files apart across `add` and `remove`. */
export const logicalFileKey = (path: string, vector: DeletionVectorDescriptor | undefined) =>
  `${deletionVectorId(vector)}\n${path}`
