import fc from 'fast-check'
import { expect } from 'vitest'
import type { Column, ColumnType } from '../../src/model/column.ts'
import { compare } from '../../src/model/predicate.ts'
import { sql } from '../../src/model/row-edit.ts'
import { quoteIdentifier } from '../../src/sql/duckdb/quote-identifier.ts'
import { duckdbType } from '../../src/sql/duckdb/type-mapping.ts'
import type { OurTable, Step } from './our-delta-table.ts'
import { isScalar, KEY } from './random-columns.ts'
import { type ConditionChoice, conditionChoice, drawCondition } from './random-condition.ts'
import { rowsSql } from './random-rows.ts'

const rowsChoice = { count: fc.nat(25), seed: fc.nat(1_000) }
type RowsChoice = { readonly count: number; readonly seed: number }

/** Whatever can be done to a table; a new operation is a new entry. Each keeps `expected` as the table should be. */
const OPERATIONS: readonly fc.Arbitrary<Step>[] = [
  operation('append', fc.record({ ...rowsChoice, isSorted: fc.boolean() }), async (at, choice) => {
    const rows = await newRows(at, choice)
    const orderBy = choice.isSorted ? { orderBy: [scalars(at).at(-1)!] } : {}
    committed(await at.table.commitAppend(await at.table.prepareAppend(rows, orderBy)))
    await at.workshop.sql(`INSERT INTO ${at.expected} FROM ${rows.name}`)
  }),
  operation(
    'append with progress',
    fc.record({ app: fc.constantFrom('a', 'b/c'), count: fc.nat(3), seed: fc.nat(1_000) }),
    async (at, { app, ...choice }) => {
      const rows = await newRows(at, choice)
      const version = (at.transactions.get(app) ?? 0) + 1
      const prepared = choice.count === 0 ? undefined : await at.table.prepareAppend(rows)
      const transactions = [{ appId: app, version }]
      committed(await at.table.commitAppend(prepared, { transactions }))
      at.transactions.set(app, version)
      await at.workshop.sql(`INSERT INTO ${at.expected} FROM ${rows.name}`)
    },
  ),
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
    at.nextKey = from + count
    const choice = { from, count, seed, partitionBy: at.partitionBy }
    const source = await at.workshop.relation(rowsSql(at.columns, choice), at.columns)
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
    const column: Column = { name: `added${index}`, type: 'timestamp', nullable: true }
    if (at.columns.some(({ name }) => name === column.name)) return
    committed(await at.table.alter({ addColumns: [column] }))
    await alter(at, `ADD COLUMN ${column.name} ${duckdbType(column.type)}`)
  }),
  operation('rename column', fc.nat(5), async (at, index) => {
    const column = freeColumn(at, index)
    const name = `${column?.name} ${index}`
    if (!isMapped(at) || column === undefined || at.columns.some((c) => c.name === name)) return
    committed(await at.table.alter({ renameColumns: { [column.name]: name } }))
    await alter(at, `RENAME COLUMN ${quoteIdentifier(column.name)} TO ${quoteIdentifier(name)}`)
  }),
  operation('drop column', fc.nat(5), async (at, index) => {
    const column = freeColumn(at, index)
    if (!isMapped(at) || column === undefined || at.columns.length < at.partitionBy.length + 3)
      return
    committed(await at.table.alter({ dropColumns: [column.name] }))
    await alter(at, `DROP COLUMN ${quoteIdentifier(column.name)}`)
  }),
  operation('widen column', fc.nat(5), async (at, index) => {
    const column = freeColumn(at, index, ({ type }) => widerType(type) !== undefined)
    if (at.properties['delta.enableTypeWidening'] !== 'true' || column === undefined) return
    const type = widerType(column.type)!
    committed(await at.table.alter({ widenColumns: { [column.name]: type } }))
    await alter(at, `ALTER COLUMN ${quoteIdentifier(column.name)} TYPE ${duckdbType(type)}`)
  }),
  operation('optimize', fc.option(fc.nat(5)), async (at, zOrder) => {
    const names = scalars(at).filter((name) => !at.partitionBy.includes(name))
    const zOrderBy = zOrder === null ? {} : { zOrderBy: [names[zOrder % names.length]!] }
    const { groups } = await at.table.optimize({ fileCountMin: 2, ...zOrderBy })
    expect(groups.filter(({ status }) => status !== 'committed')).toEqual([])
  }),
  operation('vacuum', fc.constant({}), async (at) => {
    await at.table.vacuum({ retentionMs: 0, allowsShortRetention: true })
    // Older versions have lost their files.
    at.versions.clear()
  }),
  operation('restore', fc.nat(10), async (at, index) => {
    const [version, rows] = [...at.versions][index % at.versions.size]!
    committed(await at.table.restore({ version }))
    await at.workshop.sql(`CREATE OR REPLACE TABLE ${at.expected} AS FROM ${rows}`)
  }),
  operation('checkpoint', fc.constant({}), async (at) => {
    await at.table.checkpoint()
  }),
]

/** Rows first, so that there is something to change. */
export const steps: fc.Arbitrary<readonly Step[]> = fc
  .tuple(OPERATIONS[0]!, fc.array(fc.oneof(...OPERATIONS), { minLength: 1, maxLength: 6 }))
  .map(([first, others]) => [first, ...others])

const committed = (outcome: { readonly status: string }) =>
  expect(outcome).toMatchObject({ status: expect.stringMatching(/^(committed|unchanged)$/) })

const scalars = (at: OurTable) =>
  at.columns.filter(({ type }) => isScalar(type)).map(({ name }) => name)

const isMapped = (at: OurTable) => at.properties['delta.columnMapping.mode'] === 'name'

const alter = (at: OurTable, statement: string) =>
  at.workshop.sql(`ALTER TABLE ${at.expected} ${statement}`)

/** A column that is not the key, and that the table is not split by. */
function freeColumn(at: OurTable, index: number, wanted = (_: Column) => true) {
  const free = at.columns.filter(
    (column) => column.name !== KEY.name && !at.partitionBy.includes(column.name) && wanted(column),
  )
  return free.length === 0 ? undefined : free[index % free.length]
}

function widerType(type: ColumnType): ColumnType | undefined {
  if (typeof type === 'string') return WIDER[type]
  // The same number of digits before the point, or more.
  return type.kind === 'decimal' && type.precision < 30
    ? { ...type, precision: type.precision + 3, scale: type.scale + 1 }
    : undefined
}

const WIDER: Readonly<Record<string, ColumnType>> = {
  int8: 'int16',
  int16: 'int32',
  int32: 'float64',
  float32: 'float64',
  date: 'timestamp_ntz',
}

const conditionAt = (at: OurTable, choice: ConditionChoice) =>
  drawCondition(at.workshop, { table: at.expected, columns: at.columns }, choice)

function newRows(at: OurTable, { count, seed }: RowsChoice) {
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
