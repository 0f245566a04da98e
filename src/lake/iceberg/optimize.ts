import {
  checkedOptions,
  type OptimizedGroup,
  type OptimizeOptions,
  type OptimizeStatus,
  optimizeGroups,
  runOptimizeGroups,
  Z_COLUMN,
} from '../optimize.ts'
import type { CatalogEntry } from './catalog.ts'
import { commitSnapshot } from './commit.ts'
import { conflictSince } from './conflict.ts'
import { misfitOf, planNewest, putManifests } from './edit-rows.ts'
import type { ContentFile } from './manifest.ts'
import { type MergeableDeletes, mergeableDeletes, mergeDeletes } from './merge-deletes.ts'
import { mainId, snapshotById } from './metadata.ts'
import { boundSpecs, partitionKey } from './partition-spec.ts'
import { knownFilesChooser, stageReplacement } from './replace.ts'
import type { PlannedFiles } from './scan.ts'
import { type ChangeableTable, columnsOf } from './table-changes.ts'
import { checkWritable } from './writable.ts'
import { fileBytesTarget, writeFiles } from './write-files.ts'

export interface OptimizeOutcome {
  readonly status: OptimizeStatus
  /** Of the newest commit that was made, or looked at. */
  readonly snapshotId: bigint | undefined
  readonly groups: readonly OptimizedGroup[]
}

/**
 * Write data files anew, each group of them in a snapshot of operation `replace`. New files are as old as what they were made
 * from, so that whoever deletes rows by their values meanwhile deletes them here too; who deletes by position is
 * a conflict for the group. Delete files go when nothing is left that they are about; where many are about one file, one takes their place. Files of older partitionings
 * are written by the newest.
 * @throws TableMismatchError, TableUnsupportedError
 */
export async function optimizeTable(
  table: ChangeableTable,
  wanted: OptimizeOptions = {},
  signal?: AbortSignal,
): Promise<OptimizeOutcome> {
  const { tools, name } = table
  const base = await table.newest(signal)
  const { metadata } = base
  checkWritable(metadata, name)
  const options = checkedOptions(wanted, {
    columns: columnsOf(base),
    constant: identityColumns(base),
    table: name,
  })
  const planned = await planNewest(tools, base, options.where, signal)
  const candidates = planned.files.map(({ entry: { file }, deletes }, place) => ({
    name: file.path,
    bytes: file.bytes,
    rowCount: file.recordCount,
    partition: partitionKey(file.specId, file.partition),
    deletedCount:
      deletes.equalities.length > 0
        ? Number.POSITIVE_INFINITY
        : (planned.plan.files[place]!.deletedRows?.positions.length ?? 0),
  }))
  const sure = candidates.flatMap((_, place) => (planned.isSure[place] ? [place] : []))
  const groups = optimizeGroups(
    sure.map((place) => candidates[place]!),
    { ...options, fileBytesTarget: options.fileBytesTarget ?? fileBytesTarget(metadata) },
  ).map((group) => group.map((index) => sure[index]!))
  const work = { base, planned, options, ours: new Set<bigint>() }
  let snapshotId = mainId(metadata)
  const done = await runOptimizeGroups(
    groups,
    candidates,
    options,
    async (places) => {
      const group = await rewriteGroup(table, work, places, signal)
      if (group.status === 'committed') {
        work.ours.add(group.snapshotId)
        snapshotId = group.snapshotId
      }
      return group
    },
    signal,
  )
  const rewritten = new Set(groups.flat())
  const isLeft = (place: number) => planned.isSure[place]! && !rewritten.has(place)
  const few = mergeableDeletes(planned, isLeft, options.fileCountMin ?? 2)
  if (few === undefined) return { ...done, snapshotId }
  const merged = await mergedDeletes(table, { base, planned, options }, few, signal)
  const status = merged.status === 'committed' ? merged.status : done.status
  if (merged.status === 'committed') snapshotId = merged.snapshotId
  return { status, snapshotId, groups: [...done.groups, merged] }
}

/** Delete files alone: little to read, so that a budget does not matter. */
async function mergedDeletes(
  table: ChangeableTable,
  { base, planned, options }: Omit<Work, 'ours'>,
  few: MergeableDeletes,
  signal: AbortSignal | undefined,
): Promise<OptimizedGroup & { readonly snapshotId?: bigint }> {
  const group = {
    files: few.deletes.map(({ path, bytes }) => ({ path, bytes })),
    bytes: few.deletes.reduce((sum, { bytes }) => sum + bytes, 0),
  }
  if (options.dryRun === true)
    return { status: 'planned', ...group, addedFileCount: 0, addedBytes: 0 }
  return { ...group, ...(await mergeDeletes(table, base, planned, few, signal)) }
}

/** Columns that are the same throughout every file written from now on. */
function identityColumns(entry: CatalogEntry): readonly string[] {
  const { metadata, tableKey } = entry
  const spec = boundSpecs(metadata, tableKey).get(metadata['default-spec-id'])!
  const schema = metadata.schemas.find(
    (each) => each['schema-id'] === metadata['current-schema-id'],
  )!
  return spec.fields.flatMap(({ transform, sourceId }) => {
    const column = schema.fields.find(({ id }) => id === sourceId)
    return transform.kind === 'identity' && column !== undefined ? [column.name] : []
  })
}

interface Work {
  readonly base: CatalogEntry
  readonly planned: PlannedFiles
  readonly options: OptimizeOptions
  /** Snapshots made for earlier groups. */
  readonly ours: ReadonlySet<bigint>
}

async function rewriteGroup(
  table: ChangeableTable,
  { base, planned, options, ours }: Work,
  places: readonly number[],
  signal: AbortSignal | undefined,
) {
  const { tools, name } = table
  const files = places.map((place) => planned.files[place]!)
  const added = await rewrittenFiles(table, { base, planned, options, ours }, places, signal)
  const snapshotId = tools.newSnapshotId()
  const parentId = mainId(base.metadata)
  const age = parentId === undefined ? 0 : snapshotById(base.metadata, parentId)!['sequence-number']
  const manifests = await putManifests(tools, base, snapshotId, added, age)
  const intent = {
    base,
    ours,
    reads: 'nothing' as const,
    copied: files.map(({ entry }) => entry),
    keepsAge: true,
    marked: new Set<string>(),
  }
  const chooser = knownFilesChooser({
    data: new Set(files.map(({ entry }) => entry.file.path)),
    deletes: new Set(needlessDeletes(planned, places, options).map((file) => file.path)),
    manifests: planned.manifests,
    listing: new Set(files.map(({ manifest }) => manifest)),
  })
  const { outcome, entry } = await commitSnapshot(
    tools,
    name,
    base,
    {
      snapshotId,
      transactions: [],
      summary: {},
      stage: async (newest, parent) =>
        misfitOf(base, newest) ??
        (await conflictSince(tools, newest, intent, signal)) ??
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

async function rewrittenFiles(
  { tools }: ChangeableTable,
  { base, planned, options }: Work,
  places: readonly number[],
  signal: AbortSignal | undefined,
): Promise<readonly ContentFile[]> {
  const { zOrderBy, sortBy, fileBytesTarget: target } = options
  const plan = {
    ...planned.plan,
    residual: undefined,
    residualColumns: [],
    files: places.map((place) => planned.plan.files[place]!),
  }
  await using rows = await tools.ports.tableRows.planRelation(
    { plan, ...(zOrderBy === undefined ? {} : { zOrder: { by: zOrderBy, as: Z_COLUMN } }) },
    signal,
  )
  const orderBy = zOrderBy === undefined ? sortBy : [Z_COLUMN]
  const wanted = {
    ...(target === undefined ? {} : { fileBytesTarget: target }),
    ...(orderBy === undefined ? {} : { orderBy }),
  }
  return await writeFiles(tools, base, rows.relation, wanted, signal)
}

/** Delete files that are about nothing but files of this group. */
function needlessDeletes(
  { files }: PlannedFiles,
  places: readonly number[],
  { where }: OptimizeOptions,
): readonly ContentFile[] {
  const group = new Set(places)
  const needed = new Set<ContentFile>()
  const here = new Set<ContentFile>()
  for (const [place, { deletes }] of files.entries()) {
    // Deletes by value may be about partitions that nobody looked at.
    const known = where === undefined ? deletes.equalities : []
    for (const file of [...deletes.positions, ...known])
      (group.has(place) ? here : needed).add(file)
  }
  return [...here].filter((file) => !needed.has(file))
}
