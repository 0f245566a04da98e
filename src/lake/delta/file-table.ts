import {
  type AddAction,
  type DeletionVectorDescriptor,
  deletionVectorId,
  type PartitionValues,
} from './actions.ts'

/**
 * The logical files of a table, in columns instead of objects, so that a hundred thousand of them cost tens of
 * megabytes and load in a fraction of a second. Statistics stay the JSON text they came as.
 *
 * Rows are only ever added. A snapshot is a row count and a mask of the rows that are live in it (`FileView`), so
 * that snapshots share the table and a commit costs what it changes.
 */
export class FileTable {
  /** Canonical (`table-path.ts`). */
  readonly paths: string[] = []
  readonly sizes: number[] = []
  readonly modificationTimes: number[] = []
  /** JSON text. Null for rows below `statsRowEnd`, whose statistics are fetched at need (`file-statistics.ts`). */
  readonly stats: (string | null)[] = []
  /** Checkpoint files that hold the statistics of the first rows. */
  readonly statsSources: StatsSource[] = []
  /** Index into `partitions`. */
  readonly partitionIds: number[] = []
  readonly partitions: PartitionValues[] = []
  /** Only for rows that have one. */
  readonly deletionVectors = new Map<number, DeletionVectorDescriptor>()
  /** What else an `add` carried, kept for checkpoints. Only for rows that have some. */
  readonly extras = new Map<number, AddExtras>()
  readonly #partitionIds = new Map<string, number>()
  /** The newest row of each path; made at the first need, because a table that only grows has none. */
  #rowsByPath: Map<string, number> | undefined

  /** Rows below this came from `statsSources`. */
  get statsRowEnd(): number {
    return this.statsSources.at(-1)?.rowEnd ?? 0
  }

  get rowCount(): number {
    return this.paths.length
  }

  /** The row that last held a path. Only meaningful against the newest view. */
  rowOf(path: string): number | undefined {
    if (this.#rowsByPath === undefined) {
      this.#rowsByPath = new Map()
      for (let row = 0; row < this.paths.length; row += 1)
        this.#rowsByPath.set(this.paths[row]!, row)
    }
    return this.#rowsByPath.get(path)
  }

  /** Equal partition values share an id. `text` is their JSON, any spelling of it. */
  partitionId(text: string): number {
    const known = this.#partitionIds.get(text)
    if (known !== undefined) return known
    const id = this.partitions.length
    this.partitions.push(JSON.parse(text) as PartitionValues)
    this.#partitionIds.set(text, id)
    return id
  }

  push(file: FileRow): void {
    const row = this.paths.length
    this.paths.push(file.path)
    this.sizes.push(file.size)
    this.modificationTimes.push(file.modificationTime)
    this.stats.push(file.stats)
    this.partitionIds.push(file.partitionId)
    if (file.deletionVector !== undefined) this.deletionVectors.set(row, file.deletionVector)
    if (file.extras !== undefined) this.extras.set(row, file.extras)
    this.#rowsByPath?.set(file.path, row)
  }

  /** A table of its own with the first `rowEnd` rows, for a snapshot that leaves the common line. */
  fork(rowEnd: number): FileTable {
    const copy = new FileTable()
    copy.statsSources.push(...this.statsSources)
    for (const values of this.partitions) copy.partitionId(JSON.stringify(values))
    for (let row = 0; row < rowEnd; row += 1) copy.push(this.rowAt(row, copy))
    return copy
  }

  /** One row as a value; its partition id is that of `target`. */
  rowAt(row: number, target: FileTable = this): FileRow {
    const deletionVector = this.deletionVectors.get(row)
    const extras = this.extras.get(row)
    const id = this.partitionIds[row]!
    return {
      path: this.paths[row]!,
      size: this.sizes[row]!,
      modificationTime: this.modificationTimes[row]!,
      stats: this.stats[row]!,
      partitionId: target === this ? id : target.partitionId(JSON.stringify(this.partitions[id]!)),
      ...(deletionVector === undefined ? {} : { deletionVector }),
      ...(extras === undefined ? {} : { extras }),
    }
  }

  deletionVectorIdAt(row: number): string {
    return deletionVectorId(this.deletionVectors.get(row))
  }
}

/** One Parquet file of a checkpoint, whose `add` actions are rows `rowStart` (inclusive) to `rowEnd` (exclusive). */
export interface StatsSource {
  /** Key in the store. */
  readonly key: string
  readonly rowStart: number
  readonly rowEnd: number
  /** Row of the table for each row number of the file; -1 where there is none. */
  readonly rowOfNumber: Int32Array
}

export interface FileRow {
  readonly path: string
  readonly size: number
  readonly modificationTime: number
  readonly stats: string | null
  readonly partitionId: number
  readonly deletionVector?: DeletionVectorDescriptor
  readonly extras?: AddExtras
}

export type AddExtras = Pick<
  AddAction,
  'tags' | 'baseRowId' | 'defaultRowCommitVersion' | 'clusteringProvider'
>

/** The part of an `add` that has no column of its own; `undefined` when there is none. */
export function extrasOf(add: AddExtras): AddExtras | undefined {
  const { tags, baseRowId, defaultRowCommitVersion, clusteringProvider } = add
  const extras = {
    ...(tags === undefined || Object.keys(tags).length === 0 ? {} : { tags }),
    ...(baseRowId === undefined ? {} : { baseRowId }),
    ...(defaultRowCommitVersion === undefined ? {} : { defaultRowCommitVersion }),
    ...(clusteringProvider === undefined ? {} : { clusteringProvider }),
  }
  return Object.keys(extras).length === 0 ? undefined : extras
}

/** The files of one snapshot: rows of a shared table that are live in it. Never changes. */
export interface FileView {
  readonly table: FileTable
  /** Rows at or past this belong to later snapshots. */
  readonly rowEnd: number
  /** 1 where the row is live; at least `rowEnd` long. */
  readonly live: Uint8Array
  readonly count: number
  readonly bytes: number
}

export const EMPTY_VIEW = (): FileView => ({
  table: new FileTable(),
  rowEnd: 0,
  live: new Uint8Array(0),
  count: 0,
  bytes: 0,
})

/** The live rows, ascending. */
export function* liveRows(view: FileView): Iterable<number> {
  for (let row = 0; row < view.rowEnd; row += 1) if (view.live[row] === 1) yield row
}
