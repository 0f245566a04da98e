import { assert } from '../model/errors.ts'
import { columnsOf, type FieldMap, type RecordSchema } from '../model/schema.ts'
import type { JoinStep } from '../model/step.ts'
import type { FollowWay, ReferencePlan } from './plan.ts'

/** Rows that others change, kept with their history: what a stream is joined with. `R` is the row. */
export interface Reference<R> {
  readonly plan: ReferencePlan
  /** Exists for the compiler only. */
  readonly _row?: R
}

export interface ReferenceOptions<Fields extends FieldMap> {
  /** Of PostgreSQL, where the rows are changed. */
  readonly table: string
  readonly columns: RecordSchema<Fields>
  readonly key: keyof Fields & string
  /** Column of the table, an instant that moves when a row is made or changed. Default `updated_at`. */
  readonly changedAt?: string
  /** Lake table for all versions of all rows, such as `silver.customers`. */
  readonly history: string
  /** Folder of numbered `.sql` files that make the table. */
  readonly migrations: URL
  /**
   * Default `automatic`: through a replication slot where the server has `wal_level = logical` and the user the right to replicate and to publish the table, otherwise
   * by asking for what has a new `changedAt`, which finds deleted rows every ten minutes.
   */
  readonly follow?: FollowWay
  /** How often the table is asked for changes; with replication, five times as often as what has come is committed. Default 1,000 ms. */
  readonly pollIntervalMs?: number
}

const POLL_INTERVAL_MS = 1_000

/** Where it was not found. The one name for all references, so that one look tells whether a row is whole. */
export const MISSING_COLUMN = 'missing_refs'

export function referencePlan<const Fields extends FieldMap>(
  name: string,
  options: ReferenceOptions<Fields>,
): ReferencePlan {
  const { table, columns, key, history, migrations } = options
  const { changedAt = 'updated_at', pollIntervalMs = POLL_INTERVAL_MS } = options
  const { follow = 'automatic' } = options
  return {
    ...{ name, table, key, changedAt, history, migrations, follow, pollIntervalMs },
    columns: columnsOf(columns),
  }
}

interface JoinWords {
  readonly on: string
  readonly at: string
  readonly take: object
}

export function joinStep({ plan }: Reference<never>, { on, at, take }: JoinWords): JoinStep {
  return {
    kind: 'join',
    reference: plan.name,
    key: plan.key,
    on,
    at,
    take: Object.entries(take as Readonly<Record<string, string>>).map(([name, from]) => {
      const column = plan.columns.find((known) => known.name === from)
      assert(column !== undefined, `the reference ${plan.name} has no column ${from}`)
      return { name, from, type: column.type }
    }),
    missing: MISSING_COLUMN,
  }
}
