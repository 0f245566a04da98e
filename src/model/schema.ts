import type { Micros } from './clock.ts'
import type { ColumnType } from './column.ts'

/**
 * The schema language: one declaration gives the check at the door, the OpenAPI page, the TypeScript
 * types, the decoder and the table's columns.
 *
 * A field knows three types: what a client writes in JSON (`Body`), what a TypeScript step sees (`Row`)
 * and what a table stores (`ColumnType`).
 */
export interface Field<Kind extends FieldKind = FieldKind, Body = unknown, Row = unknown> {
  readonly kind: Kind
  readonly optional: boolean
  readonly doc?: string
  /** Exists for the compiler only. */
  readonly _body?: Body
  readonly _row?: Row
}

export type FieldKind =
  | 'boolean'
  | 'int32'
  | 'int64'
  | 'float64'
  | 'decimal'
  | 'text'
  | 'timestamp'
  | 'epoch'
  | 'date'
  | 'json'
  | 'list'
  | 'record'

export interface IntegerField<Kind extends 'int32' | 'int64', Body, Row>
  extends Field<Kind, Body, Row> {
  readonly min?: number
  readonly max?: number
}

export interface TextField<Text extends string = string> extends Field<'text', Text, Text> {
  /** In characters (Unicode code points), as PostgreSQL's `varchar(n)` counts. */
  readonly min?: number
  readonly max?: number
  readonly oneOf?: readonly Text[]
}

export interface DecimalField extends Field<'decimal', number | string, string> {
  readonly precision: number
  readonly scale: number
}

export interface ListField<Item extends Field = Field>
  extends Field<'list', BodyOf<Item>[], RowOf<Item>[]> {
  readonly item: Item
  readonly min?: number
  readonly max?: number
}

export interface RecordField<Fields extends FieldMap = FieldMap>
  extends Field<'record', Body<RecordSchema<Fields>>, Row<RecordSchema<Fields>>> {
  readonly fields: Fields
}

export type FieldMap = Readonly<Record<string, Field>>

/** The schema of a topic's value or of a table's rows. Fields it does not name are let through and kept. */
export interface RecordSchema<Fields extends FieldMap = FieldMap> {
  readonly fields: Fields
}

type BodyOf<F> = F extends Field<FieldKind, infer B, unknown> ? B : never
type RowOf<F> = F extends Field<FieldKind, unknown, infer R> ? R : never
type OptionalNames<Fields extends FieldMap> = {
  [Name in keyof Fields]: Fields[Name] extends { readonly optional: true } ? Name : never
}[keyof Fields]
type Flat<T> = { [K in keyof T]: T[K] }

/** What a client sends as JSON. */
export type Body<S> =
  S extends RecordSchema<infer Fields>
    ? Flat<
        { -readonly [N in Exclude<keyof Fields, OptionalNames<Fields>>]: BodyOf<Fields[N]> } & {
          -readonly [N in OptionalNames<Fields>]?: BodyOf<Fields[N]> | null
        }
      >
    : never

/** What a TypeScript step sees: every field present, `null` where an optional one was missing. */
export type Row<S> =
  S extends RecordSchema<infer Fields>
    ? Flat<{
        -readonly [N in keyof Fields]: Fields[N] extends { readonly optional: true }
          ? RowOf<Fields[N]> | null
          : RowOf<Fields[N]>
      }>
    : never

interface Doc {
  readonly doc?: string
}

type Made<F> = F & { readonly optional: false }

/** A record schema. Field names are kept exactly; they become column names. */
export function record<const Fields extends FieldMap>(fields: Fields): RecordSchema<Fields> {
  return Object.freeze({ fields: Object.freeze({ ...fields }) })
}

export const boolean = (options: Doc = {}): Made<Field<'boolean', boolean, boolean>> =>
  field({ kind: 'boolean', ...options })

/** A whole number from -2147483648 to 2147483647, or between narrower bounds (both inclusive). */
export const int32 = (
  options: Doc & { readonly min?: number; readonly max?: number } = {},
): Made<IntegerField<'int32', number, number>> => field({ kind: 'int32', ...options })

/** A whole number of 64 bits; a `bigint` in TypeScript steps, because a `number` would round it. */
export const int64 = (
  options: Doc & { readonly min?: number; readonly max?: number } = {},
): Made<IntegerField<'int64', number | bigint, bigint>> => field({ kind: 'int64', ...options })

export const float64 = (options: Doc = {}): Made<Field<'float64', number, number>> =>
  field({ kind: 'float64', ...options })

/** An exact number; text in TypeScript steps, because money is never a float. */
export const decimal = (precision: number, scale: number, options: Doc = {}): Made<DecimalField> =>
  field({ kind: 'decimal', precision, scale, ...options })

export const text = <const Text extends string = string>(
  options: Doc & {
    readonly min?: number
    readonly max?: number
    readonly oneOf?: readonly Text[]
  } = {},
): Made<TextField<Text>> => field({ kind: 'text', ...options })

/** An instant written as ISO 8601 with a zone, such as `2023-11-29T05:09:27.890Z`. */
export const timestamp = (options: Doc = {}): Made<Field<'timestamp', string, Micros>> =>
  field({ kind: 'timestamp', ...options })

/** An instant written as a whole epoch number in seconds, ms, µs or ns, told apart by magnitude (`model/epoch.ts`). */
export const epoch = (options: Doc = {}): Made<Field<'epoch', number | bigint, Micros>> =>
  field({ kind: 'epoch', ...options })

/** A calendar day written as `YYYY-MM-DD`. */
export const date = (options: Doc = {}): Made<Field<'date', string, string>> =>
  field({ kind: 'date', ...options })

/** Any JSON at all, kept as text. */
export const json = (options: Doc = {}): Made<Field<'json', unknown, string>> =>
  field({ kind: 'json', ...options })

export const list = <const Item extends Field>(
  item: Item,
  options: Doc & { readonly min?: number; readonly max?: number } = {},
): Made<ListField<Item>> => field({ kind: 'list', item, ...options })

/** A nested object. */
export const nested = <const Fields extends FieldMap>(
  fields: Fields,
  options: Doc = {},
): Made<RecordField<Fields>> => field({ kind: 'record', fields, ...options })

/** The same field, but it may be missing or `null`. */
export function optional<F extends Field>(
  field: F,
): Omit<F, 'optional'> & { readonly optional: true } {
  return Object.freeze({ ...field, optional: true as const })
}

function field<F extends Field>(parts: Omit<F, 'optional'>): F & { readonly optional: false } {
  return Object.freeze({ ...parts, optional: false }) as F & { readonly optional: false }
}

/** The type of the column that stores a field. */
export function columnTypeOf(field: Field): ColumnType {
  switch (field.kind) {
    case 'text':
    case 'json':
      return 'string'
    case 'epoch':
      return 'timestamp'
    case 'decimal': {
      const { precision, scale } = field as DecimalField
      return { kind: 'decimal', precision, scale }
    }
    case 'list': {
      const { item } = field as ListField
      return { kind: 'list', element: columnTypeOf(item), elementNullable: item.optional }
    }
    case 'record':
      return { kind: 'struct', columns: columnsOf(field as RecordField) }
    default:
      return field.kind
  }
}

/** The columns that store a record. */
export function columnsOf(
  schema: RecordSchema | RecordField,
): { name: string; type: ColumnType; nullable: boolean; doc?: string }[] {
  return Object.entries(schema.fields).map(([name, field]) => ({
    name,
    type: columnTypeOf(field),
    nullable: field.optional,
    ...(field.doc === undefined ? {} : { doc: field.doc }),
  }))
}
