import type { Columns } from '../model/column.ts'
import type { Predicate } from '../model/predicate.ts'
import type { ScanPlan } from '../model/scan-plan.ts'

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
