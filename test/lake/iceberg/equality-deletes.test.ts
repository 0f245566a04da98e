import { afterAll, beforeAll, expect, test } from 'vitest'
import { type IcebergTable, openIcebergTable } from '../../../src/lake/iceberg/table.ts'
import type { Columns } from '../../../src/model/column.ts'
import { sql } from '../../../src/model/row-edit.ts'
import { compileChanges } from '../../../src/sql/duckdb/changes.ts'
import { withInterruption } from '../row-edits.suite.ts'
import { deleteRowsByValue } from './delete-by-value.ts'
import { openTestLake, type TestLake } from './lake-for-tests.ts'

// Other engines delete rows by their values (Flink does, in streams of upserts). We never write such deletes, and have to live with them.

const COLUMNS: Columns = [
  { name: 'id', type: 'int64', nullable: true },
  { name: 'v', type: 'string', nullable: true },
]
const rowsSql = (from: number, count = 5) =>
  `SELECT (${from} + range)::BIGINT AS id, 'v' AS v FROM range(${count})`

let lake: TestLake
beforeAll(async () => {
  lake = await openTestLake()
})
afterAll(() => lake.close())

async function filled() {
  const table = await lake.table({ columns: COLUMNS })
  for (const from of [0, 5]) await lake.append(table, rowsSql(from), COLUMNS)
  return table
}

const deleteByValue = (table: IcebergTable, ids: readonly number[]) =>
  deleteRowsByValue(lake.deps, table, {
    values: `SELECT unnest([${ids.join(', ')}])::BIGINT AS id`,
    fieldIds: { id: 1 },
    run: (text) => lake.bench.rows(text),
  })

/** The table as somebody sees it who is interrupted when new files are written and not yet committed. */
const interrupted = (table: IcebergTable, meanwhile: () => Promise<unknown>) =>
  openIcebergTable(
    { ...lake.deps, ports: withInterruption(lake.deps.ports, undefined, meanwhile) },
    table.name,
  )

test('deletes by value that come while files are written anew apply to the new files', async () => {
  const table = await filled()
  await deleteByValue(table, [1])
  const slow = await interrupted(table, () => deleteByValue(table, [3, 7]))
  const { groups } = await slow.optimize()
  expect(groups).toMatchObject([{ status: 'committed', addedFileCount: 1 }])
  await lake.expectRows(table, `SELECT * FROM (${rowsSql(0, 10)}) WHERE id NOT IN (1, 3, 7)`)
  // Once more, and nothing is left to delete by.
  await table.optimize()
  expect((await (await table.snapshot()).plan()).equalityDeletes).toBeUndefined()
  expect((await table.snapshot()).summary).toMatchObject({
    'total-equality-deletes': '0',
    'total-records': '7',
  })
})

test('rows that were copied before they were deleted by value are a conflict', async () => {
  const table = await filled()
  const slow = await interrupted(table, () => deleteByValue(table, [3]))
  const bump = { where: sql('id = 2'), set: { v: sql(`'new'`) } }
  expect(await slow.update(bump)).toMatchObject({
    status: 'conflict',
    reason: 'read_files_changed',
  })
  expect(await slow.update(bump)).toMatchObject({ status: 'committed' })
  await lake.expectRows(
    table,
    `SELECT id, CASE id WHEN 2 THEN 'new' ELSE v END FROM (${rowsSql(0, 10)}) WHERE id <> 3`,
  )
})

test('rows deleted by value are changes', async () => {
  const table = await filled()
  const { snapshotId } = await table.snapshot()
  await deleteByValue(table, [2, 6, 99])
  await deleteByValue(table, [2])
  const plan = await table.changes({ after: snapshotId! })
  const query = await compileChanges(plan, (text) => lake.bench.valuesOf(text))
  expect(
    await lake.bench.rows(
      `SELECT id::INTEGER AS id, _change_type AS t FROM (${query}) ORDER BY id`,
    ),
  ).toEqual([
    { id: 2, t: 'delete' },
    { id: 6, t: 'delete' },
  ])
})
