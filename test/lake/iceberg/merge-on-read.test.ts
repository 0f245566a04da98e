import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ContentFile } from '../../../src/lake/iceberg/manifest.ts'
import type { IcebergTable } from '../../../src/lake/iceberg/table.ts'
import { openIcebergTable } from '../../../src/lake/iceberg/table.ts'
import type { Columns } from '../../../src/model/column.ts'
import { sql } from '../../../src/model/row-edit.ts'
import { withInterruption } from '../row-edits.suite.ts'
import { openTestLake, type TestLake } from './lake-for-tests.ts'

const COLUMNS: Columns = [
  { name: 'id', type: 'int64', nullable: true },
  { name: 'v', type: 'int64', nullable: true },
]
const MARKS = {
  'write.delete.mode': 'merge-on-read',
  'write.update.mode': 'merge-on-read',
  'write.merge.mode': 'merge-on-read',
}
const rowsSql = (from: number, count: number) =>
  `SELECT (${from} + range)::BIGINT AS id, 0::BIGINT AS v FROM range(${count})`

let lake: TestLake
beforeAll(async () => {
  lake = await openTestLake()
})
afterAll(() => lake.close())

async function filled(properties: Readonly<Record<string, string>> = {}, count = 10) {
  const table = await lake.table({ columns: COLUMNS, properties: { ...MARKS, ...properties } })
  for (const from of [0, count]) await lake.append(table, rowsSql(from, count), COLUMNS)
  return table
}

async function filesOf(
  table: IcebergTable,
): Promise<{ data: ContentFile[]; deletes: ContentFile[] }> {
  const files: ContentFile[] = []
  for await (const file of (await table.snapshot()).files()) files.push(file)
  return {
    data: files.filter(({ content }) => content === 'data'),
    deletes: files.filter(({ content }) => content !== 'data'),
  }
}

/** The table as somebody sees it whose commits come after something else has happened. */
const slowed = (table: IcebergTable, meanwhile: () => Promise<unknown>) => {
  let isDue = true
  const ports = withInterruption(lake.deps.ports, (port) => ({
    ...port,
    findEdits: async (...args: Parameters<typeof port.findEdits>) => {
      const found = await port.findEdits(...args)
      if (isDue) {
        isDue = false
        await meanwhile()
      }
      return found
    },
  }))
  return openIcebergTable({ ...lake.deps, ports }, table.name)
}

describe('position delete files', () => {
  test('are about one data file each, and go with it', async () => {
    const table = await filled()
    await table.delete({ where: sql('id % 3 = 0') })
    const first = await filesOf(table)
    expect(first.deletes.map((file) => file.referencedDataFile).sort()).toEqual(
      first.data.map((file) => file.path).sort(),
    )
    expect((await table.snapshot()).summary).toMatchObject({
      operation: 'delete',
      'added-delete-files': '2',
      'added-position-delete-files': '2',
      'added-position-deletes': '7',
      'total-delete-files': '2',
      'total-position-deletes': '7',
      'total-data-files': '2',
    })
    // The rest of one file: the file itself goes, and what was about it.
    await table.delete({ where: sql('id < 10') })
    const { data, deletes } = await filesOf(table)
    expect(data).toHaveLength(1)
    expect(deletes.map((file) => file.referencedDataFile)).toEqual([data[0]!.path])
    expect((await table.snapshot()).summary).toMatchObject({
      'removed-delete-files': '1',
      'removed-position-deletes': '4',
      'total-position-deletes': '3',
    })
    await lake.expectRows(table, `SELECT * FROM (${rowsSql(10, 10)}) WHERE id % 3 <> 0`)
  })

  test('are about a partition where the table says so', async () => {
    const table = await filled({ 'write.delete.granularity': 'partition' })
    await table.delete({ where: sql('id % 3 = 0') })
    const { deletes } = await filesOf(table)
    expect(deletes).toMatchObject([{ recordCount: 7, referencedDataFile: undefined }])
  })

  test('have their rows in order, however many', async () => {
    const count = 400_000
    const table = await filled({ 'write.delete.granularity': 'partition' }, count)
    await table.delete({ where: sql('id % 2 = 0') })
    const { deletes } = await filesOf(table)
    const places = deletes.map(
      ({ path }) => `${lake.folder}/${path.slice(path.indexOf(`${table.location}/data/`))}`,
    )
    const rows = await lake.engine.rows(
      `SELECT count(*)::INTEGER AS n, count(*) FILTER (WHERE place <= before)::INTEGER AS wrong FROM (SELECT place, lag(place) OVER
       (ORDER BY file_row_number) AS before FROM (SELECT (file_path, pos) AS place, file_row_number FROM
       read_parquet('${places[0]}', file_row_number = true)))`,
    )
    expect([places.length, rows]).toEqual([1, [{ n: count, wrong: 0 }]])
    await lake.expectRows(table, `SELECT * FROM (${rowsSql(0, 2 * count)}) WHERE id % 2 = 1`)
  })
})

describe('beside another writer', () => {
  const bump = { where: sql('id = 3'), set: { v: sql('v + 1') } }

  test('deletes of one file do not disturb each other', async () => {
    const table = await filled()
    const slow = await slowed(table, () => table.delete({ where: sql('id = 2') }))
    expect(await slow.delete({ where: sql('id IN (2, 3)') })).toMatchObject({ status: 'committed' })
    await lake.expectRows(table, `SELECT * FROM (${rowsSql(0, 20)}) WHERE id NOT IN (2, 3)`)
  })

  test('what changed a row is not undone by who deleted or changed it meanwhile', async () => {
    for (const meanwhile of ['delete', 'update'] as const) {
      const table = await filled()
      const slow = await slowed(table, () =>
        meanwhile === 'delete' ? table.delete({ where: bump.where }) : table.update(bump),
      )
      const expected = meanwhile === 'delete' ? 'id <> 3' : 'true'
      expect(await slow.update(bump)).toMatchObject({
        status: 'conflict',
        reason: 'read_files_changed',
      })
      await lake.expectRows(
        table,
        `SELECT id, CASE id WHEN 3 THEN 1 ELSE 0 END FROM (${rowsSql(0, 20)}) WHERE ${expected}`,
      )
    }
  })

  test('rows of a file that is written anew are not marked in the old one', async () => {
    const table = await filled()
    const rewriting = await lake.open(table.name)
    await rewriting.changeProperties({ 'write.update.mode': 'copy-on-write' })
    const slow = await slowed(table, () => rewriting.update(bump))
    expect(await slow.delete({ where: sql('id = 4') })).toMatchObject({
      status: 'conflict',
    })
    const again = await slow.delete({ where: sql('id = 4') })
    expect(again).toMatchObject({ status: 'committed' })
  })

  test('new rows matter to a serializable statement and not to one on a snapshot', async () => {
    for (const [isolation, status] of [
      ['serializable', 'conflict'],
      ['snapshot', 'committed'],
    ] as const) {
      const table = await filled({ 'write.update.isolation-level': isolation })
      const slow = await slowed(table, () => lake.append(table, rowsSql(3, 1), COLUMNS))
      expect(await slow.update(bump)).toMatchObject({ status })
    }
  })
})

test('rows in files of an older schema are changed, at every depth', async () => {
  const inner = (names: readonly string[]): Columns =>
    names.map((name) => ({ name, type: 'int32', nullable: true }))
  const columns = (names: readonly string[]): Columns => [
    { name: 'id', type: 'int64', nullable: true },
    { name: 's', type: { kind: 'struct', columns: inner(names) }, nullable: true },
  ]
  for (const properties of [{}, MARKS]) {
    const table = await lake.table({ columns: columns(['a']), properties })
    await lake.append(
      table,
      `SELECT range::BIGINT AS id, {a: range::INTEGER} AS s FROM range(6)`,
      columns(['a']),
    )
    await table.changeColumns([
      { kind: 'rename', path: ['s', 'a'], name: 'b' },
      { kind: 'add', in: ['s'], column: inner(['a'])[0]! },
      { kind: 'rename', path: ['id'], name: 'key' },
    ])
    await table.update({ where: sql('key = 1'), set: { s: sql('{b: s.b + 10, a: 7}') } })
    await table.delete({ where: sql('s.b = 2') })
    await lake.expectRows(
      table,
      `SELECT range::BIGINT AS key, {b: CASE range WHEN 1 THEN 11 ELSE range END::INTEGER, a: CASE range WHEN 1 THEN 7 END::INTEGER} AS s
       FROM range(6) WHERE range <> 2`,
    )
  }
})
