import type { ColumnType } from '../../model/column.ts'
import type { WarehouseDialect } from '../warehouse-sql.ts'

// Our column types and Snowflake's. Nothing is lost: nested values become VARIANT, which holds JSON.

function typeOf(type: ColumnType): string {
  if (typeof type !== 'string')
    return type.kind === 'decimal' ? `NUMBER(${type.precision},${type.scale})` : 'VARIANT'
  switch (type) {
    case 'int8':
    case 'int16':
    case 'int32':
    case 'int64':
      return 'NUMBER(38,0)'
    case 'float32':
    case 'float64':
      return 'FLOAT'
    case 'string':
      return 'VARCHAR'
    case 'timestamp':
      return 'TIMESTAMP_TZ'
    case 'timestamp_ntz':
      return 'TIMESTAMP_NTZ'
    default:
      return type.toUpperCase()
  }
}

export const SNOWFLAKE_DIALECT: WarehouseDialect = {
  type: typeOf,
  value: (text, type) =>
    typeof type !== 'string' && type.kind !== 'decimal'
      ? `PARSE_JSON(${text})`
      : `CAST(${text} AS ${typeOf(type)})`,
}
