import type { Columns } from '../../model/column.ts'
import { columnTypeText } from '../../model/column.ts'
import type { DataTest, SqlModel } from '../../model/sql-model.ts'
import type { RunDecision } from './run-decision.ts'

// What a run would do, as values: for people to look at before it does it. Pure.

/** A model, and what the next run would do with it. */
export interface PlannedModel {
  readonly pipeline: string
  readonly model: string
  /** `broken`: the run would fail. `waiting`: a table it reads is not there yet. */
  readonly status: 'new' | 'changed' | 'behind' | 'current' | 'waiting' | 'broken' | 'view'
  readonly action: 'whole' | 'increment' | 'nothing'
  readonly why: string
  /** Versions that it would read. `from` is `null` for the beginning. */
  readonly versions: readonly {
    readonly table: string
    readonly from: number | null
    readonly to: number
  }[]
  /** About how many rows, and bytes of files, it would read, what models above will have written by then included; `undefined` where nobody knows. */
  readonly rowsEstimated: number | undefined
  readonly bytesEstimated: number | undefined
  /** Models above it that would run first. */
  readonly follows: readonly string[]
  readonly columns: ColumnChanges
  /** What would fail, and what reads columns that go. */
  readonly breaks: readonly Break[]
}

export interface ColumnChanges {
  readonly added: readonly string[]
  readonly removed: readonly string[]
  /** `name: old to new` */
  readonly retyped: readonly string[]
}

export interface Break {
  /** `model gold.x`, `test unique_id of silver.y`, `query user-events/latest`. */
  readonly what: string
  readonly problem: string
}

/** Something outside the models that reads their tables. */
export type Consumer = TableConsumer | StatementConsumer

export interface TableConsumer {
  /** Words for people: `publish mysql.customers`. */
  readonly what: string
  readonly table: string
  /** Columns that it needs. */
  readonly columns: readonly string[]
}

/** A question that somebody has saved, such as a chart's. */
export interface StatementConsumer {
  readonly what: string
  readonly sql: string
  /** Columns that its answer must have. Default: whatever comes. */
  readonly yields?: readonly string[]
}

/** What of a table's columns a new SQL would change. */
export function columnChanges(before: Columns | undefined, after: Columns): ColumnChanges {
  if (before === undefined) return { added: [], removed: [], retyped: [] }
  const find = (columns: Columns, name: string) => columns.find((column) => column.name === name)
  return {
    added: after.filter(({ name }) => find(before, name) === undefined).map(({ name }) => name),
    removed: before.filter(({ name }) => find(after, name) === undefined).map(({ name }) => name),
    retyped: before.flatMap(({ name, type }) => {
      const now = find(after, name)
      if (now === undefined) return []
      const [old, fresh] = [columnTypeText(type), columnTypeText(now.type)]
      return old === fresh ? [] : [`${name}: ${old} to ${fresh}`]
    }),
  }
}

/** Columns that a model's own settings and tests name, and its SQL does not yield. */
export function missingColumns(model: SqlModel, columns: Columns): readonly Break[] {
  const has = (name: string) => columns.some((column) => column.name === name)
  const { materialize, name, partitionBy, tests } = model
  const key = materialize.kind === 'merge' || materialize.kind === 'snapshot' ? materialize.key : []
  const named = [
    ...key.map((column) => [`key of ${name}`, column] as const),
    ...partitionBy.map((column) => [`partitions of ${name}`, column] as const),
    ...tests.flatMap((test) =>
      columnsOfTest(test).map((column) => [`test ${test.name} of ${name}`, column] as const),
    ),
  ]
  return named
    .filter(([, column]) => !has(column))
    .map(([what, column]) => ({ what, problem: `the column ${column} is not there` }))
}

/** What reads a table and needs columns that would go. */
export function brokenConsumers(
  table: string,
  columns: Columns,
  consumers: readonly Consumer[],
): readonly Break[] {
  return consumers
    .filter((consumer) => 'table' in consumer)
    .filter((consumer) => consumer.table === table)
    .flatMap(({ what, columns: needed }) =>
      needed
        .filter((name) => !columns.some((column) => column.name === name))
        .map((name) => ({ what, problem: `the column ${name} of ${table} is not there` })),
    )
}

function columnsOfTest(test: DataTest): readonly string[] {
  switch (test.kind) {
    case 'unique':
      return test.columns
    case 'not_null':
    case 'accepted':
    case 'relationship':
    case 'freshness':
      return [test.column]
    default:
      return []
  }
}

const REASONS = {
  first_run: 'it has never run',
  asked_for: 'it was asked for',
  model_changed: 'its SQL or the way it is kept has changed',
  columns_changed: 'its columns have changed',
  source_replaced: 'the table it reads is another one',
  source_changed: 'what it reads has changed',
} as const

/** A decision in words for people. */
export function reasonOf(decision: RunDecision, follows: readonly string[]): string {
  if (decision.kind === 'whole') return REASONS[decision.why]
  if (decision.kind === 'increment') return 'rows came to the table it reads'
  return follows.length > 0 ? `${follows.join(', ')} runs before it` : 'nothing has changed'
}
