import type { Micros } from '../model/clock.ts'
import type { Columns, ColumnType } from '../model/column.ts'
import { assert } from '../model/errors.ts'
import type { Expression, FunctionName } from '../model/expression.ts'
import { columnTypeOf, type Field, type FieldKind } from '../model/schema.ts'

/**
 * A column, or something computed from columns, with the TypeScript type of its values. Nothing is computed when one is
 * written: it is a value that the compute engine turns into SQL.
 */
export interface Expr<T> {
  readonly node: Expression
  eq(other: Operand<T>): Expr<boolean>
  ne(other: Operand<T>): Expr<boolean>
  lt(other: Operand<T>): Expr<boolean>
  lte(other: Operand<T>): Expr<boolean>
  gt(other: Operand<T>): Expr<boolean>
  gte(other: Operand<T>): Expr<boolean>
  isNull(): Expr<boolean>
  /** This value, or `other` where it is null. */
  orElse(other: Operand<NonNullable<T>>): Expr<NonNullable<T>>
  /** Exists for the compiler only. */
  readonly _type?: T
}

type Operand<T> = Expr<NonNullable<T>> | Expr<T> | NonNullable<T>

/** One expression for every column of a row. */
export type ColumnExprs<R> = { readonly [Name in keyof R]: Expr<R[Name]> }

/** Expressions for the columns of a relation, by name. */
export function columnExprs<R>(columns: Columns): ColumnExprs<R> {
  return Object.freeze(
    Object.fromEntries(
      columns.map(({ name, type, nullable }) => [
        name,
        expr({ kind: 'column', name, type, nullable }),
      ]),
    ),
  ) as ColumnExprs<R>
}

/** The instant at which a micro-batch was staged: one value for all its rows, UTC. */
export const processingTime = (): Expr<Micros> => call('processing_time', [], 'timestamp')

/** When the log took the record, UTC. */
export const arrivalTime = (): Expr<Micros> => call('arrival_time', [], 'timestamp')

/** The record's stable id. */
export const recordId = (): Expr<string> => call('record_id', [], 'string')

/** Partition of its topic that the record is in. */
export const recordPartition = (): Expr<number> => call('record_partition', [], 'int32')

/** Place of the record in its partition. */
export const recordOffset = (): Expr<bigint> => call('record_offset', [], 'int64')

/** The trace that the record came with (W3C Trace Context, 32 hex digits), given or assigned at the front door. */
export const traceId = (): Expr<string | null> => call('trace_id', [], 'string', true)

/** An instant as ISO 8601 text in UTC, such as `2015-01-01T00:00:00Z`. */
export const isoText = <T extends Micros | null>(
  instant: Expr<T>,
): Expr<T extends null ? string | null : string> => call('iso_text', [instant.node], 'string')

/** A field of a nested record; null where the record is. */
export function field<R, Name extends keyof NonNullable<R> & string>(
  of: Expr<R>,
  name: Name,
): Expr<NonNullable<R>[Name] | Extract<R, null>> {
  const { type, nullable } = of.node
  const columns = typeof type === 'object' && type.kind === 'struct' ? type.columns : []
  const column = columns.find((each) => each.name === name)
  assert(column !== undefined, `a record without the field ${name} was asked for it`)
  const literal = { kind: 'literal', value: name, type: 'string', nullable: false } as const
  return call('field', [of.node, literal], column.type, nullable || column.nullable)
}

export const and = (...conditions: readonly Expr<boolean>[]): Expr<boolean> =>
  logical('and', conditions)
export const or = (...conditions: readonly Expr<boolean>[]): Expr<boolean> =>
  logical('or', conditions)
export const not = (condition: Expr<boolean>): Expr<boolean> => logical('not', [condition])

/** `then` where the condition is true, `otherwise` where it is false or null. Both are of one type. */
export function choose<T>(condition: Expr<boolean>, then: Expr<T>, otherwise: Expr<T>): Expr<T> {
  const nullable = then.node.nullable || otherwise.node.nullable
  return call('choose', [condition.node, then.node, otherwise.node], then.node.type, nullable)
}

/** An instant some milliseconds later; earlier when they are negative. A whole number of milliseconds. */
export function addMillis<T extends Micros | null>(instant: Expr<T>, millis: number): Expr<T> {
  return call(
    'add_millis',
    [instant.node, operand(millis, 'int64')],
    'timestamp',
    instant.node.nullable,
  )
}

/**
 * An expression in the compute engine's own words, over the columns by their names; for what the functions here do not say. The type is
 * taken at its word: values are cast to it, and a record whose value cannot be is a dead letter.
 */
export function sql<F extends Field>(field: F, text: string): Expr<RowOf<F>> {
  return call('sql', [operand(text, 'string')], columnTypeOf(field), field.optional)
}

type RowOf<F> =
  F extends Field<FieldKind, unknown, infer R>
    ? F extends { readonly optional: true }
      ? R | null
      : R
    : never

export const lower = <T extends string | null>(text: Expr<T>): Expr<T> => ofText('lower', text)
export const upper = <T extends string | null>(text: Expr<T>): Expr<T> => ofText('upper', text)
export const trim = <T extends string | null>(text: Expr<T>): Expr<T> => ofText('trim', text)

/** Texts one after another; null when one of them is. */
export function concat(...parts: readonly (Expr<string> | string)[]): Expr<string> {
  return call(
    'concat',
    parts.map((part) => operand(part, 'string')),
    'string',
  )
}

function expr<T>(node: Expression): Expr<T> {
  const compare = (fn: FunctionName) => (other: Operand<T>) =>
    call<boolean>(fn, [node, operand(other, node.type)], 'boolean')
  return Object.freeze({
    node,
    eq: compare('equal'),
    ne: compare('not_equal'),
    lt: compare('less'),
    lte: compare('less_or_equal'),
    gt: compare('greater'),
    gte: compare('greater_or_equal'),
    isNull: () => call<boolean>('is_null', [node], 'boolean', false),
    orElse: (other: Operand<NonNullable<T>>) => {
      const fallback = operand(other, node.type)
      return call<NonNullable<T>>('coalesce', [node, fallback], node.type, fallback.nullable)
    },
  })
}

function operand(value: unknown, type: ColumnType): Expression {
  if (typeof value === 'object' && value !== null && 'node' in value)
    return (value as Expr<unknown>).node
  return Object.freeze({
    kind: 'literal',
    value: value as string | number | bigint | boolean | null,
    type,
    nullable: value === null,
  })
}

function call<T>(
  fn: FunctionName,
  args: readonly Expression[],
  type: ColumnType,
  nullable = args.some((arg) => arg.nullable),
): Expr<T> {
  return expr(Object.freeze({ kind: 'call', fn, args, type, nullable }))
}

const logical = (fn: FunctionName, conditions: readonly Expr<boolean>[]) =>
  call<boolean>(
    fn,
    conditions.map((condition) => condition.node),
    'boolean',
  )

const ofText = <T extends string | null>(fn: FunctionName, text: Expr<T>) =>
  call<T>(fn, [text.node], 'string')
