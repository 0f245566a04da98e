import type { Columns } from '../model/column.ts'
import type { Relation } from '../model/relation.ts'

/**
 * What the lake asks of a compute engine: write a relation into Parquet files and say what is in them, so that data
 * files are written once and never read again for statistics. `sql/duckdb` fills this port, `flow/` hands it over.
 */
export interface StageFilesPort {
  stageFiles(request: StageFilesRequest, signal?: AbortSignal): Promise<readonly StagedFile[]>
}

export interface StageFilesRequest {
  /** The rows; columns not in `columns` are left out. */
  readonly relation: Relation
  /** What the files hold, in order, without the partition columns. `fieldId` goes into the Parquet schema where given. */
  readonly columns: readonly (Columns[number] & { readonly fieldId?: number })[]
  /** Columns whose values split the rows; they are not stored in the files. */
  readonly partitionBy: readonly string[]
  /** A local folder of the caller's, existing and empty. The files land in it. */
  readonly directory: string
  /** A new file is begun past this size. */
  readonly fileBytesTarget: number
  readonly compression?: 'zstd' | 'snappy'
  readonly orderBy?: readonly string[]
}

export interface StagedFile {
  /** Absolute local path. */
  readonly path: string
  readonly bytes: number
  readonly rowCount: number
  /** For each of `partitionBy`, the value as text, or null. */
  readonly partitionValues: Readonly<Record<string, string | null>>
  readonly columnStatistics: readonly ColumnStatistics[]
}

/** Statistics of one leaf column. Bounds are in the engine's text form, exact or truncated as marked, absent when unknown. */
export interface ColumnStatistics {
  /** Path of names from the top: `['a']`, `['s', 'b']`. */
  readonly path: readonly string[]
  readonly valueCount: number
  readonly nullCount: number
  readonly min?: string
  readonly max?: string
  readonly minIsExact?: boolean
  readonly maxIsExact?: boolean
  readonly hasNan?: boolean
  readonly columnBytes?: number
}
