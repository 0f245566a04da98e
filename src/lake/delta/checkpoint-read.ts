import type { ObjectStore } from '../../model/object-store.ts'
import { TableBrokenError } from '../errors.ts'
import type { FieldCell, ParquetField, ParquetPort } from '../parquet-port.ts'
import { checkAction, parseActionLines } from './action-json.ts'
import type { Action, AddAction, DeletionVectorDescriptor, RemoveAction } from './actions.ts'
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
  const adds: AddAction[] = []
  const take = (action: Action) => {
    if (action.sidecar) sidecars.push(action.sidecar.path)
    else if (action.add) adds.push(action.add)
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
  // Last, because rows whose statistics stay in Parquet come first in a file table.
  for (const add of adds) replay.applyCheckpointAdd(add)
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
  for await (const { rowNumbers, columns } of chunks)
    for (const row of rowNumbers.keys())
      for (const [index, kind] of kinds.entries()) {
        const cell = columns[index]![row]
        if (typeof cell === 'string') yield checkAction({ [kind]: JSON.parse(cell) }, key)
      }
}

const FILE_FIELDS = [
  { path: ['add', 'path'], as: 'text' },
  { path: ['add', 'size'], as: 'number' },
  { path: ['add', 'modificationTime'], as: 'number' },
  { path: ['add', 'partitionValues'], as: 'json' },
] as const satisfies readonly ParquetField[]

/** What most files do not have, so that it is read apart and only where it is. */
const RARE_FIELDS = [
  { path: ['add', 'deletionVector'], as: 'json' },
  { path: ['add', 'tags'], as: 'json' },
  { path: ['add', 'baseRowId'], as: 'number' },
  { path: ['add', 'defaultRowCommitVersion'], as: 'number' },
  { path: ['add', 'clusteringProvider'], as: 'text' },
] as const satisfies readonly ParquetField[]

interface RareParts {
  readonly deletionVector: DeletionVectorDescriptor | undefined
  readonly extras: AddExtras | undefined
}

/** The `add` actions of one Parquet file, all but their statistics, which `file-statistics.ts` fetches at need. */
async function readFiles(
  reader: CheckpointReader,
  key: string,
  replay: LogReplay,
  signal: AbortSignal | undefined,
): Promise<void> {
  const rare = await readRareParts(reader, key, signal)
  const { fileTable } = replay
  const rowStart = fileTable.rowCount
  const numbers: number[] = []
  const chunks = reader.parquet.readFields(
    {
      location: reader.store.locate(key),
      fields: FILE_FIELDS,
      presentAny: [['add', 'path']],
    },
    signal,
  )
  for await (const { rowNumbers, columns } of chunks) {
    const [paths, sizes, times, partitions] = columns
    for (const [index, number] of rowNumbers.entries()) {
      const size = sizes![index]
      if (typeof size !== 'number')
        throw new TableBrokenError(`An add action in ${key} lacks size, which is required.`)
      const { deletionVector, extras } = rare.get(number) ?? {}
      replay.pushCheckpointFile({
        path: paths![index] as string,
        size,
        modificationTime: (times![index] as number | null) ?? 0,
        stats: null,
        partitionId: fileTable.partitionId((partitions![index] as string | null) ?? '{}'),
        ...(deletionVector === undefined ? {} : { deletionVector }),
        ...(extras === undefined ? {} : { extras }),
      })
      numbers.push(number)
    }
  }
  if (numbers.length === 0) return
  const last = numbers.reduce((a, b) => Math.max(a, b))
  const rowOfNumber = new Int32Array(last + 1).fill(-1)
  for (const [index, number] of numbers.entries()) rowOfNumber[number] = rowStart + index
  fileTable.statsSources.push({ key, rowStart, rowEnd: rowStart + numbers.length, rowOfNumber })
}

async function readRareParts(
  { store, parquet }: CheckpointReader,
  key: string,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<number, RareParts>> {
  const found = new Map<number, RareParts>()
  const chunks = parquet.readFields(
    {
      location: store.locate(key),
      fields: RARE_FIELDS,
      presentAny: [
        ['add', 'deletionVector', 'storageType'],
        ...RARE_FIELDS.slice(1).map((field) => field.path),
      ],
    },
    signal,
  )
  for await (const { rowNumbers, columns } of chunks)
    for (const [index, number] of rowNumbers.entries()) {
      const [vector, ...others] = columns.map((column) => column[index] ?? null)
      found.set(number, {
        deletionVector: vectorOf(vector, key),
        extras: extrasFrom(...others),
      })
    }
  return found
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
