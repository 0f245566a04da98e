import type { Predicate, Value } from './predicate.ts'

/**
 * What a statement does to the rows of a table, as plain values: a lake finds the files it concerns, a compute engine finds
 * the rows and makes the new ones. `DELETE`, `UPDATE` and `MERGE` are all lists of clauses over one target and at most one source.
 */
export type RowClause =
  | {
      /** `matched`: for a target row with a source row. `not_matched_by_source`: for a target row without, or when there is no source. */
      readonly when: 'matched' | 'not_matched_by_source'
      /** Default: always. `source_differs` is for `matched` alone. */
      readonly condition?: Condition | SourceDiffers
      readonly do: 'delete' | { readonly set: Assignments }
    }
  | {
      /** For a source row without a target row. */
      readonly when: 'not_matched'
      readonly condition?: Condition
      /** A value for each column of the target; those that are not named become null. */
      readonly insert: Assignments
    }

export type Assignments = Readonly<Record<string, RowExpression>>

/** `null` is SQL's null. Values are cast to the type of the column they go to; what does not fit is an error. */
export type RowExpression =
  | SqlText
  | Value
  | { readonly kind: 'source_column'; readonly name: string }
  | null

/** Predicates are over the target's columns; SQL is over `target` and `source`, or bare names where only one is in play. */
export type Condition = Predicate | SqlText

/** Whether the source row, as it would be stored, differs from the target row in one of these columns; null equals null. */
export interface SourceDiffers {
  readonly kind: 'source_differs'
  readonly columns: readonly string[]
}

/** Text in the dialect of the compute engine. */
export interface SqlText {
  readonly kind: 'sql'
  readonly text: string
}

export const sql = (text: string): SqlText => ({ kind: 'sql', text })

/** Which target and source rows belong together: columns of the same name that are equal and not null, a condition, or both. */
export interface JoinOn {
  readonly keys: readonly string[]
  readonly condition?: SqlText
}

/** Changed rows carry these beside the table's own columns (Delta's names, PROTOCOL.md "Change Data Files"). */
export const CHANGE_TYPE_COLUMN = '_change_type'
export type ChangeType = 'insert' | 'delete' | 'update_preimage' | 'update_postimage'
