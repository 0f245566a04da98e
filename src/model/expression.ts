import type { ColumnType } from './column.ts'

/**
 * An expression over the columns of one row, as a plain value: written in `pipeline/`, compiled to SQL
 * in `sql/`. Every node knows the type of what it yields.
 */
export type Expression = ColumnReference | Literal | Call

export interface ColumnReference {
  readonly kind: 'column'
  readonly name: string
  readonly type: ColumnType
  readonly nullable: boolean
}

export interface Literal {
  readonly kind: 'literal'
  readonly value: string | number | bigint | boolean | null
  readonly type: ColumnType
  readonly nullable: boolean
}

export interface Call {
  readonly kind: 'call'
  readonly fn: FunctionName
  readonly args: readonly Expression[]
  readonly type: ColumnType
  readonly nullable: boolean
}

/**
 * `processing_time` is one instant for a whole micro-batch, fixed when the batch is staged. `arrival_time`
 * is when the log took the record, `record_id` its id. `utc_day` is the calendar day of an instant in UTC. `choose` yields its second
 * argument where the first is true, and the third elsewhere. `add_millis` moves an instant.
 */
export type FunctionName =
  | 'equal'
  | 'not_equal'
  | 'less'
  | 'less_or_equal'
  | 'greater'
  | 'greater_or_equal'
  | 'and'
  | 'or'
  | 'not'
  | 'is_null'
  | 'add'
  | 'subtract'
  | 'multiply'
  | 'coalesce'
  | 'lower'
  | 'upper'
  | 'trim'
  | 'concat'
  | 'processing_time'
  | 'arrival_time'
  | 'record_id'
  | 'utc_day'
  | 'choose'
  | 'add_millis'
