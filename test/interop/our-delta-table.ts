import fc from 'fast-check'
import { expect } from 'vitest'
import { createDeltaTable } from '../../src/lake/delta/create.ts'
import { type DeltaTable, openDeltaTable } from '../../src/lake/delta/table.ts'
import type { Columns } from '../../src/model/column.ts'
import { type ColumnChoice, columns, isScalar, partitioning } from './random-columns.ts'
import { rowsSql } from './random-rows.ts'
import type { Workshop } from './workshop.ts'

/** A table that is written through our API, and the rows that every version of it must have. */
export interface OurTable {
  readonly workshop: Workshop
  readonly location: string
  readonly table: DeltaTable
  readonly columns: Columns
  readonly partitionBy: readonly string[]
  /** A DuckDB table with the rows of the newest version. */
  readonly expected: string
  /** For each version, the DuckDB table with its rows. */
  readonly versions: Map<number, string>
  readonly transactions: Map<string, number>
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
  },
  { requiredKeys: [] },
)

export const tableShape = (choice: ColumnChoice = {}): fc.Arbitrary<TableShape> =>
  columns(choice).chain((of) =>
    fc.record({ columns: fc.constant(of), partitionBy: partitioning(of), properties }),
  )

/** One thing done to a table. */
export interface Step {
  run(table: OurTable): Promise<void>
}

/** Whatever can be done to a table; a new operation is a new entry. Each keeps `expected` as the table should be. */
const OPERATIONS: readonly fc.Arbitrary<Step>[] = [
  operation(
    'append',
    fc.record({ count: fc.nat(25), seed: fc.nat(1_000), isSorted: fc.boolean() }),
    async (at, { count, seed, isSorted }) => {
      const rows = await newRows(at, count, seed)
      const sortable = at.columns.filter(({ type }) => isScalar(type)).map(({ name }) => name)
      const orderBy = isSorted ? { orderBy: [sortable.at(-1)!] } : {}
      const outcome = await at.table.commitAppend(await at.table.prepareAppend(rows, orderBy))
      expect(outcome).toMatchObject({ status: 'committed' })
      await at.workshop.sql(`INSERT INTO ${at.expected} FROM ${rows.name}`)
    },
  ),
  operation(
    'append with progress',
    fc.record({ app: fc.constantFrom('a', 'b/c'), count: fc.nat(3), seed: fc.nat(1_000) }),
    async (at, { app, count, seed }) => {
      const rows = await newRows(at, count, seed)
      const version = (at.transactions.get(app) ?? 0) + 1
      const outcome = await at.table.commitAppend(
        count === 0 ? undefined : await at.table.prepareAppend(rows),
        { transactions: [{ appId: app, version }] },
      )
      expect(outcome).toMatchObject({ status: 'committed' })
      at.transactions.set(app, version)
      await at.workshop.sql(`INSERT INTO ${at.expected} FROM ${rows.name}`)
    },
  ),
  operation('checkpoint', fc.constant({}), async (at) => {
    await at.table.checkpoint()
  }),
]

export const steps = fc.array(fc.oneof(...OPERATIONS), { minLength: 2, maxLength: 6 })

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
  const at: OurTable = {
    workshop,
    location,
    table: await openDeltaTable(workshop.deps, location),
    columns: shape.columns,
    partitionBy: shape.partitionBy,
    expected,
    versions: new Map(),
    transactions: new Map(),
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
  const { version } = await at.table.snapshot()
  if (at.versions.has(version)) return
  const name = `"expected ${at.location} ${version}"`
  await at.workshop.sql(`CREATE TABLE ${name} AS FROM ${at.expected}`)
  at.versions.set(version, name)
}

function newRows(at: OurTable, count: number, seed: number) {
  const choice = { from: at.nextKey, count, seed, partitionBy: at.partitionBy }
  at.nextKey += count
  return at.workshop.relation(rowsSql(at.columns, choice), at.columns)
}

function operation<P>(
  name: string,
  parameters: fc.Arbitrary<P>,
  run: (table: OurTable, parameters: P) => Promise<void>,
): fc.Arbitrary<Step> {
  return parameters.map((given) => ({
    run: (table: OurTable) => run(table, given),
    [fc.toStringMethod]: () => `${name} ${JSON.stringify(given)}`,
  }))
}
