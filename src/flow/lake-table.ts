import { createDeltaTable } from '../lake/delta/create.ts'
import { openDeltaTable } from '../lake/delta/table.ts'
import type { DeltaDeps } from '../lake/delta/table-log.ts'
import { TableMismatchError } from '../lake/errors.ts'
import { createIcebergTable } from '../lake/iceberg/create.ts'
import type { IcebergDeps } from '../lake/iceberg/deps.ts'
import { openIcebergTable } from '../lake/iceberg/table.ts'
import type { TransactionUpdate } from '../lake/transaction.ts'
import type { Columns } from '../model/column.ts'
import { messageOf } from '../model/errors.ts'
import { RECORD_COLUMNS, type Relation } from '../model/relation.ts'
import type { Step } from '../model/step.ts'
import type { TablePlan } from '../pipeline/plan.ts'
import type { CommitOutcome } from '../stream/ports.ts'
import { deltaState } from './delta-door.ts'
import { icebergState } from './iceberg-door.ts'
import { type LakeHome, tableKey } from './lake-home.ts'
import type { TableState } from './table-door.ts'
import type { UpsertRows } from './upsert-rows.ts'

/** What a hop needs of a table, whichever its format. */
export interface HopTable {
  state(): Promise<TableState>
  /**
   * Rows as files of the table that nobody sees yet; `undefined` for a commit of progress alone. Rows that may be there already take their
   * older ones' place, in tables that keep rows by key.
   */
  stage(relation: Relation | undefined, options?: StageOptions): Promise<StagedRows>
}

export interface StageOptions {
  readonly mayBeThere?: boolean
}

export interface StagedRows {
  /** Make rows and progress visible in one step. Sending the same again is recognised, so an `unknown` may be. */
  commit(transactions: readonly TransactionUpdate[]): Promise<CommitOutcome>
}

/** The columns of a planned table, as they are stored: the pipeline's own, the day it is laid by, and where each row came from. */
export function storedColumns({ columns, partitionBy, keepRaw }: TablePlan): Columns {
  const day: Columns =
    partitionBy === undefined
      ? []
      : [{ name: partitionBy.as, type: 'date', nullable: isNullable(columns, partitionBy.column) }]
  return [...columns, ...day, ...RECORD_COLUMNS.filter(({ name }) => keepRaw || name !== '_raw')]
}

/** The steps of a planned table, with the day at the end where it is laid by one. */
export function storedSteps({ steps, columns, partitionBy }: TablePlan): readonly Step[] {
  if (partitionBy === undefined) return steps
  const same = columns.map(({ name, type, nullable }) => ({
    name,
    expression: { kind: 'column' as const, name, type, nullable },
  }))
  const from = same.find(({ name }) => name === partitionBy.column)!.expression
  const day = {
    kind: 'call',
    fn: 'utc_day',
    args: [from],
    type: 'date',
    nullable: from.nullable,
  } as const
  return [
    ...steps,
    { kind: 'select', columns: [...same, { name: partitionBy.as, expression: day }] },
  ]
}

/**
 * Open the table of a plan, making it if it is not there.
 * @throws TableMismatchError when a table of the other format has the name; TableBrokenError, TableUnsupportedError
 */
export async function openPlannedTable(
  lake: LakeHome,
  table: TablePlan,
  upsert?: UpsertRows,
): Promise<HopTable> {
  const isIceberg = lake.iceberg.catalog.tables().includes(table.name)
  if (table.format === 'iceberg') {
    if (!isIceberg && (await isDeltaTable(lake.delta, table.name)))
      throw otherFormat(table, 'Delta')
    return openPlannedIceberg(lake.iceberg, table)
  }
  if (isIceberg) throw otherFormat(table, 'Iceberg')
  return openPlannedDelta(lake.delta, table, upsert)
}

async function openPlannedDelta(
  deps: DeltaDeps,
  plan: TablePlan,
  upsert: UpsertRows | undefined,
): Promise<HopTable> {
  const { name, partitionBy, key } = plan
  // Rows that change are followed by what is kept from them, old value and new.
  const feed = key === undefined ? {} : { 'delta.enableChangeDataFeed': 'true' }
  await createDeltaTable(deps, tableKey(name), {
    name,
    columns: storedColumns(plan),
    ...(partitionBy === undefined ? {} : { partitionBy: [partitionBy.as] }),
    properties: { ...feed, ...plan.properties },
  })
  const table = await openDeltaTable(deps, tableKey(name))
  return {
    state: async () => deltaState(await table.snapshot()),
    async stage(relation, { mayBeThere = false } = {}) {
      if (relation !== undefined && mayBeThere && upsert !== undefined)
        return {
          commit: async (transactions) =>
            commitOutcome(await upsert(table, storedRows(relation, plan), transactions)),
        }
      const prepared =
        relation === undefined ? undefined : await table.prepareAppend(storedRows(relation, plan))
      return {
        commit: async (transactions) =>
          commitOutcome(await table.commitAppend(prepared, { transactions })),
      }
    },
  }
}

/** The day of a row is a column like any other, so that questions can name it; Iceberg splits by its value. */
async function openPlannedIceberg(deps: IcebergDeps, plan: TablePlan): Promise<HopTable> {
  const { name, partitionBy, properties } = plan
  await createIcebergTable(deps, name, {
    columns: storedColumns(plan),
    location: tableKey(name),
    ...(partitionBy === undefined ? {} : { partitionBy: [{ column: partitionBy.as }] }),
    ...(properties === undefined ? {} : { properties }),
  })
  const table = await openIcebergTable(deps, name)
  return {
    state: async () => icebergState(await table.snapshot()),
    async stage(relation) {
      const prepared =
        relation === undefined ? undefined : await table.prepareAppend(storedRows(relation, plan))
      return {
        commit: async (transactions) =>
          commitOutcome(await table.commitAppend(prepared, { transactions })),
      }
    },
  }
}

/** The relation as far as the table stores it. */
function storedRows(relation: Relation, { keepRaw }: TablePlan): Relation {
  if (keepRaw) return relation
  return { ...relation, columns: relation.columns.filter(({ name }) => name !== '_raw') }
}

function commitOutcome(
  outcome:
    | { readonly status: 'committed' | 'unchanged' }
    | { readonly status: 'conflict'; readonly message: string }
    | { readonly status: 'unknown'; readonly cause: unknown },
): CommitOutcome {
  switch (outcome.status) {
    case 'unchanged':
    case 'committed':
      return { status: 'committed' }
    case 'conflict':
      return { status: 'conflict', reason: outcome.message }
    case 'unknown':
      return { status: 'unknown', reason: messageOf(outcome.cause) }
  }
}

const isDeltaTable = async ({ store }: DeltaDeps, name: string): Promise<boolean> => {
  for await (const _ of store.list({ prefix: `${tableKey(name)}/_delta_log/` })) return true
  return false
}

const otherFormat = ({ name, format }: TablePlan, found: string) =>
  new TableMismatchError(`Opening ${name} as a table of format ${format}`, [
    `it is there as a table of ${found}; give the pipeline's table another name, or move the old one out of the lake`,
  ])

const isNullable = (columns: Columns, name: string) =>
  columns.find((column) => column.name === name)?.nullable ?? true
