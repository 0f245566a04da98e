import type { Columns } from '../model/column.ts'
import type { Predicate } from '../model/predicate.ts'
import { TableMismatchError } from './errors.ts'

/**
 * Writing data files anew so that reading is cheaper, as far as it is the same in every table format: small ones packed together,
 * rows that were marked as gone left out, rows laid by columns or along a Z-order curve. No row changes, so that appends never
 * conflict with it; a writer that changes the same files does, and then that group is left as it is. Each
 * group of files is a commit of its own: work done is kept when the budget, or the process, ends.
 */
export interface OptimizeOptions {
  /** Which files: those of partitions whose rows all satisfy it. Default: everything. */
  readonly where?: Predicate
  /** Files are packed to about this size. Default: the table's own target, else 128 MiB. */
  readonly fileBytesTarget?: number
  /** So many files at least make a group worth writing. Default: 2. */
  readonly fileCountMin?: number
  /** Lay rows by these columns; all files of a partition are written, not the small ones alone. */
  readonly sortBy?: readonly string[]
  /** As `sortBy`, along a Z-order curve over these columns; not with it. */
  readonly zOrderBy?: readonly string[]
  /** Nothing is written: the answer says what would be. */
  readonly dryRun?: boolean
  /** No group is begun that would bring what is read above this. Default: no limit. */
  readonly bytesMax?: number
  readonly onProgress?: (progress: OptimizeProgress) => void
}

export interface OptimizeProgress {
  readonly groupsDone: number
  readonly groupCount: number
  readonly bytesDone: number
}

export interface OptimizedGroup {
  /** `over_budget` was left for the next run; `conflict` and `unknown` are as in commits. */
  readonly status: 'committed' | 'planned' | 'over_budget' | 'conflict' | 'unknown'
  /** Files that go, as the table's metadata names them. */
  readonly files: readonly { readonly path: string; readonly bytes: number }[]
  readonly bytes: number
  readonly addedFileCount: number
  readonly addedBytes: number
}

/** `planned` in a dry run, `unchanged` when there was nothing to do or others were faster with all of it. */
export type OptimizeStatus = 'committed' | 'unchanged' | 'planned'

/** Files at least this full are left alone. */
const FULL_SHARE = 0.75
/** A file that has lost so much of its rows is written anew for that alone. */
const DELETED_SHARE = 0.1
/** Name of the column that rows are sorted by along the curve; none of users' is called so. */
export const Z_COLUMN = 'mekong z'
const Z_COLUMN_COUNT_MAX = 12

/**
 * The options as they concern a table. Columns that it is partitioned by are the same throughout a file, so rows are laid by
 * them already; they are left out. @throws TableMismatchError naming all that does not fit
 */
export function checkedOptions(
  options: OptimizeOptions,
  { columns, constant, table }: { columns: Columns; constant: readonly string[]; table: string },
  others: readonly string[] = [],
): OptimizeOptions {
  const { sortBy, zOrderBy, ...rest } = options
  const problems = [...others]
  if (sortBy !== undefined && zOrderBy !== undefined)
    problems.push('rows are laid either by sorting or along a Z-order curve')
  if ((zOrderBy?.length ?? 0) > Z_COLUMN_COUNT_MAX)
    problems.push(`a Z-order curve has at most ${Z_COLUMN_COUNT_MAX} columns`)
  for (const name of [...(sortBy ?? []), ...(zOrderBy ?? [])])
    if (!columns.some((column) => column.name === name)) problems.push(`there is no column ${name}`)
  if (problems.length > 0) throw new TableMismatchError(`Optimizing ${table}`, problems)
  const laid = (names: readonly string[] | undefined) => {
    const left = names?.filter((name) => !constant.includes(name)) ?? []
    return left.length === 0 ? undefined : left
  }
  const [sorted, curved] = [laid(sortBy), laid(zOrderBy)]
  return {
    ...rest,
    ...(sorted === undefined ? {} : { sortBy: sorted }),
    ...(curved === undefined ? {} : { zOrderBy: curved }),
  }
}

/** A file as far as it matters for choosing. */
export interface OptimizableFile {
  readonly bytes: number
  /** Equal for files that may be written together. */
  readonly partition: string | number
  readonly rowCount: number | undefined
  /** Rows marked as gone; infinite when there are some and nobody knows how many. */
  readonly deletedCount: number
}

/** Places of files that are written together, each group of one partition. Pure. */
export function optimizeGroups(
  files: readonly OptimizableFile[],
  options: OptimizeOptions & { readonly fileBytesTarget: number },
): number[][] {
  const { fileBytesTarget, fileCountMin = 2 } = options
  const laysRows = options.sortBy !== undefined || options.zOrderBy !== undefined
  const partitions = new Map<string | number, number[]>()
  for (const [place, { bytes, rowCount, deletedCount, partition }] of files.entries()) {
    const hasLostMuch =
      rowCount !== undefined && deletedCount >= DELETED_SHARE * rowCount && deletedCount > 0
    if (!laysRows && bytes >= FULL_SHARE * fileBytesTarget && !hasLostMuch) continue
    const places = partitions.get(partition)
    if (places === undefined) partitions.set(partition, [place])
    else places.push(place)
  }
  if (laysRows) return [...partitions.values()]
  return [...partitions.values()].flatMap((places) =>
    packed(places, (place) => files[place]!.bytes, fileBytesTarget).filter(
      (bin) =>
        bin.length >= fileCountMin ||
        bin.some((place) => files[place]!.deletedCount > 0 && (files[place]!.rowCount ?? 0) > 0),
    ),
  )
}

/** In the order given, which is the order of commits: rows that came together stay together. */
function packed(
  items: readonly number[],
  sizeOf: (item: number) => number,
  target: number,
): number[][] {
  const bins: number[][] = []
  let size = Number.POSITIVE_INFINITY
  for (const item of items) {
    if (size + sizeOf(item) > target) {
      bins.push([])
      size = 0
    }
    bins.at(-1)!.push(item)
    size += sizeOf(item)
  }
  return bins
}

/** Do the groups one after the other, within the budget. `rewrite` gets the places of one group's files. */
export async function runOptimizeGroups(
  groups: readonly (readonly number[])[],
  files: readonly { readonly name: string; readonly bytes: number }[],
  { dryRun = false, bytesMax = Number.POSITIVE_INFINITY, onProgress }: OptimizeOptions,
  rewrite: (
    places: readonly number[],
  ) => Promise<Pick<OptimizedGroup, 'status' | 'addedFileCount' | 'addedBytes'>>,
  signal?: AbortSignal,
): Promise<{ readonly status: OptimizeStatus; readonly groups: readonly OptimizedGroup[] }> {
  const done: OptimizedGroup[] = []
  let bytesDone = 0
  for (const places of groups) {
    signal?.throwIfAborted()
    const bytes = places.reduce((sum, place) => sum + files[place]!.bytes, 0)
    const going = places.map((place) => {
      const { name, bytes } = files[place]!
      return { path: name, bytes }
    })
    const left = { files: going, bytes, addedFileCount: 0, addedBytes: 0 }
    if (bytesDone + bytes > bytesMax) done.push({ status: 'over_budget', ...left })
    else if (dryRun) done.push({ status: 'planned', ...left })
    else done.push({ ...left, ...(await rewrite(places)) })
    if (done.at(-1)!.status !== 'over_budget') bytesDone += bytes
    onProgress?.({ groupsDone: done.length, groupCount: groups.length, bytesDone })
  }
  const isCommitted = done.some((group) => group.status === 'committed')
  return { status: dryRun ? 'planned' : isCommitted ? 'committed' : 'unchanged', groups: done }
}
