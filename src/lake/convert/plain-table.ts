import type { Columns } from '../../model/column.ts'
import type { Scalar } from '../../model/predicate.ts'
import { TableUnsupportedError } from '../errors.ts'

/**
 * A table as both formats can tell it: what a conversion takes from one and gives to the other. Columns are known by
 * their names, in the metadata and in the files alike.
 */
export interface PlainTable {
  readonly columns: Columns
  /** Columns whose values are the same throughout a file, in order. */
  readonly partitionBy: readonly string[]
  /** Properties that mean nothing to either format. */
  readonly properties: Readonly<Record<string, string>>
  readonly transactions: readonly { readonly appId: string; readonly version: number }[]
  readonly files: readonly PlainFile[]
  /** The state it was taken from, for people. */
  readonly origin: string
}

export interface PlainFile {
  /** The store's key. */
  readonly key: string
  readonly bytes: number
  readonly modifiedMs: number
  readonly rowCount: number
  /** In the order of `PlainTable.partitionBy`. */
  readonly partition: readonly (Scalar | null)[]
  /** By column, for those at the top of which something is known; never partition columns. */
  readonly statistics: ReadonlyMap<string, PlainStatistics>
  /** Rows that are gone: indexes, ascending. */
  readonly deletedRows?: Float64Array
}

/** Bounds enclose all values that are not null. */
export interface PlainStatistics {
  readonly min?: Scalar | undefined
  readonly max?: Scalar | undefined
  readonly nullCount?: number | undefined
}

/** @throws TableUnsupportedError naming what keeps a table from being told in the other format, if anything does */
export function refuseUncarried(table: string, to: string, obstacles: Iterable<string>): void {
  const features = [...new Set(obstacles)]
  if (features.length > 0)
    throw new TableUnsupportedError(
      `${table} cannot become ${to} without new data files, because of its ${features.join(', ')}. Nothing was written.`,
      features,
    )
}
