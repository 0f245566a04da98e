import type { Micros } from '../../model/clock.ts'
import { assert } from '../../model/errors.ts'
import type { Call, Expression, FunctionName, Literal } from '../../model/expression.ts'
import { quoteIdentifier, quoteText } from './quote-identifier.ts'
import { duckdbType } from './type-mapping.ts'

/** What an expression may refer to besides columns. */
export interface ExpressionContext {
  /** The one instant of the whole batch. */
  readonly processingTime: Micros
}

const OPERATORS: Partial<Record<FunctionName, string>> = {
  equal: '=',
  not_equal: '<>',
  less: '<',
  less_or_equal: '<=',
  greater: '>',
  greater_or_equal: '>=',
  and: 'AND',
  or: 'OR',
  add: '+',
  subtract: '-',
  multiply: '*',
  // `concat(a, b)` would skip nulls; `||` is null when one side is.
  concat: '||',
}

/** An expression as SQL over the columns of a stream's relation. The value has exactly the expression's type. Pure. */
export function expressionSql(expression: Expression, context: ExpressionContext): string {
  switch (expression.kind) {
    case 'column':
      return quoteIdentifier(expression.name)
    case 'literal':
      return literalSql(expression)
    case 'call':
      return callSql(expression, context)
  }
}

/** Whether evaluating the expression can fail for some rows: arithmetic that leaves its type's range, or somebody's SQL. */
export function canFail(expression: Expression): boolean {
  if (expression.kind !== 'call') return false
  return MAY_FAIL.has(expression.fn) || expression.args.some(canFail)
}

const ARITHMETIC: ReadonlySet<FunctionName> = new Set(['add', 'subtract', 'multiply'])

/** What is written as SQL may do anything. */
const MAY_FAIL: ReadonlySet<FunctionName> = new Set([...ARITHMETIC, 'sql'])

function sqlText({ args: [text] }: Call): string {
  assert(text?.kind === 'literal' && typeof text.value === 'string', 'SQL is a text')
  return text.value
}

function literalSql({ value, type }: Literal): string {
  const name = duckdbType(type)
  if (value === null) return `CAST(NULL AS ${name})`
  if (type === 'timestamp') return `make_timestamptz(${wholeNumber(value)})`
  if (type === 'timestamp_ntz') return `make_timestamp(${wholeNumber(value)})`
  if (typeof value === 'boolean') return `CAST(${value} AS ${name})`
  // As text, whatever it is: a bare 0.1 would be a decimal, a bare 1e30 a double.
  return `CAST(${quoteText(String(value))} AS ${name})`
}

function wholeNumber(value: Literal['value']): bigint {
  assert(typeof value === 'bigint', 'literals of instants are microseconds as bigint')
  return value
}

function callSql(call: Call, context: ExpressionContext): string {
  const args = call.args.map((arg) => expressionSql(arg, context))
  const operator = OPERATORS[call.fn]
  if (operator !== undefined) {
    const joined = `(${args.join(` ${operator} `)})`
    // Sums of narrow integers come out wider; the declared type holds.
    return ARITHMETIC.has(call.fn) ? `CAST(${joined} AS ${duckdbType(call.type)})` : joined
  }
  switch (call.fn) {
    case 'not':
      return `(NOT ${args[0]})`
    case 'is_null':
      return `(${args[0]} IS NULL)`
    case 'coalesce':
    case 'lower':
    case 'upper':
      return `${call.fn}(${args.join(', ')})`
    case 'trim':
      return `trim(${args[0]})`
    case 'sql':
      return `CAST((${sqlText(call)}) AS ${duckdbType(call.type)})`
    case 'choose':
      return `(CASE WHEN ${args[0]} THEN ${args[1]} ELSE ${args[2]} END)`
    case 'add_millis':
      // As a number: adding an interval asks a calendar about every row.
      return `make_timestamptz(epoch_us(${args[0]}) + ${args[1]} * 1000)`
    case 'processing_time':
      return `make_timestamptz(${context.processingTime})`
    case 'arrival_time':
      return '_arrived_at'
    case 'record_id':
      return '_id'
    case 'record_partition':
      return '_partition'
    case 'record_offset':
      return '_offset'
    case 'trace_id':
      // W3C Trace Context: version, trace id, parent id, flags; the headers are JSON as we write it.
      return `nullif(regexp_extract(_headers, '"traceparent":"[0-9a-f]{2}-([0-9a-f]{32})-', 1), '')`
    case 'field':
      return `struct_extract(${args.join(', ')})`
    case 'iso_text': {
      const instant = `make_timestamp(epoch_us(${args[0]}))`
      const whole = `strftime(${instant}, '%Y-%m-%dT%H:%M:%S')`
      const fraction = `rtrim(strftime(${instant}, '.%f'), '.0')`
      return `${whole} || ${fraction} || 'Z'`
    }
    case 'utc_day':
      // By its microseconds: `timezone('UTC', …)` asks a calendar about every row, which takes as long as parsing the row.
      return `CAST(make_timestamp(epoch_us(${args[0]})) AS DATE)`
    default:
      assert(false, `the function ${call.fn} has no SQL`)
  }
}
