import type { Columns } from '../model/column.ts'

/**
 * What the lake asks of a compute engine for its own small tables: Parquet files of log actions. Reading gives columns
 * and not row objects, because a checkpoint may have hundreds of thousands of rows.
 */
export interface ParquetPort {
  /**
   * Some fields of one Parquet file, in chunks of any size and any order. Rows in which all of `presentAny` are null
   * are left out. A field that the file does not have is null throughout; a file that cannot be read is an error.
   */
  readFields(request: ReadFieldsRequest, signal?: AbortSignal): AsyncIterable<FieldChunk>

  /**
   * The rows of a Parquet file with a text column `file_path` and a whole-number column `pos`, gathered by path, in chunks of any size
   * and any order. A file that lacks either column is an error.
   */
  readPositions(location: string, signal?: AbortSignal): AsyncIterable<PositionChunk>

  /** Write such a file, new and local, with these field ids, its rows in order of path and position. Not fsynced. */
  writePositions(request: WritePositionsRequest, signal?: AbortSignal): Promise<void>

  /** Write rows, given as one JSON object each, into a new local Parquet file. Not fsynced. */
  writeJsonRows(request: WriteJsonRowsRequest, signal?: AbortSignal): Promise<void>
}

export interface PositionChunk {
  readonly path: string
  readonly positions: readonly number[] | Float64Array
}

export interface WritePositionsRequest {
  /** Absolute local path; nothing is there yet. */
  readonly path: string
  readonly fieldIds: { readonly path: number; readonly position: number }
  readonly chunks: Iterable<PositionChunk>
}

export interface ReadFieldsRequest {
  /** As `ObjectStore.locate` gives it. */
  readonly location: string
  readonly fields: readonly ParquetField[]
  readonly presentAny: readonly (readonly string[])[]
}

export interface ParquetField {
  /** Names from the top down through structs. */
  readonly path: readonly string[]
  /** Member names to follow from there inside the field's text, which is JSON. Strings come unquoted. */
  readonly inside?: readonly string[]
  /**
   * `text` for strings, and for other scalars as text; `number` for integers (exact to 2^53); `boolean`; and `json`
   * for anything as JSON text, structs and maps as objects. As bigint: `integer`; `days` of dates and `micros` of dates and
   * timestamps, since 1970; null throughout where the file's column is of another type.
   */
  readonly as: 'text' | 'number' | 'boolean' | 'json' | 'integer' | 'days' | 'micros'
}

export interface FieldChunk {
  /** Where in the file each row is, from 0. */
  readonly rowNumbers: readonly number[]
  /** One array for each of the request's fields, with one cell for each of `rowNumbers`. */
  readonly columns: readonly (readonly FieldCell[])[]
}

export type FieldCell = string | number | bigint | boolean | null

export interface WriteJsonRowsRequest {
  /** Absolute local path; nothing is there yet. */
  readonly path: string
  readonly columns: Columns
  /** JSON objects without line breaks; members that `columns` does not name are an error of the caller. */
  readonly rows: AsyncIterable<string>
  readonly compression: 'zstd' | 'snappy'
  /**
   * A field more in one of the structs: the members that `columns` names of a field beside it, whose text is JSON. What does not fit
   * its type becomes null.
   */
  readonly parsed?: {
    readonly struct: string
    readonly field: string
    readonly as: string
    readonly columns: Columns
  }
}
