import fc from 'fast-check'
import { expect } from 'vitest'
import { createDeltaTable } from '../../src/lake/delta/create.ts'
import { type DeltaTable, openDeltaTable } from '../../src/lake/delta/table.ts'
import type { Columns } from '../../src/model/column.ts'
import { type ColumnChoice, columns, partitioning } from './random-columns.ts'
import { rowsSql } from './random-rows.ts'
import type { ReadableTable } from './read-by-others.ts'
import type { Workshop } from './workshop.ts'

/** A table that is written through our API, and the rows that every version of it must have. */
export interface OurTable extends ReadableTable {
  readonly table: DeltaTable
  columns: Columns
  partitionBy: readonly string[]
  /** As wished for; what the table makes of them is in its snapshots. */
  readonly properties: Readonly<Record<string, string>>
  readonly versions: Map<number, string>
  readonly transactions: Map<string, number>
  /** Whether columns were changed since the table was made. */
  hasNewColumns: boolean
  nextKey: number
}

export interface TableShape {
  readonly columns: Columns
  readonly partitionBy: readonly string[]
  readonly properties: Readonly<Record<string, string>>
}

const properties = fc.record(
  {
    'delta.checkpointInterval': fc.constantFrom('1', '2', '3'),
    'delta.dataSkippingNumIndexedCols': fc.constantFrom('-1', '0', '2'),
    'delta.checkpoint.writeStatsAsStruct': fc.constantFrom('true', 'false'),
    'delta.checkpoint.writeStatsAsJson': fc.constantFrom('true', 'false'),
    'delta.enableInCommitTimestamps': fc.constant('true'),
    'delta.enableDeletionVectors': fc.constant('true'),
    'delta.enableChangeDataFeed': fc.constant('true'),
    'delta.parquet.compression.codec': fc.constantFrom('snappy', 'zstd'),
    'delta.columnMapping.mode': fc.constant('name'),
    'delta.enableTypeWidening': fc.constant('true'),
  },
  { requiredKeys: [], noNullPrototype: true },
)

/** `withoutProperties` are those of features that a reader lacks. */
export const tableShape = ({
  withoutProperties = [],
  ...choice
}: ColumnChoice & {
  readonly withoutProperties?: readonly string[]
} = {}): fc.Arbitrary<TableShape> =>
  columns(choice).chain((of) =>
    fc.record({
      columns: fc.constant(of),
      partitionBy: partitioning(of),
      properties: properties.map((wanted) =>
        Object.fromEntries(
          Object.entries(wanted).filter(([name]) => !withoutProperties.includes(name)),
        ),
      ),
    }),
  )

/** One thing done to a table. */
export interface Step {
  run(table: OurTable): Promise<void>
}

/** Make a table and do the steps to it. */
export async function runSteps(
  workshop: Workshop,
  location: string,
  shape: TableShape,
  todo: readonly Step[],
): Promise<OurTable> {
  const expected = `"expected ${location}"`
  expect(await createDeltaTable(workshop.deps, location, shape)).toEqual({ status: 'created' })
  await workshop.sql(
    `CREATE TABLE ${expected} AS ${rowsSql(shape.columns, { from: 0, count: 0, seed: 0 })}`,
  )
  const table = await openDeltaTable(workshop.deps, location)
  const at: OurTable = {
    workshop,
    location,
    table,
    plan: async ({ version, predicate }) => {
      const then = version === undefined ? {} : { version: Number(version) }
      return (await table.snapshot(then)).plan(predicate === undefined ? {} : { predicate })
    },
    ...shape,
    expected,
    versions: new Map(),
    transactions: new Map(),
    hasNewColumns: false,
    nextKey: 0,
  }
  await remember(at)
  for (const step of todo) {
    await step.run(at)
    await remember(at)
  }
  return at
}

async function remember(at: OurTable): Promise<void> {
  const { version, columns: now, partitionBy } = await at.table.snapshot()
  at.hasNewColumns ||= JSON.stringify(now) !== JSON.stringify(at.columns)
  at.columns = now
  at.partitionBy = partitionBy
  if (at.versions.has(version)) return
  const name = `"expected ${at.location} ${version}"`
  await at.workshop.sql(`CREATE OR REPLACE TABLE ${name} AS FROM ${at.expected}`)
  at.versions.set(version, name)
}
