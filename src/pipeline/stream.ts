import type { Columns } from '../model/column.ts'
import { joinedColumns } from '../model/joined-columns.ts'
import { columnsOf, type FieldMap, type RecordSchema, type Row } from '../model/schema.ts'
import type { Step } from '../model/step.ts'
import { type ColumnExprs, columnExprs, type Expr } from './expression.ts'
import { joinStep, type Reference } from './reference.ts'

type RowOfExprs<S> = { [Name in keyof S]: S[Name] extends Expr<infer T> ? T : never }

/** Rows of a topic after some steps, as a value. */
export interface Rows<R> {
  /** Name of the topic the rows come from. */
  readonly topic: string
  /** Further topics whose records come along: `union`. */
  readonly alsoTopics: readonly string[]
  readonly steps: readonly Step[]
  readonly columns: Columns
  /** Exists for the compiler only. */
  readonly _row?: R
}

export interface JoinOptions<R, Take, At = keyof R & string> {
  /** What to look up. */
  readonly on: keyof R & string
  /** The instant of the row whose version of the reference counts. */
  readonly at: At
  /** New names, and the reference's columns that they take. */
  readonly take: Take
}

type Taken<Ref, Take> = {
  readonly [Name in keyof Take]: Take[Name] extends keyof Ref ? Ref[Take[Name]] | null : never
}
/** What was looked up and not found, as `customers:42`. */
interface Missing {
  readonly missing_refs: string[]
}
type ElementOf<L> = L extends readonly (infer Item)[] ? Item : never
type Simplify<T> = { [K in keyof T]: T[K] }

/**
 * Rows on their way: a topic and what is done to its records. Immutable; each step gives a new stream,
 * so one topic can feed many. `R` is the row, checked to the column.
 */
export interface Stream<R> extends Rows<R> {
  /** New columns from expressions; runs inside the compute engine, whole batches at a time. */
  select<const S extends Readonly<Record<string, Expr<unknown>>>>(
    make: (columns: ColumnExprs<R>) => S,
  ): Stream<RowOfExprs<S>>

  /** Keep rows for which the condition is true; the others are counted as filtered. Runs inside the compute engine. */
  where(condition: (columns: ColumnExprs<R>) => Expr<boolean>): Stream<R>

  /**
   * Columns of a reference, as it was at an instant of the row. A row whose key finds nothing stays, with nulls, and is
   * written again once the reference knows the key, where the rows are kept by key (`p.table(…, { key })`).
   */
  join<Ref, const Take extends Readonly<Record<string, keyof Ref & string>>>(
    reference: Reference<Ref>,
    options: JoinOptions<R, Take>,
  ): Stream<Simplify<R & Taken<Ref, Take> & Missing>>

  /** The same for each element of a list. */
  joinEach<
    Ref,
    const List extends keyof R & string,
    const Take extends Readonly<Record<string, keyof Ref & string>>,
  >(
    reference: Reference<Ref>,
    list: List,
    options: JoinOptions<ElementOf<R[List]>, Take, keyof R & string>,
  ): Stream<
    Simplify<
      Omit<R, List> & {
        readonly [L in List]: Simplify<ElementOf<R[L]> & Taken<Ref, Take>>[]
      } & Missing
    >
  >

  /** New rows from your own TypeScript, one for one. An error thrown for a row makes a dead letter of its record. */
  map<const Fields extends FieldMap>(
    schema: RecordSchema<Fields>,
    step: (row: R) => Row<RecordSchema<Fields>>,
  ): Stream<Row<RecordSchema<Fields>>>

  /** Keep rows for which your own TypeScript says true; the others are counted as filtered. */
  filter(step: (row: R) => boolean): Stream<R>
}

/**
 * The records of several topics as one stream. All have the same schema, which is checked with the plan, and nothing was done to
 * them yet. Offsets are kept for each topic, so the ledger stays arithmetic.
 */
export function union<R>(first: Rows<R>, ...others: readonly Rows<R>[]): Stream<R> {
  const also = others.flatMap(({ topic, alsoTopics }) => [topic, ...alsoTopics])
  return stream<R>(first.topic, first.columns, { alsoTopics: [...first.alsoTopics, ...also] })
}

export function stream<R>(
  topic: string,
  columns: Columns,
  {
    steps = [],
    alsoTopics = [],
  }: { readonly steps?: readonly Step[]; readonly alsoTopics?: readonly string[] } = {},
): Stream<R> {
  const then = <Next>(step: Step, next: Columns): Stream<Next> =>
    stream<Next>(topic, next, { steps: Object.freeze([...steps, Object.freeze(step)]), alsoTopics })
  return Object.freeze({
    topic,
    alsoTopics,
    steps,
    columns,
    select<const S extends Readonly<Record<string, Expr<unknown>>>>(
      make: (columns: ColumnExprs<R>) => S,
    ) {
      const selected = Object.entries(make(columnExprs<R>(columns))).map(([name, { node }]) => ({
        name,
        expression: node,
      }))
      const next = selected.map(({ name, expression: { type, nullable } }) => ({
        name,
        type,
        nullable,
      }))
      return then<RowOfExprs<S>>({ kind: 'select', columns: selected }, next)
    },
    where(condition: (columns: ColumnExprs<R>) => Expr<boolean>) {
      return then<R>({ kind: 'where', condition: condition(columnExprs<R>(columns)).node }, columns)
    },
    // The compiler knows the new row from the signature; here it is columns.
    join: (reference: Reference<never>, options: JoinOptions<R, object>) => {
      const step = joinStep(reference, options)
      return then(step, joinedColumns(columns, step)) as never
    },
    joinEach: (
      reference: Reference<never>,
      list: string,
      options: JoinOptions<never, object, string>,
    ) => {
      const step = { ...joinStep(reference, options), each: list }
      return then(step, joinedColumns(columns, step)) as never
    },
    map<const Fields extends FieldMap>(
      schema: RecordSchema<Fields>,
      step: (row: R) => Row<RecordSchema<Fields>>,
    ) {
      const next = columnsOf(schema)
      return then<Row<RecordSchema<Fields>>>(
        { kind: 'map', columns: next, map: step as (row: never) => object },
        next,
      )
    },
    filter(step: (row: R) => boolean) {
      return then<R>({ kind: 'filter', filter: step as (row: never) => boolean }, columns)
    },
  })
}
