import type { Columns } from './column.ts'
import { CHANGE_TYPE_COLUMN, type ChangeType } from './row-edit.ts'
import type { ScanPlan } from './scan-plan.ts'

/**
 * What to read to get the rows that some commits changed. A lake makes it, a compute engine compiles it; it holds good as long as
 * the files stand.
 */
export interface ChangePlan {
  /** What comes out: the table's columns as of the last commit, and those of `CHANGE_COLUMNS`. */
  readonly columns: Columns
  readonly parts: readonly ChangePart[]
}

/** Some changes of one commit. */
export interface ChangePart {
  /** As the format numbers its commits: Delta's version, Iceberg's snapshot id. */
  readonly version: number | bigint
  /** Milliseconds since 1970. */
  readonly timestampMs: number
  /** `files` when the files say it row by row, in `_change_type`. */
  readonly type: ChangeType | 'files'
  readonly plan: ScanPlan
  /** Rows that the commit also wrote back as they were: to be left out, each as often as it is there. */
  readonly except?: ScanPlan
  /**
   * Rows whose key is also among those that the same commit inserted (for a part of deletes) or deleted (for one of inserts) are
   * what an update found or left.
   */
  readonly pairs?: {
    readonly keys: readonly string[]
    readonly plan: ScanPlan
    readonly except?: ScanPlan
  }
}

export const CHANGE_COLUMNS = [
  {
    name: CHANGE_TYPE_COLUMN,
    type: 'string',
    nullable: false,
    doc: 'insert, delete, update_preimage or update_postimage.',
  },
  { name: '_commit_version', type: 'int64', nullable: false, doc: 'Version that made the change.' },
  { name: '_commit_timestamp', type: 'timestamp', nullable: false, doc: 'When it was committed.' },
] as const satisfies Columns
