import type { Column, Columns, ColumnType } from '../../model/column.ts'
import { TableBrokenError, TableUnsupportedError } from '../errors.ts'

/**
 * A table's schema as Delta writes it (PROTOCOL.md, "Schema Serialization Format") and as `ColumnType`. The parsed JSON is
 * kept, because column metadata that we do not know must survive our commits.
 */
export interface DeltaStruct {
  readonly type: 'struct'
  readonly fields: readonly DeltaField[]
}

export interface DeltaField {
  readonly name: string
  readonly type: DeltaType
  readonly nullable: boolean
  readonly metadata: Readonly<Record<string, unknown>>
}

export type DeltaType =
  | string
  | DeltaStruct
  | { readonly type: 'array'; readonly elementType: DeltaType; readonly containsNull: boolean }
  | {
      readonly type: 'map'
      readonly keyType: DeltaType
      readonly valueType: DeltaType
      readonly valueContainsNull: boolean
    }

export const PHYSICAL_NAME = 'delta.columnMapping.physicalName'
export const TYPE_CHANGES = 'delta.typeChanges'
export const COLUMN_ID = 'delta.columnMapping.id'

const PRIMITIVES: Readonly<Record<string, ColumnType>> = {
  boolean: 'boolean',
  byte: 'int8',
  short: 'int16',
  integer: 'int32',
  long: 'int64',
  float: 'float32',
  double: 'float64',
  string: 'string',
  binary: 'binary',
  date: 'date',
  timestamp: 'timestamp',
  timestamp_ntz: 'timestamp_ntz',
}
const DELTA_NAMES = new Map(Object.entries(PRIMITIVES).map(([delta, ours]) => [ours, delta]))

/** The schema of a `metaData` action; no schema is no columns. @throws TableBrokenError */
export function parseSchema(schemaString: string | undefined, table: string): DeltaStruct {
  if (schemaString === undefined) return { type: 'struct', fields: [] }
  try {
    const schema = JSON.parse(schemaString) as DeltaStruct
    if (schema.type !== 'struct' || !Array.isArray(schema.fields))
      throw new TypeError('the top is not a struct')
    return schema
  } catch (cause) {
    throw new TableBrokenError(`The schema of ${table} cannot be read: ${String(cause)}.`, {
      cause,
    })
  }
}

/** Which names nested fields get: those users see, or those in the data files. */
export type Naming = 'logical' | 'physical'

/**
 * Columns as users see them. Columns of type `void` hold nothing and are left out, as the specification advises.
 * @throws TableUnsupportedError for a type we do not know
 */
export function columnsOfSchema(schema: DeltaStruct, naming: Naming = 'logical'): Columns {
  return schema.fields.filter((field) => field.type !== 'void').map((f) => columnOf(f, naming))
}

function columnOf(field: DeltaField, naming: Naming): Column {
  const { comment } = field.metadata ?? {}
  return {
    name: naming === 'logical' ? field.name : physicalNameOf(field),
    type: columnTypeOf(field.type, naming),
    nullable: field.nullable !== false,
    ...(typeof comment === 'string' && naming === 'logical' ? { doc: comment } : {}),
  }
}

/** A Delta type as ours. @throws TableUnsupportedError */
export function columnTypeOf(type: DeltaType, naming: Naming = 'logical'): ColumnType {
  if (typeof type === 'string') {
    const primitive = PRIMITIVES[type]
    if (primitive !== undefined) return primitive
    if (type === 'decimal') return { kind: 'decimal', precision: 10, scale: 0 }
    const decimal = /^decimal\((\d+),\s*(-?\d+)\)$/.exec(type)
    if (decimal)
      return { kind: 'decimal', precision: Number(decimal[1]), scale: Number(decimal[2]) }
    throw new TableUnsupportedError(
      `The table has a column of type ${type}, which Mekong does not know.`,
      [type],
    )
  }
  switch (type.type) {
    case 'struct':
      return { kind: 'struct', columns: columnsOfSchema(type, naming) }
    case 'array':
      return {
        kind: 'list',
        element: columnTypeOf(type.elementType, naming),
        elementNullable: type.containsNull !== false,
      }
    case 'map':
      return {
        kind: 'map',
        key: columnTypeOf(type.keyType, naming),
        value: columnTypeOf(type.valueType, naming),
        valueNullable: type.valueContainsNull !== false,
      }
  }
}

/** The name that a field has in data files, statistics and partition values. */
export function physicalNameOf(field: DeltaField): string {
  const name = field.metadata?.[PHYSICAL_NAME]
  return typeof name === 'string' ? name : field.name
}

/** The id that a field has in data files under column mapping by id. */
export function columnIdOf(field: DeltaField): number | undefined {
  const id = field.metadata?.[COLUMN_ID]
  return typeof id === 'number' ? id : undefined
}

/** Columns as Delta writes them. */
export function schemaOfColumns(columns: Columns): DeltaStruct {
  return {
    type: 'struct',
    fields: columns.map((column) => ({
      name: column.name,
      type: deltaTypeOf(column.type),
      nullable: column.nullable,
      metadata: column.doc === undefined ? {} : { comment: column.doc },
    })),
  }
}

/** A column type as Delta writes it. */
export function deltaTypeOf(type: ColumnType): DeltaType {
  if (typeof type === 'string') return DELTA_NAMES.get(type)!
  switch (type.kind) {
    case 'decimal':
      return `decimal(${type.precision},${type.scale})`
    case 'struct':
      return schemaOfColumns(type.columns)
    case 'list':
      return {
        type: 'array',
        elementType: deltaTypeOf(type.element),
        containsNull: type.elementNullable,
      }
    case 'map':
      return {
        type: 'map',
        keyType: deltaTypeOf(type.key),
        valueType: deltaTypeOf(type.value),
        valueContainsNull: type.valueNullable,
      }
  }
}
