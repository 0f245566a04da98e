import type { ColumnType } from './column.ts'
import type { FieldIds } from './field-ids.ts'
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
  /** Deletes by value that `ScanFile.equalityDeletes` refers to by index. */
  readonly equalityDeletes?: readonly EqualityDelete[]
  /** What rows must still satisfy: the part of the predicate that choosing files did not settle. */
  readonly residual: Predicate | undefined
  /** Rows that come out before `residual`, where that is known without looking into the files. */
  readonly rowCount?: number | undefined
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
  /** Rather than `missing`: the file's own `ScanFile.partitionValues[index]`. */
  readonly missingPartition?: number
  /**
   * Whether readers may go by the bounds that files themselves have of floats in this column: no value is NaN, or a file with NaN has no
   * bounds. Arrow's writers leave NaN out of bounds, as Parquet has it, while SQL has NaN above all numbers. Default: false.
   */
  readonly hasSafeBounds?: boolean
  /** Matching by id: names that the column may have in files whose columns carry no ids at all. */
  readonly names?: readonly string[]
  /** Matching by id: what is inside, in the order of `physicalType`. Absent: nested fields are matched by name. */
  readonly children?: readonly FileField[]
}

/** A part of a column as files have it: a struct's field, a list's element, a map's key or value. */
export interface FileField extends FieldIds {
  readonly names?: readonly string[]
  /** Value where a file's struct lacks the field. Default: null. */
  readonly missing?: Scalar
  readonly children?: readonly FileField[]
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
  /** Which of `ScanPlan.equalityDeletes` apply to this file, ascending. */
  readonly equalityDeletes?: readonly number[]
}

/** Rows of one file that are no longer there, by their index from 0, ascending, each once. */
export interface DeletedRows {
  readonly positions: Float64Array
}

/**
 * Rows gone by their values: a row is deleted when, for some row of `location`, all `columns` are equal, null being equal
 * to null. The columns are found in both files alike, whether or not the scan projects them.
 */
export interface EqualityDelete {
  /** As `ScanFile.location`. */
  readonly location: string
  readonly bytes: number
  readonly columns: readonly ScanColumn[]
}
