import type { ColumnType } from '../../model/column.ts'
import { quoteIdentifier } from './quote-identifier.ts'

const SCALARS = {
  boolean: 'BOOLEAN',
  int8: 'TINYINT',
  int16: 'SMALLINT',
  int32: 'INTEGER',
  int64: 'BIGINT',
  float32: 'FLOAT',
  float64: 'DOUBLE',
  string: 'VARCHAR',
  binary: 'BLOB',
  date: 'DATE',
  timestamp: 'TIMESTAMPTZ',
  timestamp_ntz: 'TIMESTAMP',
} as const

/** DuckDB's type for a column type. Nothing is lost: both count instants in UTC microseconds. */
export function duckdbType(type: ColumnType): string {
  if (typeof type === 'string') return SCALARS[type]
  switch (type.kind) {
    case 'decimal':
      return `DECIMAL(${type.precision},${type.scale})`
    case 'list':
      return `${duckdbType(type.element)}[]`
    case 'map':
      return `MAP(${duckdbType(type.key)}, ${duckdbType(type.value)})`
    case 'struct':
      return `STRUCT(${type.columns.map((c) => `${quoteIdentifier(c.name)} ${duckdbType(c.type)}`).join(', ')})`
  }
}
