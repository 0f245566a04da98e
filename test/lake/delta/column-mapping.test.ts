import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Columns } from '../../../src/model/column.ts'
import { openTestLake, type TestLake } from './lake-for-tests.ts'

const COLUMNS: Columns = [
  { name: 'id', type: 'int32', nullable: true },
  {
    name: 's',
    type: { kind: 'struct', columns: [{ name: 'x', type: 'int32', nullable: true }] },
    nullable: true,
  },
]
const MAPPED = { 'delta.columnMapping.mode': 'name' }

let lake: TestLake
beforeAll(async () => {
  lake = await openTestLake()
})
afterAll(() => lake.close())

describe('column mapping', () => {
  test('every field has an id of its own, at every depth', async () => {
    const table = await lake.table({ columns: COLUMNS, properties: MAPPED })
    const log = await lake.deps.store.get(`${table.location}/_delta_log/${'0'.repeat(20)}.json`)
    const ids = [...new TextDecoder().decode(log).matchAll(/columnMapping\.id\\*":(\d+)/g)]
    expect(ids.map(([, id]) => Number(id)).sort()).toEqual([1, 2, 3])
  })

  test('files can be laid out in Z-order', async () => {
    const table = await lake.table({ columns: COLUMNS, properties: MAPPED })
    const rows = (from: number) =>
      `SELECT (${from} + range)::INTEGER AS id, {'x': range::INTEGER} AS s FROM range(5)`
    await lake.append(table, rows(0), COLUMNS)
    await lake.append(table, rows(5), COLUMNS)
    const { groups } = await table.optimize({ zOrderBy: ['id'] })
    expect(groups).toMatchObject([{ status: 'committed', addedFileCount: 1 }])
    await lake.expectRows(table, `${rows(0)} UNION ALL ${rows(5)}`)
  })
})
