import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Columns } from '../../../src/model/column.ts'
import { compare } from '../../../src/model/predicate.ts'
import { openTestLake, type TestLake } from './lake-for-tests.ts'

let lake: TestLake
beforeAll(async () => {
  lake = await openTestLake()
})
afterAll(() => lake.close())

test('rows are split by bytes that are no text', async () => {
  const columns: Columns = [
    { name: 'b', type: 'binary', nullable: true },
    { name: 'n', type: 'int32', nullable: true },
  ]
  const rows = `SELECT unhex(h) AS b, n::INTEGER AS n FROM (VALUES ('00FF5C27', 1), ('61', 2), (NULL, 3), ('', 4), ('00FF5C27', 5)) AS t(h, n)`
  for (const transform of ['identity', 'truncate[3]']) {
    const table = await lake.table({ columns, partitionBy: [{ column: 'b', transform }] })
    await lake.append(table, rows, columns)
    await lake.expectRows(table, rows)
    const partitions: unknown[] = []
    for await (const { partition } of (await table.snapshot()).files())
      partitions.push(partition[0])
    const first = transform === 'identity' ? '00FF5C27' : '00FF5C'
    expect(partitions).toHaveLength(4)
    for (const bytes of [Buffer.from(first, 'hex'), Buffer.from('a'), Buffer.alloc(0)])
      expect(partitions).toContainEqual(Uint8Array.from(bytes))
    const where = compare(['b'], '=', { type: 'binary', value: Uint8Array.of(0x61) })
    const plan = await (await table.snapshot()).plan({ predicate: where })
    expect(plan.files).toHaveLength(1)
  }
})

test('rows are split by text of any length', async () => {
  const columns: Columns = [{ name: 't', type: 'string', nullable: true }]
  const rows = `SELECT unnest([repeat('é', 60), repeat('long ', 100), '', NULL, '__HIVE_DEFAULT_PARTITION__', 'a/b=c', 'a']) AS t`
  const table = await lake.table({ columns, partitionBy: [{ column: 't' }] })
  await lake.append(table, rows, columns)
  await lake.expectRows(table, rows)
  const plan = await (await table.snapshot()).plan()
  expect(plan.files).toHaveLength(7)
})
