import type { ScanPlan } from '../../model/scan-plan.ts'
import { readChanges } from './changes.ts'
import type { TableLog } from './table-log.ts'
import { tableSchemaOf } from './table-schema.ts'

export interface AppendedOptions {
  /** The last version, inclusive. Default: the newest. */
  readonly to?: number
}

/** Rows that appends brought, in the table's current columns. */
export interface AppendedRows {
  /** Up to which version this goes: what to ask from next time. */
  readonly version: number
  /** The rows as they came, whatever became of them since. */
  readonly plan: ScanPlan
  /**
   * Versions in between that changed rows otherwise, which `plan` knows nothing of: whoever must follow them reads `changes`, or everything
   * anew. Versions that only moved rows are not among them.
   */
  readonly others: readonly number[]
}

/**
 * What appends added after a version; `null` for all since the table's beginning. Costs the commits in between, whatever the size of the
 * table.
 * @throws ChangesMissingError, SnapshotMissingError, TableMismatchError
 */
export async function appendedSince(
  log: TableLog,
  after: number | null,
  { to }: AppendedOptions,
  signal?: AbortSignal,
): Promise<AppendedRows> {
  const state = to === undefined ? await log.newest(signal) : await log.at(to, signal)
  const { version } = state
  const from = after === null ? 0 : after + 1
  const { parts } =
    from > version ? { parts: [] } : await readChanges(log, { from, to: version }, signal)
  const others = new Set(parts.filter(({ type }) => type !== 'insert').map((part) => part.version))
  const { tableKey } = log.context
  const { scanColumns, mapping } = tableSchemaOf(state, tableKey)
  const files = parts.flatMap((part) => (others.has(part.version) ? [] : part.plan.files))
  return {
    version,
    others: [...others].map(Number),
    plan: {
      ...{ table: tableKey, version: String(version), columns: scanColumns, residualColumns: [] },
      matchBy: mapping === 'id' ? 'field_id' : 'name',
      files,
      residual: undefined,
    },
  }
}
