import type { ColumnType } from '../model/column.ts'
import type { Relation } from '../model/relation.ts'
import type { Condition, JoinOn, RowClause } from '../model/row-edit.ts'
import type { ScanPlan } from '../model/scan-plan.ts'

/**
 * What the lake asks of a compute engine about rows: which rows of some files a statement concerns, and relations of
 * rows that are read from files. Nothing is copied but what the engine needs to remember, and that may spill.
 */
export interface RowsPort {
  /** Find the rows that clauses concern. Dispose of the answer when its relations are no longer read. */
  findEdits(request: EditRequest, signal?: AbortSignal): Promise<RowEdits>

  /** The rows of a plan as a relation, read from the files each time the relation is. */
  planRelation(request: PlanRelationRequest, signal?: AbortSignal): Promise<HeldRelation>

  /** A relation with other names, as files have them, with values worked out, and nothing else changed. */
  derivedRelation(request: DerivedRequest, signal?: AbortSignal): Promise<HeldRelation>

  /** What is in a column of a relation, as text; `undefined` when there is nothing but nulls. */
  valuesIn(request: ValuesRequest, signal?: AbortSignal): Promise<ColumnValues | undefined>

  /**
   * How many rows of a relation break each condition. SQL that yields null is kept, as SQL's CHECK has it; a predicate
   * must be true.
   */
  countViolations(
    relation: Relation,
    checks: readonly Condition[],
    signal?: AbortSignal,
  ): Promise<readonly number[]>
}

/** A relation that takes room until it is disposed of. Its `rowCount` may be too high where the rows were not counted. */
export interface HeldRelation extends AsyncDisposable {
  readonly relation: Relation
}

export interface EditRequest {
  /** All columns of the files that may hold rows concerned, and no residual. */
  readonly target: ScanPlan
  /** Absent for statements without one; then there is no `on` and only `not_matched_by_source`. */
  readonly source?: { readonly relation: Relation; readonly on: JoinOn }
  /** The first whose condition is true counts. */
  readonly clauses: readonly RowClause[]
}

export interface RowEdits extends AsyncDisposable {
  readonly deletedCount: number
  readonly updatedCount: number
  readonly insertedCount: number
  /** Target rows that several source rows want to change: the statement has no one answer. */
  readonly ambiguousCount: number
  /** Target rows that are deleted or updated, by the place of their file in the plan; each file once, positions ascending. */
  removedRows(
    signal?: AbortSignal,
  ): AsyncIterable<{ readonly file: number; readonly positions: Float64Array }>
  /**
   * The same for some files as a relation of three columns under the names given: the file's `path`, the row's position (int64), and
   * `group` (int32), a number that tells which rows belong into one file.
   */
  removedPlaces(
    files: readonly RemovedFile[],
    names: { readonly path: string; readonly position: string; readonly group: string },
    signal?: AbortSignal,
  ): Promise<Relation>
  /** New rows in the target's columns: the updated and the inserted ones, and what stays in the files of `rewrite`. */
  newRows(rewrite: readonly number[], signal?: AbortSignal): Promise<Relation>
  /** Every change as a row, with `_change_type`: those that were there before, then those that are there now. To be read one after the other. */
  changedRows(signal?: AbortSignal): Promise<readonly Relation[]>
}

/** One file of `RowEdits.removedPlaces`. */
export interface RemovedFile {
  /** Its place in the plan. */
  readonly file: number
  /** What it is called in the relation. */
  readonly path: string
  readonly group: number
}

export interface PlanRelationRequest {
  readonly plan: ScanPlan
  /** Adds a column whose order interleaves the bits of these columns' ranks (Z-order). */
  readonly zOrder?: { readonly by: readonly string[]; readonly as: string }
}

export interface DerivedRequest {
  readonly relation: Relation
  /** Every column of the result, in order. */
  readonly columns: readonly DerivedColumn[]
}

export interface DerivedColumn {
  readonly name: string
  readonly type: ColumnType
  /** A column of the relation, whose type differs in names and width alone; or SQL over the relation. */
  readonly from: { readonly column: string } | { readonly sql: string }
}

export interface ValuesRequest {
  readonly relation: Relation
  readonly column: string
  /** Above so many distinct values, only their bounds are given. */
  readonly valueCountMax: number
}

export interface ColumnValues {
  readonly min: string
  readonly max: string
  readonly values?: readonly string[]
}
