import type { ConvertOutcome } from '../lake/convert/convert.ts'
import type { ChangePlan } from '../model/change-plan.ts'
import type { Columns } from '../model/column.ts'
import type { Predicate } from '../model/predicate.ts'
import type { ScanPlan } from '../model/scan-plan.ts'
import type { TablePartitions } from './table-partitions.ts'

// A lake table as the surfaces drive it, whatever its format: commands, SQL and the HTTP API ask a door and never the format behind
// it. `delta-door.ts` and `iceberg-door.ts` make doors; `lake-catalog.ts` opens them by name, `table-at-path.ts` by path. A door
// keeps nothing that the table does not keep, so a crash loses nothing here.

export type TableFormat = 'delta' | 'iceberg'

/** Which state of a table. */
export type TablePoint =
  /** A Delta table's version, an Iceberg table's snapshot id. */
  | { readonly version: bigint }
  /** What was current then, milliseconds since 1970. */
  | { readonly atMs: number }
  /** A branch or tag of an Iceberg table. */
  | { readonly ref: string }

export interface TableDoor {
  readonly format: TableFormat
  /** As people named it: `layer.name`, or a path. */
  readonly name: string
  /** By default the newest state. @throws SnapshotMissingError, TableMismatchError when the format has no such point */
  state(point?: TablePoint): Promise<TableState>
  /** Newest first. */
  history(limit: number): Promise<readonly TableCommit[]>
  /** Write small files into large ones, lay rows by columns. @throws TableMismatchError */
  optimize(request: OptimizeRequest, signal?: AbortSignal): Promise<OptimizeReport>
  /** Forget old states: Iceberg's snapshots with the files that only they needed, Delta's old log. */
  expire(request: ExpireRequest, signal?: AbortSignal): Promise<ExpireReport>
  /** Remove files that no kept state needs. @throws TableMismatchError when the age is too short */
  vacuum(request: VacuumRequest, signal?: AbortSignal): Promise<VacuumReport>
  /** What commits did to the rows. @throws ChangesMissingError */
  changes(request: ChangesRequest, signal?: AbortSignal): Promise<ChangePlan>
  /** Make the table what it was, by a new commit. @throws SnapshotMissingError */
  restore(
    point: TablePoint,
    options: { readonly dryRun: boolean },
    signal?: AbortSignal,
  ): Promise<RestoreReport>
  /** Make a table of the other format over the same data files. @throws TableUnsupportedError naming what it cannot tell */
  convert(options: { readonly dryRun: boolean }, signal?: AbortSignal): Promise<ConvertOutcome>
}

/** One committed state of a table. Never changes. */
export interface TableState {
  readonly format: TableFormat
  /** Delta's version; Iceberg's snapshot id, `undefined` before the first snapshot. */
  readonly version: number | bigint | undefined
  /** The table's own id, a UUID. */
  readonly id: string
  readonly columns: Columns
  /** Columns, or transforms of columns: `day(event_time)`. */
  readonly partitionBy: readonly string[]
  readonly properties: Readonly<Record<string, string>>
  readonly description: string | undefined
  /** Milliseconds since 1970. */
  readonly createdMs: number | undefined
  /** What is the format's own, for people and programs: protocol versions, branches. Snake case. */
  readonly details: Readonly<Record<string, unknown>>
  /** May look at the statistics of all files. */
  size(): Promise<TableSize>
  /** How its files are divided. May read all that the table knows of its files. */
  partitions(): Promise<TablePartitions>
  /** Every application id with its version. */
  transactions(): Iterable<readonly [appId: string, version: number]>
  plan(options?: { readonly predicate?: Predicate }): Promise<ScanPlan>
}

export interface TableSize {
  /** `undefined` when some file does not say, or rows are deleted by value. */
  readonly rows: number | undefined
  readonly files: number
  /** Of all data files together. */
  readonly bytes: number
}

/** One commit, for people. */
export interface TableCommit {
  readonly version: number | bigint
  /** Milliseconds since 1970. */
  readonly committedMs: number
  readonly operation: string | undefined
  readonly rowsAdded: number | undefined
  readonly bytesAdded: number | undefined
  readonly filesAdded: number
  readonly filesRemoved: number
  readonly engine: string | undefined
  readonly parameters: Readonly<Record<string, unknown>>
}

// What keeps a table in shape. Every action can be tried without doing it; the report is the same either way. Reports name files by their
// path in the table.

export interface OptimizeRequest {
  /** Over partition columns. Default: everything. */
  readonly where?: Predicate
  /** Default: the format's own. */
  readonly fileBytesTarget?: number
  /** So many files at least make a group worth writing. */
  readonly fileCountMin?: number
  readonly sortBy?: readonly string[]
  readonly zOrderBy?: readonly string[]
  /** The lists of an Iceberg table's files instead of the files; with nothing but a budget. */
  readonly isOfManifests?: boolean
  /** No group of files is begun that would bring what is read above this. Default: no limit. */
  readonly bytesMax?: number
  readonly dryRun: boolean
  readonly onProgress?: (progress: Progress) => void
}

/** How far long work has come. */
export interface Progress {
  readonly done: number
  readonly count: number
  readonly bytesDone?: number
}

export interface OptimizeReport {
  /** Of the newest commit that was made, or looked at. */
  readonly version: number | bigint | undefined
  readonly groups: readonly OptimizedGroup[]
}

export interface OptimizedGroup {
  /** `over_budget` was left for the next run; `conflict`: others changed the files meanwhile; `unknown`: no answer came. */
  readonly status: 'committed' | 'planned' | 'over_budget' | 'conflict' | 'unknown'
  /** Files that are written anew. */
  readonly files: readonly FileSize[]
  readonly bytes: number
  readonly addedFileCount: number
  readonly addedBytes: number
}

export interface ExpireRequest {
  /** What is older may go. Default: the table's own. */
  readonly ageMaxMs?: number
  /** So many states stay, however old. */
  readonly countMin?: number
  /** At most so many snapshots of Iceberg, or log files of Delta, the oldest first. Default: no limit. */
  readonly countMax?: number
  readonly dryRun: boolean
  readonly onProgress?: (progress: Progress) => void
}

export interface ExpireReport {
  readonly status: 'done' | 'planned' | 'conflict' | 'unknown'
  /** Iceberg snapshots that are forgotten; for Delta the versions are told by the log files. */
  readonly snapshotIds: readonly bigint[]
  readonly files: readonly FileSize[]
  readonly bytes: number
  /** Whether more could go than `countMax` let. */
  readonly isPartial: boolean
}

export interface VacuumRequest {
  /** Files younger than this stay. Default: the table's own, else the format's. */
  readonly ageMinMs?: number
  /** Take an age below the table's own. Slow writers and readers of the past may lose files. */
  readonly allowsShortAge: boolean
  readonly fileCountMax?: number
  readonly dryRun: boolean
  readonly onProgress?: (progress: Progress) => void
}

export interface VacuumReport {
  readonly status: 'done' | 'planned'
  readonly files: readonly FileSize[]
  readonly bytes: number
  /** Whether more could go than `fileCountMax` let. */
  readonly isPartial: boolean
}

export interface FileSize {
  readonly path: string
  readonly bytes: number
}

export interface ChangesRequest {
  /** First version whose changes are wanted, inclusive; a snapshot id for Iceberg. */
  readonly from: bigint
  /** Inclusive. Default: the newest. */
  readonly to?: bigint
}

export interface RestoreReport {
  readonly status: 'committed' | 'planned' | 'unchanged' | 'conflict' | 'unknown'
  /** What the table was made to be again. */
  readonly restored: number | bigint
  /** The newest version now. */
  readonly version: number | bigint | undefined
  readonly filesAdded: number
  readonly filesRemoved: number
  /** Why not, for people. */
  readonly message: string | undefined
}
