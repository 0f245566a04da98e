import type { HistoryEntry as DeltaHistoryEntry } from '../lake/delta/history.ts'
import type { DeltaSnapshot } from '../lake/delta/snapshot.ts'
import type { HistoryEntry as IcebergHistoryEntry } from '../lake/iceberg/history.ts'
import type { IcebergSnapshot } from '../lake/iceberg/snapshot-view.ts'
import type { Columns } from '../model/column.ts'
import type { ScanPlan } from '../model/scan-plan.ts'

/** The formats that a table of the lake may have. */
export type LakeFormat = 'delta' | 'iceberg'

/** One state of a table, as people and questions see it, whichever its format. */
export interface LakeSnapshot {
  readonly format: LakeFormat
  /** The table's own id, a UUID. */
  readonly id: string
  /** Ascending with every commit: Delta's version, Iceberg's sequence number (0 before the first commit). */
  readonly version: number
  /** Iceberg's own name of the state; `undefined` for Delta and for a table without commits. */
  readonly snapshotId: string | undefined
  readonly columns: Columns
  /** Names of partition columns; transforms of Iceberg as `day(event_time)`. */
  readonly partitionBy: readonly string[]
  readonly properties: Readonly<Record<string, string>>
  readonly description: string | undefined
  /** Iceberg does not say. */
  readonly createdMs: number | undefined
  /** What a reader and a writer must know of the format: Delta's two protocol versions, Iceberg's format version twice. */
  readonly protocol: { readonly reader: number; readonly writer: number }
  readonly fileCount: number
  /** Of all data files together. */
  readonly bytes: number
  /** `undefined` when metadata alone cannot tell: a file has no statistics, or rows were deleted beside the files. */
  rowCount(): Promise<number | undefined>
  /** Every application id with the version it last committed. */
  transactions(): Iterable<readonly [appId: string, version: number]>
  /** What to read for all rows and columns. */
  plan(): Promise<ScanPlan>
}

/** One commit of a table, whichever its format. */
export interface LakeCommit {
  readonly version: number
  readonly snapshotId: string | undefined
  readonly committedMs: number
  readonly operation: string | undefined
  readonly rowsAdded: number | undefined
  readonly bytesAdded: number | undefined
  readonly filesAdded: number
  readonly filesRemoved: number
  readonly engine: string | undefined
  readonly parameters: Readonly<Record<string, unknown>>
}

export function deltaSnapshot(snapshot: DeltaSnapshot): LakeSnapshot {
  const { protocol } = snapshot
  return {
    format: 'delta',
    id: snapshot.id,
    snapshotId: undefined,
    version: snapshot.version,
    columns: snapshot.columns,
    partitionBy: snapshot.partitionBy,
    properties: snapshot.properties,
    description: snapshot.description,
    createdMs: snapshot.createdMs,
    protocol: { reader: protocol.minReaderVersion, writer: protocol.minWriterVersion },
    fileCount: snapshot.fileCount,
    bytes: snapshot.bytes,
    rowCount: () => snapshot.rowCount(),
    transactions: () => snapshot.transactions(),
    plan: () => snapshot.plan(),
  }
}

/** Looks into the manifests when the snapshot's writer left no totals. */
export async function icebergSnapshot(snapshot: IcebergSnapshot): Promise<LakeSnapshot> {
  const { summary, formatVersion } = snapshot
  const totals = totalsOf(summary) ?? (await countFiles(snapshot))
  return {
    format: 'iceberg',
    id: snapshot.id,
    version: snapshot.sequenceNumber,
    snapshotId: snapshot.snapshotId?.toString(),
    columns: snapshot.columns,
    partitionBy: snapshot.partitionBy,
    properties: snapshot.properties,
    description: snapshot.properties.comment,
    createdMs: undefined,
    protocol: { reader: formatVersion, writer: formatVersion },
    fileCount: totals.files,
    bytes: totals.bytes,
    rowCount: async () => (totals.deleteFiles === 0 ? totals.rows : undefined),
    transactions: () => snapshot.transactions(),
    plan: () => snapshot.plan(),
  }
}

interface Totals {
  readonly files: number
  readonly deleteFiles: number
  readonly rows: number
  readonly bytes: number
}

function totalsOf(summary: Readonly<Record<string, string>>): Totals | undefined {
  const totals = {
    files: Number(summary['total-data-files']),
    deleteFiles: Number(summary['total-delete-files']),
    rows: Number(summary['total-records']),
    bytes: Number(summary['total-files-size']),
  }
  return Object.values(totals).every(Number.isSafeInteger) ? totals : undefined
}

async function countFiles(snapshot: IcebergSnapshot): Promise<Totals> {
  const totals = { files: 0, deleteFiles: 0, rows: 0, bytes: 0 }
  for await (const { content, recordCount, bytes } of snapshot.files()) {
    totals.bytes += bytes
    if (content === 'data') {
      totals.files += 1
      totals.rows += recordCount
    } else totals.deleteFiles += 1
  }
  return totals
}

export function deltaCommit(entry: DeltaHistoryEntry): LakeCommit {
  const { numOutputRows: rows, numOutputBytes: bytes } = entry.operationMetrics
  return {
    version: entry.version,
    snapshotId: undefined,
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

export function icebergCommit({ summary, ...entry }: IcebergHistoryEntry): LakeCommit {
  const count = (name: string) => Number(summary[name] ?? 0)
  const engine = [summary['engine-name'], summary['engine-version']].filter(Boolean).join('/')
  return {
    version: entry.sequenceNumber,
    snapshotId: entry.snapshotId.toString(),
    committedMs: entry.committedMs,
    operation: entry.operation,
    rowsAdded: count('added-records'),
    bytesAdded: count('added-files-size'),
    filesAdded: count('added-data-files') + count('added-delete-files'),
    filesRemoved: count('deleted-data-files') + count('removed-delete-files'),
    engine: engine === '' ? undefined : engine,
    parameters: {},
  }
}
