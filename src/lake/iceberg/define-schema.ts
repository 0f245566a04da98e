import type { Column, Columns, ColumnType } from '../../model/column.ts'
import type { IcebergField, IcebergType } from './schema.ts'

/** Gives out field ids one after the other. */
export type NewId = () => number

/** Columns as fields with ids of their own: first those of one level, then what is inside, as other writers do. */
export function fieldsOf(columns: Columns, newId: NewId): readonly IcebergField[] {
  const ids = columns.map(() => newId())
  return columns.map((column, index) => fieldOf(column, ids[index]!, newId))
}

export function fieldOf(
  { name, type, nullable, doc }: Column,
  id: number,
  newId: NewId,
): IcebergField {
  return {
    id,
    name,
    required: !nullable,
    type: icebergType(type, newId),
    ...(doc === undefined ? {} : { doc }),
  }
}

/** Small integers become `int`; Iceberg has none smaller. */
export function icebergType(type: ColumnType, newId: NewId): IcebergType {
  if (typeof type === 'string') return SCALARS[type]
  switch (type.kind) {
    case 'decimal':
      return `decimal(${type.precision}, ${type.scale})`
    case 'list': {
      const id = newId()
      return {
        type: 'list',
        'element-id': id,
        'element-required': !type.elementNullable,
        element: icebergType(type.element, newId),
      }
    }
    case 'map': {
      const [keyId, valueId] = [newId(), newId()]
      return {
        type: 'map',
        'key-id': keyId,
        key: icebergType(type.key, newId),
        'value-id': valueId,
        'value-required': !type.valueNullable,
        value: icebergType(type.value, newId),
      }
    }
    case 'struct':
      return { type: 'struct', fields: fieldsOf(type.columns, newId) }
  }
}

/** The type that a column of this type has once it is in an Iceberg table. */
export const storedType = (type: ColumnType): ColumnType =>
  type === 'int8' || type === 'int16' ? 'int32' : type

const SCALARS: Readonly<Record<Extract<ColumnType, string>, string>> = {
  boolean: 'boolean',
  int8: 'int',
  int16: 'int',
  int32: 'int',
  int64: 'long',
  float32: 'float',
  float64: 'double',
  string: 'string',
  binary: 'binary',
  date: 'date',
  timestamp: 'timestamptz',
  timestamp_ntz: 'timestamp',
}
