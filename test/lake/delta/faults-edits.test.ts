import { afterAll, beforeAll, test } from 'vitest'
import { openDeltaTable } from '../../../src/lake/delta/table.ts'
import { COLUMNS, expectWholeStatements } from '../faults-edits.suite.ts'
import { openTestLake, type TestLake } from './lake-for-tests.ts'

let lake: TestLake
beforeAll(async () => {
  lake = await openTestLake()
})
afterAll(() => lake.close())

test('a statement is done or not done, whatever the storage does', async () => {
  await expectWholeStatements(
    {
      create: async (variant) => {
        const properties = {
          'delta.checkpointInterval': '3',
          'delta.enableDeletionVectors': String(variant % 2 === 0),
          'delta.enableChangeDataFeed': String(variant > 1),
        }
        return (await lake.table({ columns: COLUMNS, properties })).location
      },
      open: (location, store) =>
        openDeltaTable(
          { ...lake.deps, store: store(lake.deps.store), pause: async () => {} },
          location,
        ),
      append: async (table, rows) =>
        (await table.commitAppend(await table.prepareAppend(rows))).status,
      relation: (sql) => lake.engine.relation(sql, COLUMNS),
      rows: async (location) => {
        const table = await openDeltaTable(lake.deps, location)
        const rows = await lake.rows(table, 'SELECT id::INTEGER AS id, v::INTEGER AS v FROM t')
        return rows.map(({ id, v }) => [id as number, v as number])
      },
      others: {
        optimize: {
          leaves: 'rows',
          run: async (table) => (await table.optimize()).groups[0]?.status ?? 'unchanged',
        },
        restore: {
          leaves: 'first',
          run: async (table) => (await table.restore({ version: 1 })).status,
        },
      },
    },
    40,
  )
}, 120_000)
