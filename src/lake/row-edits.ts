import type { Predicate } from '../model/predicate.ts'
import type { Relation } from '../model/relation.ts'
import type { JoinOn, RowClause } from '../model/row-edit.ts'
import type { ScanColumn, ScanPlan } from '../model/scan-plan.ts'
import { MergeAmbiguousError } from './errors.ts'
import { unionOfPositions } from './positions.ts'
import type { RowEdits, RowsPort } from './rows-port.ts'

/**
 * Statements that change rows (delete, update, merge, overwrite by predicate) as far as they are the same in every table
 * format: which files are looked into, which rows of them are concerned, and what becomes of each file. How
 * a format marks rows as gone, and what its commit looks like, is its own affair.
 */
export interface RowStatement {
  readonly operation: 'DELETE' | 'UPDATE' | 'MERGE' | 'WRITE'
  /** For a table's history. */
  readonly operationParameters: Readonly<Record<string, string>>
  readonly clauses: readonly RowClause[]
  /** True for every target row that the statement can concern. Default: nothing is known. */
  readonly predicate?: Predicate | undefined
  /** Whether the clauses delete exactly the rows that `predicate` is true for; all rows when there is none. */
  readonly deletesPredicate?: boolean
  readonly source?: { readonly relation: Relation; readonly on: JoinOn }
  /** Rows to add besides, in the table's columns. */
  readonly appended?: Relation
}

export interface EditMetrics {
  readonly deletedRowCount: number
  readonly updatedRowCount: number
  readonly insertedRowCount: number
  /** Files looked into, out of all that the table has. */
  readonly scannedFileCount: number
  readonly addedFileCount: number
  readonly removedFileCount: number
  /** Files that stay, with rows marked as gone. */
  readonly markedFileCount: number
  readonly addedBytes: number
}

/** Where a statement's rows may be. */
export interface EditTarget {
  /** Files that may hold rows that `RowStatement.predicate` is true for. */
  readonly plan: ScanPlan
  /** For each of the plan's files, whether the predicate is true for all of its rows. */
  readonly isSure: readonly boolean[]
  /** All columns of the table. */
  readonly columns: readonly ScanColumn[]
}

export interface FoundEdits extends AsyncDisposable {
  /** Places in the plan of files whose rows all go, which nobody had to look into. */
  readonly gone: readonly number[]
  /** Places in the plan of the files that were looked into: what `RowEdits` calls file 0, 1, … */
  readonly looked: readonly number[]
  readonly edits: RowEdits
}

/**
 * Find the rows that a statement concerns.
 * @param looksIntoAll whether to look also into files that go as a whole, because what they hold matters
 * @throws MergeAmbiguousError
 */
export async function findRowEdits(
  rows: RowsPort,
  { plan, isSure, columns }: EditTarget,
  statement: RowStatement,
  looksIntoAll: boolean,
  signal?: AbortSignal,
): Promise<FoundEdits> {
  const { source, clauses, deletesPredicate = false } = statement
  const isWhole = isSure.map((sure) => deletesPredicate && sure && !looksIntoAll)
  const looked = plan.files.flatMap((_, place) => (isWhole[place] ? [] : [place]))
  const target = {
    ...plan,
    columns,
    residual: undefined,
    residualColumns: [],
    files: looked.map((place) => plan.files[place]!),
  }
  const edits = await rows.findEdits(
    { target, clauses, ...(source === undefined ? {} : { source }) },
    signal,
  )
  if (edits.ambiguousCount > 0) {
    await edits[Symbol.asyncDispose]()
    throw new MergeAmbiguousError(plan.table, edits.ambiguousCount)
  }
  return {
    gone: plan.files.flatMap((_, place) => (isWhole[place] ? [place] : [])),
    looked,
    edits,
    [Symbol.asyncDispose]: () => edits[Symbol.asyncDispose](),
  }
}

/** What becomes of a file that loses rows: all of them are gone, it is written anew, or the rows are marked as gone. */
export interface FileMark {
  readonly kind: 'remove' | 'rewrite' | 'mark'
  /** As `RowEdits` numbers the files that were looked into. */
  readonly file: number
  /** Its place in the plan. */
  readonly place: number
  /** Rows that go now. */
  readonly removedCount: number
  /** All rows that are gone, those that went before too. */
  readonly positions: Float64Array
}

/** One file after the other, so that no more than one file's rows are held. */
export async function* fileMarks(
  { looked, edits }: FoundEdits,
  plan: ScanPlan,
  mayMark: (place: number) => boolean,
  signal?: AbortSignal,
): AsyncGenerator<FileMark> {
  for await (const { file, positions } of edits.removedRows(signal)) {
    const place = looked[file]!
    const { rowCount, deletedRows } = plan.files[place]!
    const all = unionOfPositions(deletedRows?.positions ?? new Float64Array(0), positions)
    const kind = all.length === rowCount ? 'remove' : mayMark(place) ? 'mark' : 'rewrite'
    yield { kind, file, place, removedCount: positions.length, positions: all }
  }
}
