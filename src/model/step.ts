import type { Columns } from './column.ts'
import type { Expression } from './expression.ts'

/**
 * What a stream does to its rows, one after another. `select` and `where` are expressions and run inside
 * the compute engine; `map` and `filter` are the user's own TypeScript and see plain row objects.
 * Every step keeps one row for one record, so that the ledger stays arithmetic.
 */
export type Step = SelectStep | WhereStep | MapStep | FilterStep

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
