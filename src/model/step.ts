import type { Columns, ColumnType } from './column.ts'
import type { Expression } from './expression.ts'

/**
 * What a stream does to its rows, one after another. `select` and `where` are expressions and run inside
 * the compute engine; `map` and `filter` are the user's own TypeScript and see plain row objects; `join` looks things up in a reference.
 * Every step keeps one row for one record, so that the ledger stays arithmetic.
 */
export type Step = SelectStep | WhereStep | MapStep | FilterStep | JoinStep

export interface SelectStep {
  readonly kind: 'select'
  readonly columns: readonly { readonly name: string; readonly expression: Expression }[]
}

export interface WhereStep {
  readonly kind: 'where'
  readonly condition: Expression
}

export interface MapStep {
  readonly kind: 'map'
  /** What the step returns for each row. */
  readonly columns: Columns
  /** A thrown error makes a dead letter of that one record. */
  readonly map: (row: never) => object
}

export interface FilterStep {
  readonly kind: 'filter'
  readonly filter: (row: never) => boolean
}

/**
 * Columns of a reference beside those of the row, as the reference was at an instant of the row. Rows that find nothing stay, with
 * nulls, and say so in `missing`.
 */
export interface JoinStep {
  readonly kind: 'join'
  readonly reference: string
  /** The reference's key. */
  readonly key: string
  /** What to look up: a column, or a field of each element of the list `each`. */
  readonly on: string
  readonly each?: string
  /** The instant whose version of the reference counts: a column. */
  readonly at: string
  /** New columns, or new fields of the elements; all of them nullable. */
  readonly take: readonly {
    readonly name: string
    readonly from: string
    readonly type: ColumnType
  }[]
  /** A list of texts, made when the rows have none yet: what was looked up and not found, as `customers:42`. */
  readonly missing: string
}
