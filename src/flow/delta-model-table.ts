import { createDeltaTable } from '../lake/delta/create.ts'
import type { EditOutcome } from '../lake/delta/edit-rows.ts'
import { type AppendOutcome, type DeltaTable, openDeltaTable } from '../lake/delta/table.ts'
import type { DeltaDeps } from '../lake/delta/table-log.ts'
import { ChangesMissingError } from '../lake/errors.ts'
import { netChanges } from '../sql/models/net-changes.ts'
import type { ProgressStep } from '../sql/models/run-decision.ts'
import { tableKey } from './lake-home.ts'
import type { ModelTable, ModelWrite, NewModelTable } from './model-lake.ts'
import {
  type AppendMetrics,
  checkMade,
  committed,
  mergeOf,
  writtenRows,
} from './model-statements.ts'

/** Rows that change are marked in their files, not copied with their neighbours: a run then writes what changed. */
const EDITED_TABLE_PROPERTIES = { 'delta.enableDeletionVectors': 'true' }

/** Make the empty Delta table of a model. */
export async function createDeltaModelTable(deps: DeltaDeps, table: NewModelTable): Promise<void> {
  const { name, columns, partitionBy, properties } = table
  const outcome = await createDeltaTable(deps, tableKey(name), {
    ...{ name, columns, partitionBy },
    properties: { ...EDITED_TABLE_PROPERTIES, ...properties },
  })
  checkMade(name, outcome)
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
    async write(write, steps, signal) {
      const done = committed(name, await commit(table, write, steps, signal))
      return writtenRows(done.version, done.metrics)
    },
  }
}

type Outcome = EditOutcome | (AppendOutcome & { readonly metrics?: AppendMetrics })

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
    case 'upsert_and_delete':
      return table.merge({ ...options, ...mergeOf(write) }, signal)
  }
}
