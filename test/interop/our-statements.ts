import fc from 'fast-check'
import { expect } from 'vitest'
import type { DeltaTable } from '../../src/lake/delta/table.ts'
import { TableUnsupportedError } from '../../src/lake/errors.ts'
import type { IcebergTable } from '../../src/lake/iceberg/table.ts'
import type { Columns } from '../../src/model/column.ts'
import { sql } from '../../src/model/row-edit.ts'
import { quoteIdentifier } from '../../src/sql/duckdb/quote-identifier.ts'
import { KEY } from './random-columns.ts'
import { rowsSql } from './random-rows.ts'
import { type TheirStep, type TheirTable, theirStep } from './their-table.ts'
import { expectSameRows, rowsOfPlan } from './workshop.ts'

/** How our statements find a table that another engine writes. */
export type OpenTheirs = (at: TheirTable) => Promise<DeltaTable | IcebergTable>

/** We cannot cut decimals of 38 digits at the very end of their range, as a table that is split by them wants it. */
export const canBeSplit = (columns: Columns): boolean =>
  columns.every(
    ({ type }) => typeof type === 'string' || type.kind !== 'decimal' || type.precision < 38,
  )

const rest = fc.nat(6)
const rows = fc.record({ count: fc.integer({ min: 1, max: 25 }), seed: fc.nat(1_000) })

/** Our statements on a table of another engine, each of which leaves what SQL says. Tables that we cannot write stay as they are. */
export const ourStatements = (open: OpenTheirs): fc.Arbitrary<TheirStep> =>
  fc.oneof(
    ours('our delete', rest, open, async (at, table, which) => {
      await committed(table.delete({ where: sql(`${KEY.name} % 7 = ${which}`) }))
      return `FROM ${at.current} WHERE ${KEY.name} % 7 <> ${which}`
    }),
    ours('our update', rest, open, async (at, table, which) => {
      const column = at.columns.find(({ name, nullable }) => nullable && name !== KEY.name)
      if (column === undefined) return `FROM ${at.current}`
      const where = `${KEY.name} % 7 = ${which}`
      await committed(table.update({ where: sql(where), set: { [column.name]: null } }))
      const name = quoteIdentifier(column.name)
      return `SELECT * REPLACE (CASE WHEN ${where} THEN NULL ELSE ${name} END AS ${name}) FROM ${at.current}`
    }),
    ours('our merge', rows, open, async (at, table, { count, seed }) => {
      const from = Math.max(0, at.nextKey - Math.ceil(count / 2))
      at.nextKey = from + count
      const source = await at.workshop.relation(
        rowsSql(at.columns, { from, count, seed, partitionBy: at.partitionBy }),
        at.columns,
      )
      await committed(
        table.merge({
          source,
          on: { keys: [KEY.name] },
          clauses: [
            { when: 'matched', do: 'update' },
            { when: 'not_matched', do: 'insert' },
          ],
        }),
      )
      return `(FROM ${at.current} WHERE ${KEY.name} NOT IN (SELECT ${KEY.name} FROM ${source.name})) UNION ALL BY NAME (FROM ${source.name})`
    }),
    ours('our optimize', fc.constant(0), open, async (at, table) => {
      const { groups } = await table.optimize()
      expect(groups.filter(({ status }) => status !== 'committed')).toEqual([])
      return `FROM ${at.current}`
    }),
  )

const committed = async (outcome: Promise<{ readonly status: string }>) =>
  expect((await outcome).status).toMatch(/^(committed|unchanged)$/)

/** `run` answers with a query for the rows that are to be there. */
function ours<P>(
  name: string,
  parameters: fc.Arbitrary<P>,
  open: OpenTheirs,
  run: (at: TheirTable, table: DeltaTable | IcebergTable, parameters: P) => Promise<string>,
): fc.Arbitrary<TheirStep> {
  return theirStep(name, parameters, async (at, given) => {
    const table = await open(at)
    let query: string
    try {
      query = await run(at, table, given)
    } catch (error) {
      if (!(error instanceof TableUnsupportedError)) throw error
      return
    }
    const plan = await (await table.snapshot()).plan()
    const expected = { from: `the rows after ${name}`, query }
    await expectSameRows(at.workshop, await rowsOfPlan(at.workshop, plan), expected)
  })
}
