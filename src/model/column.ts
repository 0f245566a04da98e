/**
 * The types a column can have, wherever it lives: in a relation, a lake table or a serving store.
 * `timestamp` is an instant in UTC microseconds; `timestamp_ntz` is a wall-clock reading without zone.
 */
export type ColumnType =
  | 'boolean'
  | 'int8'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'float32'
  | 'float64'
  | 'string'
  | 'binary'
  | 'date'
  | 'timestamp'
  | 'timestamp_ntz'
  | DecimalType
  | ListType
  | StructType
  | MapType

/** An exact number of `precision` digits in all (1 to 38), `scale` of them after the point. */
export interface DecimalType {
  readonly kind: 'decimal'
  readonly precision: number
  readonly scale: number
}

export interface ListType {
  readonly kind: 'list'
  readonly element: ColumnType
  readonly elementNullable: boolean
}

export interface StructType {
  readonly kind: 'struct'
  readonly columns: readonly Column[]
}

export interface MapType {
  readonly kind: 'map'
  readonly key: ColumnType
  readonly value: ColumnType
  readonly valueNullable: boolean
}

export interface Column {
  readonly name: string
  readonly type: ColumnType
  readonly nullable: boolean
  readonly doc?: string
}

/** The columns of a table or relation, in order. Names are unique, compared without case. */
export type Columns = readonly Column[]

/** A short spelling for people: `list<struct<a: int32, b: string>>`. */
export function columnTypeText(type: ColumnType): string {
  if (typeof type === 'string') return type
  switch (type.kind) {
    case 'decimal':
      return `decimal(${type.precision},${type.scale})`
    case 'list':
      return `list<${columnTypeText(type.element)}>`
    case 'map':
      return `map<${columnTypeText(type.key)}, ${columnTypeText(type.value)}>`
    case 'struct':
      return `struct<${type.columns.map((c) => `${c.name}: ${columnTypeText(c.type)}`).join(', ')}>`
  }
}

/** Whether there are floats in a type, at any depth. */
export const holdsFloats = (type: ColumnType): boolean => holds(type, ['float32', 'float64'])

/** Whether there are bytes in a type, at any depth. */
export const holdsBytes = (type: ColumnType): boolean => holds(type, ['binary'])

function holds(type: ColumnType, wanted: readonly ColumnType[]): boolean {
  if (typeof type === 'string') return wanted.includes(type)
  switch (type.kind) {
    case 'decimal':
      return false
    case 'list':
      return holds(type.element, wanted)
    case 'struct':
      return type.columns.some((column) => holds(column.type, wanted))
    case 'map':
      return holds(type.key, wanted) || holds(type.value, wanted)
  }
}

/** Whether two types are the same to the last detail. */
export function sameColumnType(a: ColumnType, b: ColumnType): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}
