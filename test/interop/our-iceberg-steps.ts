import fc from 'fast-check'
import { expect } from 'vitest'
import type { SchemaChange } from '../../src/lake/iceberg/evolve-schema.ts'
import type { Column, ColumnType } from '../../src/model/column.ts'
import { quoteIdentifier } from '../../src/sql/duckdb/quote-identifier.ts'
import { duckdbType } from '../../src/sql/duckdb/type-mapping.ts'
import type { IcebergStep, OurIcebergTable } from './our-iceberg-table.ts'
import { KEY } from './random-columns.ts'
import { rowsSql } from './random-rows.ts'
import { partitionChoice, partitionFields, writableByUs } from './random-transforms.ts'

const rowsChoice = { count: fc.nat(25), seed: fc.nat(1_000) }
type RowsChoice = { readonly count: number; readonly seed: number }

/** Whatever can be done to a table; a new operation is a new entry. Each keeps `expected` as the table should be. */
const OPERATIONS: readonly fc.Arbitrary<IcebergStep>[] = [
  operation('append', fc.record(rowsChoice), async (at, choice) => {
    const rows = await newRows(at, choice)
    committed(await at.table.commitAppend(await at.table.prepareAppend(rows)))
    await at.workshop.sql(`INSERT INTO ${at.expected} FROM ${rows.name}`)
  }),
  operation('append with progress', fc.record(rowsChoice), async (at, choice) => {
    const rows = await newRows(at, choice)
    const version = (at.transactions.get('app') ?? 0) + 1
    const transactions = [{ appId: 'app', version }]
    committed(await at.table.commitAppend(await at.table.prepareAppend(rows), { transactions }))
    at.transactions.set('app', version)
    await at.workshop.sql(`INSERT INTO ${at.expected} FROM ${rows.name}`)
  }),
  operation('overwrite', fc.record(rowsChoice), async (at, choice) => {
    const rows = await newRows(at, choice)
    committed(await at.table.commitReplace(await at.table.prepareAppend(rows), 'everything'))
    await at.workshop.sql(`DELETE FROM ${at.expected}`)
    await at.workshop.sql(`INSERT INTO ${at.expected} FROM ${rows.name}`)
  }),
  operation('add column', fc.nat(3), async (at, index) => {
    const column: Column = { name: `added ${index}`, type: 'string', nullable: true }
    if (at.columns.some(({ name }) => name === column.name)) return
    await changeColumns(at, { kind: 'add', column })
    await alter(at, `ADD COLUMN ${quoteIdentifier(column.name)} VARCHAR`)
  }),
  operation('rename column', fc.nat(5), async (at, index) => {
    const column = freeColumn(at, index)
    const name = `${column?.name} ${index}`
    if (column === undefined || at.columns.some((other) => other.name === name)) return
    await changeColumns(at, { kind: 'rename', path: [column.name], name })
    await alter(at, `RENAME COLUMN ${quoteIdentifier(column.name)} TO ${quoteIdentifier(name)}`)
  }),
  operation('widen column', fc.nat(5), async (at, index) => {
    const column = freeColumn(at, index, ({ type }) => widerType(type) !== undefined)
    if (column === undefined) return
    const type = widerType(column.type)!
    await changeColumns(at, { kind: 'widen', path: [column.name], type })
    await alter(at, `ALTER COLUMN ${quoteIdentifier(column.name)} TYPE ${duckdbType(type)}`)
  }),
  operation('move column', fc.nat(5), async (at, index) => {
    const column = freeColumn(at, index)
    if (column === undefined) return
    await changeColumns(at, { kind: 'move', path: [column.name], after: null })
    const quoted = quoteIdentifier(column.name)
    await at.workshop.sql(
      `CREATE OR REPLACE TABLE ${at.expected} AS ` +
        `SELECT ${quoted}, * EXCLUDE (${quoted}) FROM ${at.expected}`,
    )
  }),
  operation('partition anew', partitionChoice, async (at, choice) => {
    const fields = writableByUs(at.columns, partitionFields(at.columns, choice))
    committed(await at.table.changePartitioning(fields))
  }),
  operation('rewrite manifests', fc.constant({}), async (at) => {
    committed(await at.table.rewriteManifests())
  }),
  operation('expire', fc.constant({}), async (at) => {
    await at.table.expireSnapshots({ snapshotAgeMaxMs: 0 })
    const kept = (await at.table.snapshot()).metadata.snapshots.map((s) => s['snapshot-id'])
    for (const id of at.versions.keys()) if (!kept.includes(id)) at.versions.delete(id)
  }),
]

/** Rows first, so that there is something to change. */
export const icebergSteps: fc.Arbitrary<readonly IcebergStep[]> = fc
  .tuple(OPERATIONS[0]!, fc.array(fc.oneof(...OPERATIONS), { minLength: 1, maxLength: 6 }))
  .map(([first, others]) => [first, ...others])

const committed = (outcome: { readonly status: string }) =>
  expect(outcome).toMatchObject({ status: expect.stringMatching(/^(committed|unchanged)$/) })

const changeColumns = async (at: OurIcebergTable, change: SchemaChange) =>
  committed(await at.table.changeColumns([change]))

const alter = (at: OurIcebergTable, sql: string) =>
  at.workshop.sql(`ALTER TABLE ${at.expected} ${sql}`)

function freeColumn(at: OurIcebergTable, index: number, wanted = (_: Column) => true) {
  const free = at.columns.filter((column) => column.name !== KEY.name && wanted(column))
  return free.length === 0 ? undefined : free[index % free.length]
}

function widerType(type: ColumnType): ColumnType | undefined {
  if (type === 'int32') return 'int64'
  if (type === 'float32') return 'float64'
  if (typeof type !== 'string' && type.kind === 'decimal' && type.precision < 30)
    return { ...type, precision: type.precision + 3 }
  return undefined
}

function newRows(at: OurIcebergTable, { count, seed }: RowsChoice) {
  const choice = { from: at.nextKey, count, seed }
  at.nextKey += count
  return at.workshop.relation(rowsSql(at.columns, choice), at.columns)
}

function operation<P>(
  name: string,
  parameters: fc.Arbitrary<P>,
  run: (table: OurIcebergTable, parameters: P) => Promise<void>,
): fc.Arbitrary<IcebergStep> {
  return parameters.map((given) => ({
    run: (table: OurIcebergTable) => run(table, given),
    [fc.toStringMethod]: () => `${name} ${JSON.stringify(given)}`,
  }))
}
