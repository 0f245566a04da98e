import type { AddAction, DeletionVectorDescriptor, RemoveAction } from './actions.ts'
import { statsFromSources, uriOf } from './checkpoint-write.ts'
import { logicalFileKey } from './commit.ts'
import type { FileTable } from './file-table.ts'
import type { LogReader } from './log-read.ts'

/** Live files of a table as the actions that remove them, or add them once more. */

/** Names a live file for conflict checks. */
export const fileKeyAt = (table: FileTable, row: number): string =>
  logicalFileKey(table.paths[row]!, table.deletionVectorIdAt(row))

/** PROTOCOL.md, "Add File and Remove File": with all that vacuum and change readers want to know. */
export function removeActionAt(
  table: FileTable,
  row: number,
  { nowMs, dataChange }: { nowMs: number; dataChange: boolean },
): RemoveAction {
  const deletionVector = table.deletionVectors.get(row)
  const { baseRowId, defaultRowCommitVersion } = table.extras.get(row) ?? {}
  return {
    path: uriOf(table.paths[row]!),
    deletionTimestamp: nowMs,
    dataChange,
    extendedFileMetadata: true,
    partitionValues: table.partitions[table.partitionIds[row]!]!,
    size: table.sizes[row]!,
    ...(deletionVector === undefined ? {} : { deletionVector }),
    ...(baseRowId === undefined ? {} : { baseRowId }),
    ...(defaultRowCommitVersion === undefined ? {} : { defaultRowCommitVersion }),
  }
}

/** A live file once more, with another deletion vector. Its bounds are wide then: they may enclose rows that are gone. */
export function addActionAt(
  table: FileTable,
  row: number,
  options: {
    readonly stats: string | null
    readonly dataChange: boolean
    readonly deletionVector?: DeletionVectorDescriptor | undefined
  },
): AddAction {
  const { stats, dataChange, deletionVector } = options
  return {
    path: uriOf(table.paths[row]!),
    partitionValues: table.partitions[table.partitionIds[row]!]!,
    size: table.sizes[row]!,
    modificationTime: table.modificationTimes[row]!,
    dataChange,
    ...(stats === null ? {} : { stats: deletionVector === undefined ? stats : wideStats(stats) }),
    ...(deletionVector === undefined ? {} : { deletionVector }),
    ...table.extras.get(row),
  }
}

/** By text, because parsing would round large numbers. */
function wideStats(stats: string): string {
  const bare = stats.replace(/,\s*"tightBounds"\s*:\s*(true|false)/, '')
  return `${bare.slice(0, bare.lastIndexOf('}'))},"tightBounds":false}`
}

/** Statistics of some rows as JSON text, fetched from the checkpoint where the table does not hold them. */
export async function statsTexts(
  reader: LogReader,
  table: FileTable,
  rows: Iterable<number>,
  signal?: AbortSignal,
): Promise<ReadonlyMap<number, string | null>> {
  const found = new Map<number, string | null>()
  const fetched = new Set<number>()
  for (const row of rows)
    if (row < table.statsRowEnd) fetched.add(row)
    else found.set(row, table.stats[row]!)
  if (fetched.size > 0)
    for await (const [row, stats] of statsFromSources(reader, table, signal))
      if (fetched.has(row)) found.set(row, stats)
  return found
}
