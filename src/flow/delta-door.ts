import type { HistoryEntry } from '../lake/delta/history.ts'
import type { DeltaSnapshot } from '../lake/delta/snapshot.ts'
import { type DeltaTable, openDeltaTable, type SnapshotOptions } from '../lake/delta/table.ts'
import type { DeltaDeps } from '../lake/delta/table-log.ts'
import { TableMismatchError } from '../lake/errors.ts'
import type { TableCommit, TableDoor, TablePoint, TableState } from './table-door.ts'

export interface DoorPlace {
  /** As people named it. */
  readonly name: string
  /** Of the table's folder in the store. */
  readonly key: string
}

/** A Delta table as a door. @throws TableMissingError, TableBrokenError, TableUnsupportedError */
export async function deltaDoor(deps: DeltaDeps, { name, key }: DoorPlace): Promise<TableDoor> {
  const table: DeltaTable = await openDeltaTable(deps, key)
  return {
    format: 'delta',
    name,
    state: async (point) => stateOf(await table.snapshot(selected(point, name))),
    history: async (limit) => (await table.history({ limit })).map(commitOf),
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

function stateOf(snapshot: DeltaSnapshot): TableState {
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
