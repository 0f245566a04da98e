import fc from 'fast-check'
import { expect } from 'vitest'
import { createIcebergTable } from '../../src/lake/iceberg/create.ts'
import { type IcebergTable, openIcebergTable } from '../../src/lake/iceberg/table.ts'
import type { Columns } from '../../src/model/column.ts'
import { type ColumnChoice, columns } from './random-columns.ts'
import { rowsSql } from './random-rows.ts'
import {
  type PartitionField,
  partitionChoice,
  partitionFields,
  writableByUs,
} from './random-transforms.ts'
import type { ReadableTable } from './read-by-others.ts'
import type { Workshop } from './workshop.ts'

/** An Iceberg table that is written through our API, and the rows that every snapshot of it must have. */
export interface OurIcebergTable extends ReadableTable {
  readonly table: IcebergTable
  columns: Columns
  partitionBy: readonly PartitionField[]
  readonly versions: Map<bigint, string>
  readonly transactions: Map<string, number>
  nextKey: number
}

/** One thing done to a table. */
export interface IcebergStep {
  run(table: OurIcebergTable): Promise<void>
}

export interface IcebergShape {
  readonly columns: Columns
  readonly partitionBy: readonly PartitionField[]
  readonly properties: Readonly<Record<string, string>>
}

const modes = fc.constantFrom('copy-on-write', 'merge-on-read')

const properties = fc.record(
  {
    'write.parquet.compression-codec': fc.constantFrom('snappy', 'zstd'),
    'write.metadata.compression-codec': fc.constantFrom('gzip', 'none'),
    'write.metadata.metrics.default': fc.constantFrom('none', 'counts', 'truncate(4)', 'full'),
    'commit.manifest.min-count-to-merge': fc.constant('2'),
    'write.delete.mode': modes,
    'write.update.mode': modes,
    'write.merge.mode': modes,
    'write.delete.granularity': fc.constantFrom('file', 'partition'),
  },
  { requiredKeys: [], noNullPrototype: true },
)

/** Iceberg has no integers below 32 bits. */
export const ICEBERG_COLUMNS: ColumnChoice = { without: ['int8', 'int16'] }

export const icebergShape = (choice = ICEBERG_COLUMNS): fc.Arbitrary<IcebergShape> =>
  fc
    .record({ columns: columns(choice), fields: partitionChoice, properties })
    .map(({ columns: of, fields, properties: given }) => ({
      columns: of,
      partitionBy: writableByUs(of, partitionFields(of, fields)),
      properties: given,
    }))

/** Make a table and do the steps to it. */
export async function runIcebergSteps(
  workshop: Workshop,
  location: string,
  shape: IcebergShape,
  todo: readonly IcebergStep[],
): Promise<OurIcebergTable> {
  const expected = `"expected ${location}"`
  expect(await createIcebergTable(workshop.deps, location, shape)).toEqual({ status: 'created' })
  await workshop.sql(
    `CREATE TABLE ${expected} AS ${rowsSql(shape.columns, { from: 0, count: 0, seed: 0 })}`,
  )
  const table = await openIcebergTable(workshop.deps, location)
  const at: OurIcebergTable = {
    ...{ workshop, location, table, expected, nextKey: 0 },
    ...{ columns: shape.columns, partitionBy: shape.partitionBy },
    ...{ versions: new Map(), transactions: new Map() },
    plan: async ({ version, predicate }) => {
      const then = version === undefined ? undefined : { snapshotId: BigInt(version) }
      return (await table.snapshot(then)).plan(predicate === undefined ? {} : { predicate })
    },
  }
  for (const step of todo) {
    await step.run(at)
    await remember(at)
  }
  return at
}

async function remember(at: OurIcebergTable): Promise<void> {
  const { snapshotId, columns: now } = await at.table.snapshot()
  at.columns = now
  if (snapshotId === undefined || at.versions.has(snapshotId)) return
  const name = `"expected ${at.location} ${snapshotId}"`
  await at.workshop.sql(`CREATE TABLE ${name} AS FROM ${at.expected}`)
  at.versions.set(snapshotId, name)
}
