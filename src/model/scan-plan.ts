import type { ColumnType } from './column.ts'
import type { Predicate, Scalar } from './predicate.ts'

/**
 * What to read to get the rows of one snapshot of a lake table: files, what to take from them, what to leave out.
 * A lake makes it, a compute engine compiles it; neither knows the other. It holds good as long as the files stand,
 * which is the table's retention, not the plan's business.
 */
export interface ScanPlan {
  /** For messages: where the table is and which snapshot of it this is. */
  readonly table: string
  readonly version: string
  /** What comes out, in order. */
  readonly columns: readonly ScanColumn[]
  /** What only `residual` needs; to be dropped after filtering. */
  readonly residualColumns: readonly ScanColumn[]
  /** How columns are found in a data file. A column that a file lacks is null, or its `missing` value, throughout. */
  readonly matchBy: 'name' | 'field_id'
  readonly files: readonly ScanFile[]
  /** What rows must still satisfy: the part of the predicate that choosing files did not settle. */
  readonly residual: Predicate | undefined
}

export interface ScanColumn {
  readonly name: string
  readonly type: ColumnType
  readonly nullable: boolean
  readonly source: FileSource | PartitionSource
}

/** The column is in the data files. */
export interface FileSource {
  readonly kind: 'file'
  readonly physicalName: string
  readonly fieldId?: number
  /** The column's type with the names that nested fields have in the files. */
  readonly physicalType: ColumnType
  /** Value for files that lack the column. Default: null. */
  readonly missing?: Scalar
}

/** The column is constant within a file: `ScanFile.partitionValues[index]`. */
export interface PartitionSource {
  readonly kind: 'partition'
  readonly index: number
}

export interface ScanFile {
  /** Absolute local path or URL, as a reader takes it; nothing in it is a pattern. */
  readonly location: string
  readonly bytes: number
  /** Rows in the file, deleted ones included, where known without looking. */
  readonly rowCount: number | undefined
  readonly partitionValues: readonly (Scalar | null)[]
  readonly deletedRows?: DeletedRows
}

/** Rows of one file that are no longer there, by their index from 0, ascending, each once. */
export interface DeletedRows {
  readonly positions: Float64Array
}
