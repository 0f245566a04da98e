import type { MergeClause, MergeOptions } from '../lake/row-statements.ts'
import { messageOf } from '../model/errors.ts'
import { sql } from '../model/row-edit.ts'
import { quoteIdentifier } from '../sql/duckdb/quote-identifier.ts'
import { ModelConflictError } from '../sql/models/errors.ts'
import type { ModelWrite, ModelWritten } from './model-lake.ts'

// What writing a model's rows is in either format: the same statements, and the same words for what came of them.

const INSERT_NEW: MergeClause = { when: 'not_matched', do: 'insert' }

/** A row that is the same again is left alone, so that a run which finds nothing new writes nothing. */
function updateChanged(
  columns: readonly { readonly name: string }[],
  without: readonly (string | undefined)[],
): MergeClause {
  const others = columns.map(({ name }) => name).filter((name) => !without.includes(name))
  return { when: 'matched', condition: { kind: 'source_differs', columns: others }, do: 'update' }
}

type MergeWrite = Extract<ModelWrite, { kind: 'merge' | 'upsert_and_delete' }>

/** Rows by key, as the table's statement. */
export function mergeOf(write: MergeWrite): MergeOptions {
  const { rows: source, key } = write
  return { source, on: { keys: key }, clauses: clausesOf(write) }
}

function clausesOf(write: MergeWrite): readonly MergeClause[] {
  const { rows, key, goneColumn } = write
  const gone = goneColumn === undefined ? undefined : `source.${quoteIdentifier(goneColumn)}`
  const removal: readonly MergeClause[] =
    gone === undefined ? [] : [{ when: 'matched', condition: sql(gone), do: 'delete' }]
  if (write.kind === 'upsert_and_delete')
    return [...removal, { when: 'matched', do: 'update' }, INSERT_NEW]
  const updates =
    write.whenMatched === 'keep' ? [] : [updateChanged(rows.columns, [...key, goneColumn])]
  const insert = gone === undefined ? INSERT_NEW : { ...INSERT_NEW, condition: sql(`NOT ${gone}`) }
  return [...removal, ...updates, insert]
}

/** What a commit says, in either format. */
interface CommitOutcome {
  readonly status: string
  /** Of a conflict. */
  readonly message?: string
  /** Of an answer that did not come. */
  readonly cause?: unknown
}

type Committed<Outcome> = Exclude<Outcome, { readonly status: 'conflict' | 'unknown' }>

/** The outcome of a commit that is there. @throws ModelConflictError for any other */
export function committed<Outcome extends CommitOutcome>(
  name: string,
  outcome: Outcome,
): Committed<Outcome> {
  if (outcome.status === 'conflict')
    throw new ModelConflictError(
      `Writing ${name}: ${outcome.message}. Nothing was written; the next run begins from what is there.`,
    )
  if (outcome.status === 'unknown')
    throw new ModelConflictError(
      `Whether the commit to ${name} arrived is not known: ${messageOf(outcome.cause)}. The next run finds out.`,
      { cause: outcome.cause },
    )
  return outcome as Committed<Outcome>
}

/** @throws ModelConflictError when nobody knows whether the table was made */
export function checkMade(name: string, outcome: CommitOutcome): void {
  if (outcome.status !== 'unknown') return
  throw new ModelConflictError(
    `Whether the table ${name} was made is not known: ${messageOf(outcome.cause)}. The next run finds out.`,
    { cause: outcome.cause },
  )
}

export interface AppendMetrics {
  readonly rows: number
  readonly files: number
  readonly bytes: number
}

interface EditMetrics {
  readonly insertedRowCount: number
  readonly updatedRowCount: number
  readonly deletedRowCount: number
  readonly addedFileCount: number
  readonly removedFileCount: number
  readonly addedBytes: number
}

/** What a commit did, in the words of models. Without metrics it carried progress alone. */
export function writtenRows(
  version: number,
  metrics: AppendMetrics | EditMetrics | undefined,
): ModelWritten {
  const none = { version, rowsChanged: 0, rowsRemoved: 0, filesRemoved: 0 }
  if (metrics === undefined) return { ...none, rowsAdded: 0, filesWritten: 0, bytesWritten: 0 }
  if ('files' in metrics) {
    const { rows, files, bytes } = metrics
    return { ...none, rowsAdded: rows, filesWritten: files, bytesWritten: bytes }
  }
  return {
    version,
    rowsAdded: metrics.insertedRowCount,
    rowsChanged: metrics.updatedRowCount,
    rowsRemoved: metrics.deletedRowCount,
    filesWritten: metrics.addedFileCount,
    filesRemoved: metrics.removedFileCount,
    bytesWritten: metrics.addedBytes,
  }
}
