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
 * is when the log took the record, `record_id` its id, `record_partition` and `record_offset` its place in its topic, `trace_id` the trace
 * it came with, null where it has none. `utc_day` is the calendar day of an instant in UTC, `iso_text` the instant as ISO 8601 text ending in Z, with as many
 * digits of a second as it needs. `field` is a field of a record: the record, and the name as a literal.
 * `choose` yields its second argument where the first is true, and the third elsewhere. `add_millis` moves an instant. `sql` is its argument, text in
 * the dialect of the compute engine over the columns of the row.
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
  | 'record_partition'
  | 'record_offset'
  | 'trace_id'
  | 'utc_day'
  | 'iso_text'
  | 'field'
  | 'choose'
  | 'add_millis'
  | 'sql'
