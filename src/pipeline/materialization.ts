import type {
  MergeMaterialization,
  PartitionReach,
  PartitionsMaterialization,
  SnapshotMaterialization,
  SqlSource,
  WindowMaterialization,
} from '../model/sql-model.ts'

/** Rows made from `incoming` are put in by key: a key that is there takes the new row, or with `whenMatched: 'keep'` stays as it is. */
export function merge(options: {
  readonly key: readonly string[]
  /** Default `update`. */
  readonly whenMatched?: 'update' | 'keep'
  /**
   * `follow` takes a key away when the rows that made it have gone from the incoming table, and puts in again what other rows still make of it. The
   * SQL must not read the model's own table. Default `keep`: what was once made stays, also when the table it came from is relieved of old rows.
   */
  readonly deletes?: 'follow' | 'keep'
}): MergeMaterialization {
  return Object.freeze({ kind: 'merge', whenMatched: 'update', ...options })
}

/** How much of a table a partition needs, by column: the same value of a partition column, or days around it. */
export type Reaches = Readonly<
  Record<
    string,
    string | { readonly of: string; readonly daysBefore?: number; readonly daysAfter?: number }
  >
>

/**
 * Partitions that `incoming` touches are made anew, and replaced at once. The SQL is that of the whole table: its rows outside the
 * touched partitions are left out, and it may join the relation `touched` to do less.
 */
export function partitions(options: {
  readonly by: readonly string[]
  /** SQL over `incoming` that yields the partitions to make anew. Default: `SELECT DISTINCT <by> FROM incoming`. */
  readonly touched?: SqlSource
  /** By table: `{ 'silver.x': { event_date: { of: 'activity_date', daysBefore: 6 } } }`. Default: the tables whole. */
  readonly reads?: Readonly<Record<string, Reaches>>
}): PartitionsMaterialization {
  const { by, touched, reads = {} } = options
  return Object.freeze({
    kind: 'partitions',
    by,
    ...(touched === undefined ? {} : { touched }),
    reads: Object.fromEntries(
      Object.entries(reads).map(([table, reaches]) => [table, reachesOf(reaches)]),
    ),
  })
}

/** Every version of a row by key, with `valid_from`, `valid_to` and `is_current`. */
export function snapshot(options: {
  readonly key: readonly string[]
  /**
   * Column that says since when a row holds, an instant: each such moment is a version, in whatever order they come. Default: the run's
   * logical time, when something has changed.
   */
  readonly validFrom?: string
  /** Columns whose change alone makes no new version; not with `validFrom`. Default: none. */
  readonly ignore?: readonly string[]
}): SnapshotMaterialization {
  return Object.freeze({ kind: 'snapshot', ignore: [], ...options })
}

/**
 * Sums by key over so many days up to the newest there is, kept by adding days that came and taking away days that left; a day that changed is taken
 * away as it was and added as it is. The model's SQL reads the relation `totals` (key, sums, count of days) and nothing else, and keeps
 * its columns under their names.
 */
export function window(options: {
  readonly key: readonly string[]
  /** Date of the incoming table. */
  readonly day: string
  /** Default 30. */
  readonly days?: number
  /** Last day of the window, `YYYY-MM-DD`. Default: the newest day there is. */
  readonly lastDay?: string
  /** Name for the number of days on which a key has rows. */
  readonly daysCount: string
  /** SQL over `incoming`: key, day, and whole numbers to be summed, row by row. */
  readonly rows: SqlSource
}): WindowMaterialization {
  return Object.freeze({ kind: 'window', days: WINDOW_DAYS_DEFAULT, ...options })
}

/** A month of days. */
const WINDOW_DAYS_DEFAULT = 30

function reachesOf(reaches: Reaches): Readonly<Record<string, PartitionReach>> {
  return Object.fromEntries(
    Object.entries(reaches).map(([column, reach]) => [
      column,
      { daysBefore: 0, daysAfter: 0, ...(typeof reach === 'string' ? { of: reach } : reach) },
    ]),
  )
}
