import type { Columns } from '../../model/column.ts'
import type { ScanPlan } from '../../model/scan-plan.ts'
import type {
  DeletionVectorDescriptor,
  MetadataAction,
  PartitionValues,
  ProtocolAction,
  StringMap,
} from './actions.ts'
import { liveRows } from './file-table.ts'
import type { LogReader } from './log-read.ts'
import type { LogState } from './log-state.ts'
import { checkReadable } from './protocol.ts'
import { countRows, planScan, type ScanOptions } from './scan.ts'
import { tableSchemaOf } from './table-schema.ts'

/** One version of a table, as it was committed. Never changes; costs nothing to keep but its memory. */
export interface DeltaSnapshot {
  readonly version: number
  /** The table's own id, a UUID. */
  readonly id: string
  readonly columns: Columns
  /** Names of the partition columns, in order. */
  readonly partitionBy: readonly string[]
  readonly properties: StringMap
  readonly description: string | undefined
  readonly createdMs: number | undefined
  readonly protocol: ProtocolAction
  readonly fileCount: number
  /** Of all data files together. */
  readonly bytes: number
  /** Rows, from statistics; `undefined` when some file has none. Looks at the statistics of all files. */
  rowCount(signal?: AbortSignal): Promise<number | undefined>
  /** Version that an application last committed under this id (`txn` action); `undefined` when it never did. */
  transaction(appId: string): number | undefined
  /** Every application id with its version. */
  transactions(): Iterable<readonly [appId: string, version: number]>
  files(): Iterable<DeltaFile>
  /** What to read for some rows and columns. @throws TableMismatchError, TableBrokenError */
  plan(options?: ScanOptions, signal?: AbortSignal): Promise<ScanPlan>
}

/** One logical file, as a value; for people and maintenance. Scans use the plan. */
export interface DeltaFile {
  /** Decoded; relative to the table, or absolute. */
  readonly path: string
  readonly bytes: number
  readonly modifiedMs: number
  /** By physical name, as the log has them. */
  readonly partitionValues: PartitionValues
  readonly deletionVector?: DeletionVectorDescriptor
}

/** @throws TableUnsupportedError, TableBrokenError */
export function snapshotOf(reader: LogReader, state: LogState): DeltaSnapshot {
  const { tableKey } = reader
  checkReadable(state.protocol, tableKey)
  const schema = tableSchemaOf(state, tableKey)
  const { files, transactions } = state
  const context = { ...reader, state, schema }
  const metadata: MetadataAction = state.metadata
  return Object.freeze({
    version: state.version,
    id: metadata.id,
    columns: schema.columns,
    partitionBy: schema.partitionColumns.map((column) => column.name),
    properties: metadata.configuration,
    description: metadata.description,
    createdMs: metadata.createdTime,
    protocol: state.protocol,
    fileCount: files.count,
    bytes: files.bytes,
    rowCount: (signal?: AbortSignal) => countRows(context, signal),
    transaction: (appId: string) => transactions.get(appId)?.version,
    *transactions() {
      for (const { appId, version } of transactions.values()) yield [appId, version] as const
    },
    *files() {
      for (const row of liveRows(files)) yield fileAt(state, row)
    },
    plan: (options?: ScanOptions, signal?: AbortSignal) => planScan(context, options, signal),
  })
}

function fileAt({ files: { table } }: LogState, row: number): DeltaFile {
  const deletionVector = table.deletionVectors.get(row)
  return {
    path: table.paths[row]!,
    bytes: table.sizes[row]!,
    modifiedMs: table.modificationTimes[row]!,
    partitionValues: table.partitions[table.partitionIds[row]!]!,
    ...(deletionVector === undefined ? {} : { deletionVector }),
  }
}
