import type { Column, ColumnType } from '../../model/column.ts'
import type { FieldIds } from '../../model/field-ids.ts'
import { TableUnsupportedError } from '../errors.ts'

/**
 * Iceberg schemas as table metadata holds them (table spec, "Schemas and Data Types", "Appendix C"), in the spec's own
 * spelling, and as the columns they are for us.
 */
export interface IcebergSchema {
  readonly type: 'struct'
  readonly 'schema-id'?: number
  readonly 'identifier-field-ids'?: readonly number[]
  readonly fields: readonly IcebergField[]
}

export interface IcebergField {
  readonly id: number
  readonly name: string
  readonly required: boolean
  readonly type: IcebergType
  readonly doc?: string
  /** JSON single values ("Appendix D"); absent means null. */
  readonly 'initial-default'?: unknown
  readonly 'write-default'?: unknown
}

export type IcebergType = string | IcebergStruct | IcebergList | IcebergMap

export interface IcebergStruct {
  readonly type: 'struct'
  readonly fields: readonly IcebergField[]
}

export interface IcebergList {
  readonly type: 'list'
  readonly 'element-id': number
  readonly 'element-required': boolean
  readonly element: IcebergType
}

export interface IcebergMap {
  readonly type: 'map'
  readonly 'key-id': number
  readonly key: IcebergType
  readonly 'value-id': number
  readonly 'value-required': boolean
  readonly value: IcebergType
}

const PRIMITIVES: Readonly<Record<string, ColumnType>> = {
  boolean: 'boolean',
  int: 'int32',
  long: 'int64',
  float: 'float32',
  double: 'float64',
  date: 'date',
  timestamp: 'timestamp_ntz',
  timestamptz: 'timestamp',
  string: 'string',
  binary: 'binary',
  // Read as the text that engines print: lower-case and hyphenated, `HH:MM:SS[.ffffff]`. Both sort as their values do.
  uuid: 'string',
  time: 'string',
  // Always null, in whichever type.
  unknown: 'string',
}

const DECIMAL = /^decimal\(\s*(\d+)\s*,\s*(\d+)\s*\)$/
const FIXED = /^fixed\[\s*(\d+)\s*\]$/

/** The length of a `fixed[L]`; `undefined` for any other type. */
export function fixedLength(type: IcebergType): number | undefined {
  const match = typeof type === 'string' ? FIXED.exec(type) : null
  return match === null ? undefined : Number(match[1])
}

/** @throws TableUnsupportedError naming the type, for those that have no faithful column type here */
export function columnTypeOf(type: IcebergType, table: string): ColumnType {
  if (typeof type !== 'string') {
    switch (type.type) {
      case 'struct':
        return { kind: 'struct', columns: type.fields.map((field) => columnOf(field, table)) }
      case 'list':
        return {
          kind: 'list',
          element: columnTypeOf(type.element, table),
          elementNullable: !type['element-required'],
        }
      case 'map':
        return {
          kind: 'map',
          key: columnTypeOf(type.key, table),
          value: columnTypeOf(type.value, table),
          valueNullable: !type['value-required'],
        }
    }
  }
  const decimal = DECIMAL.exec(type)
  if (decimal !== null)
    return { kind: 'decimal', precision: Number(decimal[1]), scale: Number(decimal[2]) }
  if (fixedLength(type) !== undefined) return 'binary'
  const primitive = PRIMITIVES[type]
  if (primitive !== undefined) return primitive
  throw new TableUnsupportedError(
    `${table} has a column of Iceberg type ${type}, which we cannot represent without losing some of it.`,
    [`type ${type}`],
  )
}

/** The column that a field is for us. */
export function columnOf(field: IcebergField, table: string): Column {
  return {
    name: field.name,
    type: columnTypeOf(field.type, table),
    nullable: !field.required,
    ...(field.doc === undefined ? {} : { doc: field.doc }),
  }
}

/** The ids of a field and of all that is inside it. */
export function fieldIdsOf(id: number, type: IcebergType): FieldIds {
  if (typeof type === 'string') return { fieldId: id }
  switch (type.type) {
    case 'struct':
      return { fieldId: id, children: type.fields.map((field) => fieldIdsOf(field.id, field.type)) }
    case 'list':
      return { fieldId: id, children: [fieldIdsOf(type['element-id'], type.element)] }
    case 'map':
      return {
        fieldId: id,
        children: [fieldIdsOf(type['key-id'], type.key), fieldIdsOf(type['value-id'], type.value)],
      }
  }
}

/** A field found in a schema, with the names that lead to it. */
export interface FoundField {
  readonly field: IcebergField
  readonly path: readonly string[]
}

/** Fields that are reached through structs alone, at any depth, by their ids. */
export function fieldsById(schema: IcebergStruct): ReadonlyMap<number, FoundField> {
  const found = new Map<number, FoundField>()
  const visit = (fields: readonly IcebergField[], above: readonly string[]): void => {
    for (const field of fields) {
      const path = [...above, field.name]
      found.set(field.id, { field, path })
      if (typeof field.type !== 'string' && field.type.type === 'struct')
        visit(field.type.fields, path)
    }
  }
  visit(schema.fields, [])
  return found
}

/** The field at a path of names, through structs only; `undefined` when there is none. */
export function fieldAt(schema: IcebergStruct, path: readonly string[]): IcebergField | undefined {
  let struct: IcebergStruct | undefined = schema
  let field: IcebergField | undefined
  for (const name of path) {
    field = struct?.fields.find((candidate) => candidate.name === name)
    if (field === undefined) return undefined
    const { type }: IcebergField = field
    struct = typeof type !== 'string' && type.type === 'struct' ? type : undefined
  }
  return field
}
