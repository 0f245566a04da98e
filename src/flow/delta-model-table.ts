import { createDeltaTable } from '../lake/delta/create.ts'
import type { EditOutcome } from '../lake/delta/edit-rows.ts'
import { type AppendOutcome, type DeltaTable, openDeltaTable } from '../lake/delta/table.ts'
import type { DeltaDeps } from '../lake/delta/table-log.ts'
import { ChangesMissingError } from '../lake/errors.ts'
import type { MergeClause, MergeOptions } from '../lake/row-statements.ts'
import { messageOf } from '../model/errors.ts'
import { sql } from '../model/row-edit.ts'
import { quoteIdentifier } from '../sql/duckdb/quote-identifier.ts'
import { ModelConflictError } from '../sql/models/errors.ts'
import { netChanges } from '../sql/models/net-changes.ts'
import type { ProgressStep } from '../sql/models/run-decision.ts'
import { tableKey } from './lake-home.ts'
import type { ModelTable, ModelWrite, ModelWritten, NewModelTable } from './model-lake.ts'

/** Rows that change are marked in their files, not copied with their neighbours: a run then writes what changed. */
const EDITED_TABLE_PROPERTIES = { 'delta.enableDeletionVectors': 'true' }

/** Make the empty Delta table of a model. */
export async function createDeltaModelTable(deps: DeltaDeps, table: NewModelTable): Promise<void> {
  const { name, columns, partitionBy, properties } = table
  const outcome = await createDeltaTable(deps, tableKey(name), {
    ...{ name, columns, partitionBy },
    properties: { ...EDITED_TABLE_PROPERTIES, ...properties },
  })
  if (outcome.status === 'unknown')
    throw new ModelConflictError(
      `Whether the table ${name} was made is not known: ${messageOf(outcome.cause)}. The next run finds out.`,
      { cause: outcome.cause },
    )
}

/** A Delta table as models see it. @throws TableMissingError */
export async function deltaModelTable(deps: DeltaDeps, name: string): Promise<ModelTable> {
  const table = await openDeltaTable(deps, tableKey(name))
  const snapshot = await table.snapshot()
  const { version, id, columns, partitionBy } = snapshot
  return {
    ...{ name, id, version, columns, partitionBy },
    progress: new Map(snapshot.transactions()),
    plan: (predicate) => snapshot.plan(predicate === undefined ? {} : { predicate }),
    async changesSince(from, upTo = version) {
      try {
        return netChanges(await table.changes({ from: from + 1, to: upTo }))
      } catch (error) {
        if (error instanceof ChangesMissingError) return undefined
        throw error
      }
    },
    size: async () => ({ rows: await snapshot.rowCount(), bytes: snapshot.bytes }),
    write: async (write, steps, signal) => written(name, await commit(table, write, steps, signal)),
  }
}

type Outcome = EditOutcome | (AppendOutcome & { readonly metrics?: AppendMetrics })
interface AppendMetrics {
  readonly rows: number
  readonly files: number
  readonly bytes: number
}

async function commit(
  table: DeltaTable,
  write: ModelWrite,
  steps: readonly ProgressStep[],
  signal: AbortSignal,
): Promise<Outcome> {
  const options = { transactions: steps }
  switch (write.kind) {
    case 'nothing':
      return table.commitAppend(undefined, options, signal)
    case 'append': {
      const prepared = await table.prepareAppend(write.rows, {}, signal)
      const { rowCount: rows, adds, bytes } = prepared
      const outcome = await table.commitAppend(prepared, options, signal)
      return { ...outcome, metrics: { rows, files: adds.length, bytes } }
    }
    case 'replace': {
      const { rows, columns, partitionBy } = write
      return write.isOther
        ? table.replace(rows, { ...options, columns, partitionBy }, signal)
        : table.overwrite(rows, options, signal)
    }
    case 'replace_where':
      return table.overwrite(write.rows, { ...options, where: write.where }, signal)
    case 'merge':
      return table.merge({ ...options, ...mergeOf(write) }, signal)
    case 'upsert_and_delete': {
      const { rows, key, goneColumn } = write
      const gone = sql(`source.${quoteIdentifier(goneColumn)}`)
      const clauses: MergeClause[] = [
        { when: 'matched', condition: gone, do: 'delete' },
        { when: 'matched', do: 'update' },
        INSERT_NEW,
      ]
      return table.merge({ ...options, source: rows, on: { keys: key }, clauses }, signal)
    }
  }
}

export const INSERT_NEW: MergeClause = { when: 'not_matched', do: 'insert' }

/** A model's merge as a statement, in either format. */
export function mergeOf({
  rows,
  key,
  whenMatched,
  goneColumn,
}: Extract<ModelWrite, { kind: 'merge' }>): MergeOptions {
  const updates = whenMatched === 'keep' ? [] : [updateChanged(rows.columns, [...key, goneColumn])]
  const merge = { source: rows, on: { keys: key } }
  if (goneColumn === undefined) return { ...merge, clauses: [...updates, INSERT_NEW] }
  const gone = `source.${quoteIdentifier(goneColumn)}`
  return {
    ...merge,
    clauses: [
      { when: 'matched', condition: sql(gone), do: 'delete' },
      ...updates,
      { ...INSERT_NEW, condition: sql(`NOT ${gone}`) },
    ],
  }
}

/** A row that is the same again is left alone, so that a run which finds nothing new writes nothing. */
function updateChanged(
  columns: readonly { readonly name: string }[],
  without: readonly (string | undefined)[],
): MergeClause {
  const others = columns
    .filter(({ name }) => !without.includes(name))
    .map(({ name }) => quoteIdentifier(name))
  const differs = others.map((name) => `target.${name} IS DISTINCT FROM source.${name}`)
  return { when: 'matched', condition: sql(differs.join(' OR ') || 'false'), do: 'update' }
}

function written(name: string, outcome: Outcome): ModelWritten {
  switch (outcome.status) {
    case 'conflict':
      throw new ModelConflictError(
        `Writing ${name}: ${outcome.message}. Nothing was written; the next run begins from what is there.`,
      )
    case 'unknown':
      throw new ModelConflictError(
        `Whether the commit to ${name} arrived is not known: ${messageOf(outcome.cause)}. The next run finds out.`,
        { cause: outcome.cause },
      )
  }
  const { version, metrics } = outcome
  const none = { rowsChanged: 0, rowsRemoved: 0, filesRemoved: 0 }
  if (metrics === undefined)
    return { version, ...none, rowsAdded: 0, filesWritten: 0, bytesWritten: 0 }
  if ('files' in metrics)
    return {
      ...{ version, ...none, rowsAdded: metrics.rows },
      ...{ filesWritten: metrics.files, bytesWritten: metrics.bytes },
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
