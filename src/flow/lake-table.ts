import { createDeltaTable } from '../lake/delta/create.ts'
import { type DeltaTable, openDeltaTable } from '../lake/delta/table.ts'
import type { DeltaDeps } from '../lake/delta/table-log.ts'
import type { Columns } from '../model/column.ts'
import { RECORD_COLUMNS } from '../model/relation.ts'
import type { Step } from '../model/step.ts'
import type { TablePlan } from '../pipeline/plan.ts'
import { tableKey } from './lake-home.ts'

/** The columns of a planned table, as they are stored: the pipeline's own, the day it is laid by, and where each row came from. */
export function storedColumns({ columns, partitionBy }: TablePlan): Columns {
  const day: Columns =
    partitionBy === undefined
      ? []
      : [{ name: partitionBy.as, type: 'date', nullable: isNullable(columns, partitionBy.column) }]
  return [...columns, ...day, ...RECORD_COLUMNS]
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

/** Open the table of a plan, making it if it is not there. @throws TableBrokenError, TableUnsupportedError */
export async function openPlannedTable(deps: DeltaDeps, table: TablePlan): Promise<DeltaTable> {
  const { name, partitionBy, key } = table
  await createDeltaTable(deps, tableKey(name), {
    name,
    columns: storedColumns(table),
    ...(partitionBy === undefined ? {} : { partitionBy: [partitionBy.as] }),
    // Rows that change are followed by what is kept from them, old value and new.
    ...(key === undefined ? {} : { properties: { 'delta.enableChangeDataFeed': 'true' } }),
  })
  return openDeltaTable(deps, tableKey(name))
}

const isNullable = (columns: Columns, name: string) =>
  columns.find((column) => column.name === name)?.nullable ?? true
