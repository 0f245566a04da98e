import type { Column, ColumnType } from '../model/column.ts'
import type { FieldIds } from '../model/field-ids.ts'
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
  /** What the files hold, in order, without the partition columns; narrower numbers in the relation are widened. */
  readonly columns: readonly StagedColumn[]
  /** Columns, also derived ones, whose values split the rows; they are not stored in the files. */
  readonly partitionBy: readonly string[]
  /** Values made from columns, under names that no column has. Default: none. */
  readonly derived?: readonly DerivedColumn[]
  /** A local folder of the caller's, existing and empty. The files land in it. */
  readonly directory: string
  /** A new file is begun past this size. */
  readonly fileBytesTarget: number
  readonly compression?: 'zstd' | 'snappy'
  readonly orderBy?: readonly string[]
  /** Whether the rows of every file must be in that order throughout, and not only here and there. Default: false. */
  readonly isOrdered?: boolean
}

/** `fieldId`, and those of `children`, go into the Parquet schema where given. */
export interface StagedColumn extends Column, Partial<FieldIds> {}

/**
 * What a partition transform makes of a column (Iceberg table spec, "Partition Transforms"). `path` goes down through
 * structs. All but `identity` and `truncate`, which keep the column's type, give whole numbers.
 */
export interface DerivedColumn {
  readonly name: string
  readonly path: readonly string[]
  readonly type: ColumnType
  readonly transform: 'identity' | 'year' | 'month' | 'day' | 'hour' | 'bucket' | 'truncate'
  /** Buckets, or the width to truncate to. */
  readonly width?: number
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
