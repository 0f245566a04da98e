import type { Columns } from './column.ts'

/**
 * An SQL model as a value: one SELECT whose rows are a table of the lake. Written in `pipeline/`, compiled in `sql/models/`,
 * run by the doorway `flow/run-model.ts`.
 */
export interface SqlModel {
  /** `layer.name` */
  readonly name: string
  readonly sql: SqlSource
  readonly materialize: Materialization
  /** The table whose committed versions drive an incremental model; in its SQL it is the relation `incoming`. */
  readonly incoming?: string
  /** Day or instant of an incoming row, by which a backfill is bounded. */
  readonly backfillBy?: string
  readonly format: 'delta' | 'iceberg'
  readonly partitionBy: readonly string[]
  readonly properties: Readonly<Record<string, string>>
  readonly tags: readonly string[]
  readonly tests: readonly DataTest[]
  readonly unitTests: readonly UnitTest[]
  /** What the rows must be, to the column. Needed where a model reads its own table, which is not there the first time. */
  readonly columns?: Columns
  /** Values that its SQL asks for with `parameter('name')`; null where none is said. */
  readonly parameters: Readonly<Record<string, string | null>>
  /** Where its SQL runs. The rows are committed by Mekong either way. */
  readonly engine: 'duckdb' | 'spark'
  /** What a changed SQL does to the rows that are there. `keep` leaves them as they are. */
  readonly onChange: 'rebuild' | 'keep'
}

/** A file of SQL, or the text itself. */
export type SqlSource = URL | string

/** How the rows of a model are kept. */
export type Materialization =
  /** Nothing is stored; whoever reads it computes it. */
  | { readonly kind: 'view' }
  /** All rows anew whenever something it reads has changed. */
  | { readonly kind: 'table' }
  /** Rows made from `incoming` are added. */
  | { readonly kind: 'append' }
  | MergeMaterialization
  | PartitionsMaterialization
  | SnapshotMaterialization
  | WindowMaterialization

/** Rows made from `incoming` are put in by key. */
export interface MergeMaterialization {
  readonly kind: 'merge'
  readonly key: readonly string[]
  /** Of a row whose key is there: take the new one, or keep what is there. */
  readonly whenMatched: 'update' | 'keep'
  /** Of a key whose rows went from the incoming table: take it away, or keep what is there. Default `keep`. */
  readonly deletes?: 'follow' | 'keep'
}

/** Partitions that `incoming` touches are made anew and replaced at once. */
export interface PartitionsMaterialization {
  readonly kind: 'partitions'
  /** Columns whose values are the partitions. */
  readonly by: readonly string[]
  /**
   * SQL that yields, from `incoming` and anything else, the values of `by` to be made anew. Its `incoming` holds also the rows as they
   * were, so that where a row left is touched too. By default the distinct values of these columns of `incoming`.
   */
  readonly touched?: SqlSource
  /** How much of the tables it reads it needs for the touched partitions; by table, then by column. By default everything. */
  readonly reads: Readonly<Record<string, Readonly<Record<string, PartitionReach>>>>
}

/** The values of a column that are needed for the touched values of a partition column. */
export interface PartitionReach {
  readonly of: string
  /** Days before a touched day. */
  readonly daysBefore: number
  readonly daysAfter: number
}

/** Every version of a row by key, with `valid_from`, `valid_to` and `is_current` (a slowly changing dimension of type 2). */
export interface SnapshotMaterialization {
  readonly kind: 'snapshot'
  readonly key: readonly string[]
  /** Column that says since when a row holds; each such moment is a version. By default the run's logical time, when something changed. */
  readonly validFrom?: string
  /** Columns whose change alone makes no new version; for rows that do not say since when they hold. */
  readonly ignore: readonly string[]
}

/**
 * Sums by key over the newest days of `incoming`, kept by adding the days that came and taking away those that left. In the model's SQL
 * they are the relation `totals`; the model keeps their columns beside what it makes of them, so that its table is all there is to go on from.
 */
export interface WindowMaterialization {
  readonly kind: 'window'
  /** Columns of `rows` that a total is for. */
  readonly key: readonly string[]
  /** Day of a row: a date of the incoming table, which `rows` yields under the same name. */
  readonly day: string
  /** Length of the window, from 1 to 3,660 days. */
  readonly days: number
  /** Last day of the window, `YYYY-MM-DD`. Default: the newest there is. */
  readonly lastDay?: string
  /** Name of the count of distinct days on which a key has rows. A key without any is not in the table. */
  readonly daysCount: string
  /**
   * SQL over `incoming` that yields, for each of its rows, none or one with the key, the day, and whole numbers to be summed.
   */
  readonly rows: SqlSource
}

export const WINDOW_DAYS_MAX = 3_660

/** Whether a text is a day that exists, `YYYY-MM-DD`. */
export function isDayText(text: string): boolean {
  const at = new Date(`${text}T00:00:00Z`)
  return (
    /^\d{4}-\d\d-\d\d$/.test(text) &&
    !Number.isNaN(at.getTime()) &&
    at.toISOString().startsWith(text)
  )
}

export type Severity = 'warn' | 'error'

/** A question about the rows of a model whose answer must be no rows. */
export type DataTest = DataTestKind & { readonly name: string; readonly severity: Severity }

export type DataTestKind =
  | { readonly kind: 'not_null'; readonly column: string }
  | { readonly kind: 'unique'; readonly columns: readonly string[] }
  | {
      readonly kind: 'accepted'
      readonly column: string
      readonly values: readonly (string | number | boolean)[]
    }
  | {
      readonly kind: 'relationship'
      readonly column: string
      readonly table: string
      readonly field: string
    }
  /** SQL that must not be false for any row. */
  | { readonly kind: 'expression'; readonly sql: string }
  | {
      readonly kind: 'freshness'
      readonly column: string
      readonly warnAfterMs?: number
      readonly errorAfterMs?: number
    }
  | { readonly kind: 'row_count'; readonly min?: number; readonly max?: number }
  /** A SELECT whose rows are failures. */
  | { readonly kind: 'custom'; readonly sql: SqlSource }

/** A model tried on rows given by hand; nothing of a lake is needed. */
export interface UnitTest {
  readonly name: string
  /**
   * Rows by relation: `incoming`, `touched` or `layer.name`; as objects, or as a SELECT where types matter. Relations whose columns are
   * known (declared by a table or a model) may be left out, and are empty.
   */
  readonly given: Readonly<Record<string, readonly UnitRow[] | string>>
  /** Rows that must come out, in any order; columns that are left out are not looked at. */
  readonly expect: readonly UnitRow[]
  /** What `run_time()` says. */
  readonly runTime?: string
}

/** Values as JSON has them; instants and days as text. */
export type UnitRow = Readonly<Record<string, unknown>>

/** The columns that a snapshot model adds. */
export const VALIDITY_COLUMNS = [
  { name: 'valid_from', type: 'timestamp', nullable: false, doc: 'Since when the row holds.' },
  {
    name: 'valid_to',
    type: 'timestamp',
    nullable: true,
    doc: 'Until when it held; null: it does.',
  },
  { name: 'is_current', type: 'boolean', nullable: false, doc: 'Whether it holds now.' },
] as const satisfies Columns
