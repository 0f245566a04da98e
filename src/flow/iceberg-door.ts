import { convertIcebergToDelta } from '../lake/convert/convert.ts'
import type { DeltaDeps } from '../lake/delta/table-log.ts'
import { TableMismatchError } from '../lake/errors.ts'
import type { IcebergDeps } from '../lake/iceberg/deps.ts'
import type { HistoryEntry } from '../lake/iceberg/history.ts'
import type { SnapshotSelector } from '../lake/iceberg/snapshot.ts'
import type { IcebergSnapshot } from '../lake/iceberg/snapshot-view.ts'
import { type IcebergTable, openIcebergTable } from '../lake/iceberg/table.ts'
import { groupedRequest, notRestored, removalRequest } from './door-requests.ts'
import type {
  ExpireReport,
  ExpireRequest,
  FileSize,
  OptimizeReport,
  OptimizeRequest,
  RestoreReport,
  TableCommit,
  TableDoor,
  TablePoint,
  TableSize,
  TableState,
  VacuumReport,
  VacuumRequest,
} from './table-door.ts'
import { partitionsOfSnapshot } from './table-partitions.ts'

/** An Iceberg table as a door. `table` is what its catalog calls it. @throws TableMissingError, TableBrokenError, TableUnsupportedError */
export async function icebergDoor(
  deps: DeltaDeps & IcebergDeps,
  { name, table: known }: { readonly name: string; readonly table: string },
): Promise<TableDoor> {
  const table = await openIcebergTable(deps, known)
  return {
    format: 'iceberg',
    name,
    state: async (point) => icebergState(await table.snapshot(selected(point, name))),
    history: async (limit) => (await table.history({ limit })).map(commitOf),
    expire: (request, signal) => expire(table, request, signal),
    vacuum: (request, signal) => vacuum(table, request, signal),
    optimize: (request, signal) => optimize(table, request, signal),
    changes: (request, signal) => table.changes(request, signal),
    restore: (point, options, signal) => restore(table, { name, point, ...options }, signal),
    convert: (options, signal) => convertIcebergToDelta(deps, known, options, signal),
  }
}

async function optimize(
  table: IcebergTable,
  request: OptimizeRequest,
  signal: AbortSignal | undefined,
): Promise<OptimizeReport> {
  const { snapshotId, groups } =
    request.isOfManifests === true
      ? await table.rewriteManifests(groupedRequest(request), signal)
      : await table.optimize(groupedRequest(request), signal)
  return { version: snapshotId, groups }
}

/** Keys of files as paths in the table, with their sizes. */
function filesBelow(
  { location }: IcebergTable,
  { files, sizes }: { readonly files: readonly string[]; readonly sizes: readonly number[] },
): readonly FileSize[] {
  return files.map((key, index) => ({
    path: key.startsWith(`${location}/`) ? key.slice(location.length + 1) : key,
    bytes: sizes[index]!,
  }))
}

async function expire(
  table: IcebergTable,
  { ageMaxMs, countMin, countMax, ...request }: ExpireRequest,
  signal: AbortSignal | undefined,
): Promise<ExpireReport> {
  const outcome = await table.expireSnapshots(
    {
      ...removalRequest(request),
      ...(ageMaxMs === undefined ? {} : { snapshotAgeMaxMs: ageMaxMs }),
      ...(countMin === undefined ? {} : { snapshotCountMin: countMin }),
      ...(countMax === undefined ? {} : { snapshotCountMax: countMax }),
    },
    signal,
  )
  if (outcome.status !== 'committed')
    return { status: outcome.status, snapshotIds: [], files: [], bytes: 0, isPartial: false }
  const { snapshotIds, bytes, isPartial } = outcome
  const status = request.dryRun ? 'planned' : 'done'
  return { status, snapshotIds, files: filesBelow(table, outcome), bytes, isPartial }
}

async function vacuum(
  table: IcebergTable,
  request: VacuumRequest,
  signal: AbortSignal | undefined,
): Promise<VacuumReport> {
  const { ageMinMs, dryRun } = request
  const outcome = await table.removeOrphans(
    {
      ...removalRequest(request),
      ...(ageMinMs === undefined ? {} : { ageMinMs }),
    },
    signal,
  )
  const { bytes, isPartial } = outcome
  return {
    status: dryRun ? 'planned' : 'done',
    files: filesBelow(table, outcome),
    bytes,
    isPartial,
  }
}

/** Snapshot ids are of 63 bits; what is longer is nobody's. */
const SNAPSHOT_ID_MAX = 2n ** 63n - 1n

function selected(point: TablePoint | undefined, name: string): SnapshotSelector | undefined {
  if (point === undefined || !('version' in point)) return point
  if (point.version <= SNAPSHOT_ID_MAX) return { snapshotId: point.version }
  throw new TableMismatchError(`Reading ${name} at ${point.version}`, ['that is no snapshot id'])
}

async function restore(
  table: IcebergTable,
  { name, point, dryRun }: { name: string; point: TablePoint; dryRun: boolean },
  signal: AbortSignal | undefined,
): Promise<RestoreReport> {
  const outcome = await table.restore({ to: selected(point, name)!, dryRun }, signal)
  if (!('metrics' in outcome)) {
    const message = outcome.status === 'conflict' ? outcome.message : undefined
    return notRestored(point, { status: outcome.status, version: undefined, message })
  }
  const { restoredSnapshotId, addedFileCount, removedFileCount } = outcome.metrics
  return {
    status: outcome.status,
    restored: restoredSnapshotId,
    version: outcome.snapshotId,
    ...{ filesAdded: addedFileCount, filesRemoved: removedFileCount },
    message: undefined,
  }
}

/** A snapshot as people and hops see it. */
export function icebergState(snapshot: IcebergSnapshot): TableState {
  const { snapshotId, id, columns, partitionBy, properties, metadata } = snapshot
  return {
    format: 'iceberg',
    version: snapshotId,
    ...{ id, columns, partitionBy, properties },
    description: properties.comment,
    createdMs: undefined,
    details: {
      format_version: snapshot.formatVersion,
      refs: Object.fromEntries(
        Object.entries(metadata.refs).map(([ref, { type, 'snapshot-id': at }]) => [
          ref,
          { type, snapshot_id: String(at) },
        ]),
      ),
    },
    size: () => sizeOf(snapshot),
    partitions: () => partitionsOfSnapshot(snapshot),
    transactions: () => snapshot.transactions(),
    plan: (options) => snapshot.plan(options),
  }
}

/** From the summary where it tells all, else from the manifests. */
async function sizeOf(snapshot: IcebergSnapshot): Promise<TableSize> {
  if (snapshot.snapshotId === undefined) return { rows: 0, files: 0, bytes: 0 }
  const { summary } = snapshot
  const files = Number(summary['total-data-files'])
  const bytes = Number(summary['total-files-size'])
  const records = Number(summary['total-records'])
  const isWhole = Number(summary['total-delete-files'] ?? 0) === 0
  if (isWhole && [files, bytes, records].every(Number.isSafeInteger))
    return { rows: records, files, bytes }
  const plan = await snapshot.plan()
  return {
    rows: plan.rowCount,
    files: plan.files.length,
    bytes: plan.files.reduce((sum, file) => sum + file.bytes, 0),
  }
}

function commitOf(entry: HistoryEntry): TableCommit {
  const { summary } = entry
  const number = (key: string) => (summary[key] === undefined ? undefined : Number(summary[key]))
  const { operation: _, ...parameters } = summary
  return {
    version: entry.snapshotId,
    committedMs: entry.committedMs,
    operation: entry.operation,
    // Iceberg leaves out what is zero.
    rowsAdded: number('added-records') ?? 0,
    bytesAdded: number('added-files-size') ?? 0,
    filesAdded: number('added-data-files') ?? 0,
    filesRemoved: number('deleted-data-files') ?? 0,
    engine: summary['engine-name'],
    parameters,
  }
}
