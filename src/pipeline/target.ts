import type { Columns } from '../model/column.ts'
import { columnsOf, type FieldMap, type RecordSchema, type Row } from '../model/schema.ts'

/** A table in a serving store, declared by a pipeline. `R` is the row it takes. */
export interface Target<R> {
  readonly store: 'postgres'
  readonly table: string
  /** The columns that rows bring; columns that the store fills itself (identity, defaults) are not among them. */
  readonly columns: Columns
  /** Folder of numbered `.sql` files, applied in order, once each. */
  readonly migrations: URL
  /** Exists for the compiler only. */
  readonly _row?: R
}

export interface PostgresTargetOptions<Fields extends FieldMap> {
  readonly columns: RecordSchema<Fields>
  /** `new URL('./migrations/', import.meta.url)` */
  readonly migrations: URL
}

/** A PostgreSQL table. Rows and offsets are committed in one transaction. */
export function postgres<const Fields extends FieldMap>(
  table: string,
  options: PostgresTargetOptions<Fields>,
): Target<Row<RecordSchema<Fields>>> {
  return Object.freeze({
    store: 'postgres',
    table,
    columns: columnsOf(options.columns),
    migrations: options.migrations,
  })
}
