import type { ScanPlan } from '../../model/scan-plan.ts'
import type { CatalogEntry } from './catalog.ts'
import { knownChanges, wantedSnapshots } from './changes.ts'
import type { IcebergTools } from './deps.ts'
import { mainId, schemaById } from './metadata.ts'
import { boundSpecs } from './partition-spec.ts'
import { planAdded, type ScanOptions } from './scan.ts'
import { tableLocation } from './table-location.ts'

export interface AppendedOptions extends ScanOptions {
  /** The last snapshot, inclusive. Default: the newest. */
  readonly to?: bigint
}

/** Rows that appends brought, in the table's current columns. */
export interface AppendedRows {
  /** Up to which snapshot this goes: what to ask from next time. `undefined` for a table without snapshots. */
  readonly snapshotId: bigint | undefined
  /** The rows as they came, whatever became of them since. */
  readonly plan: ScanPlan
  /**
   * Snapshots in between that changed rows otherwise, which `plan` knows nothing of: whoever must follow them reads `changes`, or
   * everything anew. Snapshots that only moved rows are not among them.
   */
  readonly others: readonly { readonly snapshotId: bigint; readonly operation: string }[]
}

/**
 * What appends added after a snapshot; `null` for all since the table's beginning. Costs the manifests of those appends, whatever the
 * size of the table.
 * @throws SnapshotMissingError, ChangesMissingError, TableMismatchError
 */
export async function appendedSince(
  tools: IcebergTools,
  entry: CatalogEntry,
  after: bigint | null,
  { to, ...options }: AppendedOptions,
  signal?: AbortSignal,
): Promise<AppendedRows> {
  const { metadata, tableKey } = entry
  const snapshots = wantedSnapshots(entry, { after, to: to ?? mainId(metadata) })
  const place = tableLocation(tools.store, tableKey, metadata.location)
  const specs = boundSpecs(metadata, tableKey)
  const added = []
  const others = []
  for (const snapshot of snapshots) {
    const operation = snapshot.summary.operation ?? 'unknown'
    if (operation === 'replace') continue
    const changes = await knownChanges({ place, metadata, specs }, snapshot, signal)
    if (operation === 'append') added.push(...changes.addedData)
    // Progress alone is noted in snapshots that changed no file.
    else if (Object.values(changes).some((each) => each.length > 0))
      others.push({ snapshotId: snapshot['snapshot-id'], operation })
  }
  const schema = schemaById(metadata, metadata['current-schema-id'])!
  const context = { place, metadata, schema, parquet: tools.ports.parquet, snapshot: undefined }
  const plan = await planAdded(context, added, options, signal)
  const snapshotId = to ?? mainId(metadata)
  return { snapshotId, plan: { ...plan, version: String(snapshotId ?? 'empty') }, others }
}
