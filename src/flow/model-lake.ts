import type { Columns } from '../model/column.ts'
import type { Predicate } from '../model/predicate.ts'
import type { Relation } from '../model/relation.ts'
import type { ScanPlan } from '../model/scan-plan.ts'
import type { NetChanges } from '../sql/models/net-changes.ts'
import type { Progress, ProgressStep, ReadVersion } from '../sql/models/run-decision.ts'

/** The lake as models need it, whatever the format of a table. */
export interface ModelLake {
  /** The table as it is now; `undefined` when there is none. */
  open(name: string): Promise<ModelTable | undefined>
  /** Make an empty table. One that somebody else made meanwhile is taken. */
  create(options: NewModelTable): Promise<ModelTable>
}

export interface NewModelTable {
  readonly name: string
  readonly format: 'delta' | 'iceberg'
  readonly columns: Columns
  readonly partitionBy: readonly string[]
  readonly properties: Readonly<Record<string, string>>
}

/** A table at the version at which it was opened; writes go on top of the newest. */
export interface ModelTable extends ReadVersion {
  readonly columns: Columns
  readonly partitionBy: readonly string[]
  readonly progress: Progress
  plan(predicate?: Predicate): Promise<ScanPlan>
  /** What came and went after a version, up to another or this one; `undefined` when that can no longer be told. */
  changesSince(version: number, upTo?: number): Promise<NetChanges | undefined>
  /** Rows where known, and the bytes of all files. */
  size(): Promise<{ readonly rows: number | undefined; readonly bytes: number }>
  /** One commit: the rows with the progress, or neither. @throws ModelConflictError */
  write(
    write: ModelWrite,
    steps: readonly ProgressStep[],
    signal: AbortSignal,
  ): Promise<ModelWritten>
}

export type ModelWrite =
  /** Progress alone. */
  | { readonly kind: 'nothing' }
  | { readonly kind: 'append'; readonly rows: Relation }
  /** All rows. */
  | {
      readonly kind: 'replace'
      readonly rows: Relation
      readonly columns: Columns
      readonly partitionBy: readonly string[]
      /** Columns or partitioning are not the table's: they change with the rows. */
      readonly isOther: boolean
    }
  | { readonly kind: 'replace_where'; readonly rows: Relation; readonly where: Predicate }
  | {
      readonly kind: 'merge'
      readonly rows: Relation
      readonly key: readonly string[]
      readonly whenMatched: 'update' | 'keep'
      /** Rows for which this column is true are keys to take away, where they are there. */
      readonly goneColumn?: string
    }
  /** Rows by key; those whose column `goneColumn` is true are taken away. */
  | {
      readonly kind: 'upsert_and_delete'
      readonly rows: Relation
      readonly key: readonly string[]
      readonly goneColumn: string
    }

export interface ModelWritten {
  readonly version: number
  readonly rowsAdded: number
  readonly rowsChanged: number
  readonly rowsRemoved: number
  readonly filesWritten: number
  readonly filesRemoved: number
  readonly bytesWritten: number
}
