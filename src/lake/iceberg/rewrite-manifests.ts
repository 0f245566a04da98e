import { type OptimizedGroup, type OptimizeOptions, runOptimizeGroups } from '../optimize.ts'
import { type Conflict, commitSnapshot, type StagedSnapshot } from './commit.ts'
import { mergeableManifests, mergeManifests, mergeOptions } from './manifest-merge.ts'
import { mainId, snapshotById } from './metadata.ts'
import type { OptimizeOutcome } from './optimize.ts'
import { keptManifests } from './replace.ts'
import type { ChangeableTable } from './table-changes.ts'
import { checkWritable } from './writable.ts'

export type RewriteManifestsOptions = Pick<OptimizeOptions, 'bytesMax' | 'dryRun' | 'onProgress'>

/**
 * Write the table's files into fewer manifests, in one snapshot of operation `replace`; rows stay as they are. The manifests of data files
 * and of deletes, and those of each partitioning, are a group each. Others may append meanwhile.
 */
export async function rewriteManifests(
  table: ChangeableTable,
  { dryRun = false, onProgress, ...options }: RewriteManifestsOptions = {},
  signal?: AbortSignal,
): Promise<OptimizeOutcome> {
  const { tools, name } = table
  const before = await table.newest(signal)
  const { metadata } = before
  checkWritable(metadata, name)
  const snapshotId = mainId(metadata)
  const parent = snapshotId === undefined ? undefined : snapshotById(metadata, snapshotId)
  const manifests = await keptManifests(tools, before, parent)
  const bins = mergeableManifests(manifests, { ...mergeOptions(metadata), countMin: 2 })
  const { groups } = await runOptimizeGroups(
    bins.map((bin) => bin.map((manifest) => manifests.indexOf(manifest))),
    manifests.map(({ path, bytes }) => ({ name: path, bytes })),
    { ...options, dryRun: true },
    () => Promise.reject(new TypeError('a dry run writes nothing')),
  )
  if (dryRun) return { status: 'planned', snapshotId, groups }
  const going = groups.filter(({ status }) => status === 'planned')
  if (going.length === 0) return { status: 'unchanged', snapshotId, groups }
  const written = await commitMerged(table, going, signal)
  const done = groups.map((group) => ({ ...group, ...written.get(group) }))
  const bytesDone = going.reduce((sum, { bytes }) => sum + bytes, 0)
  onProgress?.({ groupsDone: groups.length, groupCount: groups.length, bytesDone })
  const isDone = done.some(({ status }) => status === 'committed')
  const newest = mainId((await table.newest(signal)).metadata)
  return { status: isDone ? 'committed' : 'unchanged', snapshotId: newest, groups: done }
}

type Written = Pick<OptimizedGroup, 'status' | 'addedFileCount' | 'addedBytes'>

/** What became of each group. */
async function commitMerged(
  table: ChangeableTable,
  groups: readonly OptimizedGroup[],
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<OptimizedGroup, Written>> {
  const { tools, name } = table
  const snapshotId = tools.newSnapshotId()
  const sizes = new Map<OptimizedGroup, number>()
  const { outcome, entry } = await commitSnapshot(
    tools,
    name,
    await table.newest(signal),
    {
      ...{ snapshotId, transactions: [], summary: {} },
      stage: async (entry, parent): Promise<StagedSnapshot | Conflict> => {
        let manifests = await keptManifests(tools, entry, parent)
        const options = { ...mergeOptions(entry.metadata), countMin: 2 }
        for (const group of groups) {
          const paths = new Set(group.files.map(({ path }) => path))
          const old = manifests.filter(({ path }) => paths.has(path))
          if (old.length < paths.size)
            return { reason: 'removed_files_changed', message: 'others wrote manifests anew' }
          const merged = await mergeManifests(tools, entry, old, options, snapshotId)
          sizes.set(group, merged[0]!.bytes)
          manifests = [...merged, ...manifests.filter((manifest) => !old.includes(manifest))]
        }
        return { manifests, changes: { operation: 'replace', added: [], removed: [] } }
      },
    },
    signal,
  )
  table.remember(entry)
  const { status } = outcome
  const isDone = status === 'committed'
  return new Map(
    groups.map((group) => [
      group,
      { status, addedFileCount: isDone ? 1 : 0, addedBytes: isDone ? sizes.get(group)! : 0 },
    ]),
  )
}
