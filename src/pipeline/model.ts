import { columnsOf, type RecordSchema } from '../model/schema.ts'
import type {
  DataTest,
  Materialization,
  SqlModel,
  SqlSource,
  UnitTest,
} from '../model/sql-model.ts'

export interface ModelOptions {
  /** Default `table`. */
  readonly materialize?:
    | 'view'
    | 'table'
    | 'append'
    | Exclude<Materialization, { readonly kind: 'view' | 'table' | 'append' }>
  /** The upstream table whose committed versions drive an incremental model; in SQL it is the relation `incoming`. */
  readonly incoming?: string
  /**
   * Column of the incoming table, a day or an instant, by which a backfill over days is bounded. `partitions` need none: theirs are by their
   * first partition column.
   */
  readonly backfillBy?: string
  /** Default `delta`. */
  readonly format?: 'delta' | 'iceberg'
  /** Columns of the result. Default: those of `partitions({ by })`, else none. */
  readonly partitionBy?: readonly string[]
  /** Of the table, as its format names them. */
  readonly properties?: Readonly<Record<string, string>>
  /** Words to select models by in schedules and commands. */
  readonly tags?: readonly string[]
  readonly tests?: readonly DataTest[]
  readonly unitTests?: readonly UnitTest[]
  /** What the rows must be. A model that reads its own table must say it. */
  readonly columns?: RecordSchema
  /**
   * Values that its SQL asks for with `parameter('name')`, as text, with their defaults; null for none. MEKONG_PARAMETERS says others, and another
   * value makes the model anew.
   */
  readonly parameters?: Readonly<Record<string, string | null>>
  /** Where its SQL runs: here, or on the Spark that SPARK_REMOTE names. Default `duckdb`. */
  readonly engine?: 'duckdb' | 'spark'
  /** What a changed SQL does to the rows that are there. Default `rebuild`. */
  readonly onChange?: 'rebuild' | 'keep'
}

/** A model with its defaults filled in. */
export function modelPlan(name: string, sql: SqlSource, options: ModelOptions): SqlModel {
  const { materialize: how = 'table', incoming, columns, backfillBy } = options
  const materialize: Materialization = typeof how === 'string' ? { kind: how } : how
  const by = materialize.kind === 'partitions' ? materialize.by : []
  return {
    name,
    sql,
    materialize,
    ...(incoming === undefined ? {} : { incoming }),
    ...(backfillBy === undefined ? {} : { backfillBy }),
    format: options.format ?? 'delta',
    partitionBy: options.partitionBy ?? by,
    properties: options.properties ?? {},
    tags: options.tags ?? [],
    tests: options.tests ?? [],
    unitTests: options.unitTests ?? [],
    ...(columns === undefined ? {} : { columns: columnsOf(columns) }),
    parameters: options.parameters ?? {},
    engine: options.engine ?? 'duckdb',
    onChange: options.onChange ?? 'rebuild',
  }
}
