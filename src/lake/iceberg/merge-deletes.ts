import type { OptimizedGroup } from '../optimize.ts'
import type { CatalogEntry } from './catalog.ts'
import { commitSnapshot } from './commit.ts'
import { misfitOf, putManifests } from './edit-rows.ts'
import type { ContentFile } from './manifest.ts'
import { writeKnownDeletes } from './position-delete-write.ts'
import { knownFilesChooser, stageReplacement } from './replace.ts'
import type { PlannedFiles } from './scan.ts'
import type { ChangeableTable } from './table-changes.ts'

/**
 * Data files that are well as they are and have several position delete files get one in their place: every statement that marks rows adds one,
 * and every scan reads them all.
 */
export interface MergeableDeletes {
  /** Places of the data files in the plan. */
  readonly places: readonly number[]
  /** Delete files that go. Those that are also about other data files stay. */
  readonly deletes: readonly ContentFile[]
}

/** `undefined` when there is nothing to merge. Pure. */
export function mergeableDeletes(
  { files }: PlannedFiles,
  isLeft: (place: number) => boolean,
  countMin: number,
): MergeableDeletes | undefined {
  const least = Math.max(2, countMin)
  const places = files.flatMap(({ deletes }, place) =>
    isLeft(place) && deletes.vector === undefined && deletes.positions.length >= least
      ? [place]
      : [],
  )
  const merged = new Set(places)
  const others = files.flatMap(({ deletes }, place) => (merged.has(place) ? [] : deletes.positions))
  const needed = new Set(others)
  const own = new Set(places.flatMap((place) => files[place]!.deletes.positions))
  const deletes = [...own].filter((file) => !needed.has(file))
  return deletes.length > places.length ? { places, deletes } : undefined
}

/** One commit of operation `replace`. A conflict when one of the delete files is no longer there: then rows came back, or went. */
export async function mergeDeletes(
  table: ChangeableTable,
  base: CatalogEntry,
  { files, plan, manifests: known }: PlannedFiles,
  { places, deletes }: MergeableDeletes,
  signal?: AbortSignal,
): Promise<
  Pick<OptimizedGroup, 'status' | 'addedFileCount' | 'addedBytes'> & { snapshotId: bigint }
> {
  const { tools, name } = table
  const added: ContentFile[] = []
  for (const place of places) {
    const positions = plan.files[place]!.deletedRows!.positions
    const gone = { data: files[place]!.entry.file, positions }
    added.push(await writeKnownDeletes(tools, base, gone, signal))
  }
  const snapshotId = tools.newSnapshotId()
  const manifests = await putManifests(tools, base, snapshotId, added)
  const chooser = knownFilesChooser({
    data: new Set(),
    deletes: new Set(deletes.map((file) => file.path)),
    mustFindDeletes: true,
    manifests: known,
    listing: new Set(),
  })
  const { outcome, entry } = await commitSnapshot(
    tools,
    name,
    base,
    {
      ...{ snapshotId, transactions: [], summary: {} },
      stage: async (newest, parent) =>
        misfitOf(base, newest) ??
        stageReplacement(tools, newest, parent, {
          ...{ snapshotId, added, manifests, chooser },
          operation: 'replace',
        }),
    },
    signal,
  )
  table.remember(entry)
  return {
    status: outcome.status,
    snapshotId,
    addedFileCount: added.length,
    addedBytes: added.reduce((sum, { bytes }) => sum + bytes, 0),
  }
}
