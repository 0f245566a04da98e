import { convertDeltaToIceberg } from '../lake/convert/convert.ts'
import type { HistoryEntry } from '../lake/delta/history.ts'
import type { DeltaSnapshot } from '../lake/delta/snapshot.ts'
import { type DeltaTable, openDeltaTable, type SnapshotOptions } from '../lake/delta/table.ts'
import type { DeltaDeps } from '../lake/delta/table-log.ts'
import { TableMismatchError } from '../lake/errors.ts'
import type { IcebergDeps } from '../lake/iceberg/deps.ts'
import { groupedRequest, notRestored, removalRequest } from './door-requests.ts'
import type {
  ExpireReport,
  ExpireRequest,
  OptimizeReport,
  OptimizeRequest,
  RestoreReport,
  TableCommit,
  TableDoor,
  TablePoint,
  TableState,
  VacuumReport,
  VacuumRequest,
} from './table-door.ts'
import { partitionsOfPlan } from './table-partitions.ts'

export interface DoorPlace {
  /** As people named it. */
  readonly name: string
  /** Of the table's folder in the store. */
  readonly key: string
}

/** A Delta table as a door. @throws TableMissingError, TableBrokenError, TableUnsupportedError */
export async function deltaDoor(
  deps: DeltaDeps & Pick<IcebergDeps, 'catalog'>,
  { name, key }: DoorPlace,
): Promise<TableDoor> {
  const table: DeltaTable = await openDeltaTable(deps, key)
  return {
    format: 'delta',
    name,
    state: async (point) => deltaState(await table.snapshot(selected(point, name))),
    history: async (limit) => (await table.history({ limit })).map(commitOf),
    optimize: (request, signal) => optimize(table, request, signal),
    expire: (request, signal) => expire(table, request, signal),
    vacuum: (request, signal) => vacuum(table, request, signal),
    changes: ({ from, to }, signal) =>
      table.changes(
        { from: Number(from), ...(to === undefined ? {} : { to: Number(to) }) },
        signal,
      ),
    restore: (point, options, signal) => restore(table, { name, point, ...options }, signal),
    convert: (options, signal) =>
      convertDeltaToIceberg(
        deps,
        key,
        // Catalogs know tables by name, the file system by folder.
        { ...options, ...(deps.catalog === undefined ? {} : { name }) },
        signal,
      ),
  }
}

async function optimize(
  table: DeltaTable,
  request: OptimizeRequest,
  signal: AbortSignal | undefined,
): Promise<OptimizeReport> {
  if (request.isOfManifests === true)
    throw new TableMismatchError(`Optimizing ${table.location}`, [
      'a Delta table has no manifests; its checkpoints are written by themselves',
    ])
  const { version, groups } = await table.optimize(groupedRequest(request), signal)
  return { version, groups }
}

async function expire(
  table: DeltaTable,
  { ageMaxMs, countMin, countMax, ...request }: ExpireRequest,
  signal: AbortSignal | undefined,
): Promise<ExpireReport> {
  const { files, bytes, isPartial } = await table.cleanLog(
    {
      ...removalRequest({
        ...request,
        ...(countMax === undefined ? {} : { fileCountMax: countMax }),
      }),
      ...(ageMaxMs === undefined ? {} : { ageMaxMs }),
      ...(countMin === undefined ? {} : { versionCountMin: countMin }),
    },
    signal,
  )
  const status = request.dryRun ? 'planned' : 'done'
  return { status, snapshotIds: [], files, bytes, isPartial }
}

async function vacuum(
  table: DeltaTable,
  request: VacuumRequest,
  signal: AbortSignal | undefined,
): Promise<VacuumReport> {
  const { ageMinMs, allowsShortAge, dryRun } = request
  const { files, bytes, isPartial } = await table.vacuum(
    {
      ...removalRequest(request),
      ...(ageMinMs === undefined ? {} : { retentionMs: ageMinMs }),
      allowsShortRetention: allowsShortAge,
    },
    signal,
  )
  return { status: dryRun ? 'planned' : 'done', files, bytes, isPartial }
}

async function restore(
  table: DeltaTable,
  { name, point, dryRun }: { name: string; point: TablePoint; dryRun: boolean },
  signal: AbortSignal | undefined,
): Promise<RestoreReport> {
  const outcome = await table.restore({ ...selected(point, name), dryRun }, signal)
  if (!('metrics' in outcome)) {
    const message = outcome.status === 'conflict' ? outcome.message : undefined
    return notRestored(point, { status: outcome.status, version: outcome.version, message })
  }
  const { restoredVersion, addedFileCount, removedFileCount } = outcome.metrics
  return {
    status: outcome.status,
    restored: restoredVersion,
    version: outcome.version,
    ...{ filesAdded: addedFileCount, filesRemoved: removedFileCount },
    message: undefined,
  }
}

function selected(point: TablePoint | undefined, name: string): SnapshotOptions {
  if (point === undefined) return {}
  if ('atMs' in point) return point
  if ('version' in point) return { version: Number(point.version) }
  throw new TableMismatchError(`Reading ${name} at ${JSON.stringify(point.ref)}`, [
    'Delta tables have versions and times, and no branches or tags',
  ])
}

/** A snapshot as people and hops see it. */
export function deltaState(snapshot: DeltaSnapshot): TableState {
  const { version, id, columns, partitionBy, properties, description, createdMs } = snapshot
  const { minReaderVersion: reader, minWriterVersion: writer } = snapshot.protocol
  return {
    format: 'delta',
    ...{ version, id, columns, partitionBy, description, createdMs },
    properties: properties as Readonly<Record<string, string>>,
    details: { protocol: { reader, writer } },
    size: async () => ({
      rows: await snapshot.rowCount(),
      files: snapshot.fileCount,
      bytes: snapshot.bytes,
    }),
    partitions: async () => partitionsOfPlan(await snapshot.plan()),
    transactions: () => snapshot.transactions(),
    plan: (options) => snapshot.plan(options),
  }
}

function commitOf(entry: HistoryEntry): TableCommit {
  const { numOutputRows: rows, numOutputBytes: bytes } = entry.operationMetrics
  return {
    version: entry.version,
    committedMs: entry.timestampMs,
    operation: entry.operation,
    rowsAdded: rows === undefined ? undefined : Number(rows),
    bytesAdded: bytes === undefined ? undefined : Number(bytes),
    filesAdded: entry.addedFileCount,
    filesRemoved: entry.removedFileCount,
    engine: entry.engineInfo,
    parameters: entry.operationParameters,
  }
}
