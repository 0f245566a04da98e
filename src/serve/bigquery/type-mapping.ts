import type { ColumnType } from '../../model/column.ts'
import type { WarehouseDialect } from '../warehouse-sql.ts'

// Our column types and BigQuery's. Nothing is lost: nested values become JSON, and decimals that NUMERIC cannot hold BIGNUMERIC.
// https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types

/** NUMERIC has 29 digits before the point and 9 after it. */
const NUMERIC = { whole: 29, scale: 9 }

function typeOf(type: ColumnType): string {
  if (typeof type !== 'string') {
    if (type.kind !== 'decimal') return 'JSON'
    const { precision, scale } = type
    const fits = scale <= NUMERIC.scale && precision - scale <= NUMERIC.whole
    return `${fits ? 'NUMERIC' : 'BIGNUMERIC'}(${precision}, ${scale})`
  }
  switch (type) {
    case 'int8':
    case 'int16':
    case 'int32':
    case 'int64':
      return 'INT64'
    case 'float32':
    case 'float64':
      return 'FLOAT64'
    case 'boolean':
      return 'BOOL'
    case 'string':
      return 'STRING'
    case 'binary':
      return 'BYTES'
    case 'timestamp':
      return 'TIMESTAMP'
    case 'timestamp_ntz':
      return 'DATETIME'
    default:
      return type.toUpperCase()
  }
}

export const BIGQUERY_DIALECT: WarehouseDialect = {
  type: typeOf,
  value: (text, type) =>
    typeof type !== 'string' && type.kind !== 'decimal'
      ? `PARSE_JSON(${text})`
      : `CAST(${text} AS ${typeOf(type)})`,
}
