import fc from 'fast-check'
import { expect } from 'vitest'
import type { SchemaChange } from '../../src/lake/iceberg/evolve-schema.ts'
import type { Column, ColumnType } from '../../src/model/column.ts'
import { compare } from '../../src/model/predicate.ts'
import { sql } from '../../src/model/row-edit.ts'
import { quoteIdentifier } from '../../src/sql/duckdb/quote-identifier.ts'
import { duckdbType } from '../../src/sql/duckdb/type-mapping.ts'
import type { IcebergStep, OurIcebergTable } from './our-iceberg-table.ts'
import { isScalar, KEY } from './random-columns.ts'
import { type ConditionChoice, conditionChoice, drawCondition } from './random-condition.ts'
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
  operation('delete', conditionChoice, async (at, choice) => {
    const condition = await conditionAt(at, choice)
    if (condition === undefined) return
    committed(await at.table.delete({ where: condition.predicate }))
    await at.workshop.sql(`DELETE FROM ${at.expected} WHERE ${condition.duckdb}`)
  }),
  operation('delete a few', fc.nat(4), async (at, rest) => {
    const where = `${KEY.name} % 5 = ${rest}`
    committed(await at.table.delete({ where: sql(where) }))
    await at.workshop.sql(`DELETE FROM ${at.expected} WHERE ${where}`)
  }),
  operation('update', fc.tuple(conditionChoice, conditionChoice), async (at, [a, b]) => {
    const condition = await conditionAt(at, a)
    const value = await conditionAt(at, b)
    if (condition === undefined || value === undefined || value.column.name === KEY.name) return
    const { name } = value.column
    const set = { [name]: value.literal.ours }
    committed(await at.table.update({ where: condition.predicate, set }))
    await at.workshop.sql(
      `UPDATE ${at.expected} SET ${quoteIdentifier(name)} = ${value.literal.duckdb} ` +
        `WHERE ${condition.duckdb}`,
    )
  }),
  operation('merge', fc.record(rowsChoice), async (at, { count, seed }) => {
    const from = Math.max(0, at.nextKey - Math.ceil(count / 2))
    at.nextKey = from
    const source = await newRows(at, { count, seed })
    const goes = `${KEY.name} % 3 = 0`
    const outcome = await at.table.merge({
      source,
      on: { keys: [KEY.name] },
      clauses: [
        { when: 'matched', condition: sql(`source.${goes}`), do: 'delete' },
        { when: 'matched', do: 'update' },
        { when: 'not_matched', do: 'insert' },
      ],
    })
    committed(outcome)
    const { name } = source
    const known = `${KEY.name} IN (SELECT ${KEY.name} FROM ${at.expected})`
    await at.workshop.sql(
      `CREATE TABLE ${name}_new AS FROM ${name} WHERE NOT (${goes} AND ${known})`,
    )
    await at.workshop.sql(
      `DELETE FROM ${at.expected} WHERE ${KEY.name} IN (SELECT ${KEY.name} FROM ${name})`,
    )
    await at.workshop.sql(`INSERT INTO ${at.expected} FROM ${name}_new`)
  }),
  operation('overwrite', fc.record(rowsChoice), async (at, choice) => {
    const rows = await newRows(at, choice)
    committed(await at.table.overwrite(rows))
    await at.workshop.sql(`DELETE FROM ${at.expected}`)
    await at.workshop.sql(`INSERT INTO ${at.expected} FROM ${rows.name}`)
  }),
  operation('overwrite a part', fc.record(rowsChoice), async (at, choice) => {
    const from = BigInt(Math.max(0, at.nextKey - 10))
    const rows = await newRows(at, choice)
    const where = compare([KEY.name], '>=', { type: 'int64', value: from })
    committed(await at.table.overwrite(rows, { where }))
    await at.workshop.sql(`DELETE FROM ${at.expected} WHERE ${KEY.name} >= ${from}`)
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
    at.partitionBy = at.partitionBy.map((field) =>
      field.column === column.name ? { ...field, column: name } : field,
    )
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
    at.partitionBy = fields
  }),
  operation('optimize', fc.option(fc.nat(5)), async (at, zOrder) => {
    const names = at.columns
      .filter(({ name, type }) => isScalar(type) && !identities(at).includes(name))
      .map(({ name }) => name)
    const zOrderBy = zOrder === null ? {} : { zOrderBy: [names[zOrder % names.length]!] }
    const { groups } = await at.table.optimize({ fileCountMin: 2, ...zOrderBy })
    expect(groups.filter(({ status }) => status !== 'committed')).toEqual([])
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

const identities = (at: OurIcebergTable) =>
  at.partitionBy.filter(({ transform }) => transform === 'identity').map(({ column }) => column)

const conditionAt = (at: OurIcebergTable, choice: ConditionChoice) =>
  drawCondition(at.workshop, { table: at.expected, columns: at.columns }, choice)

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
