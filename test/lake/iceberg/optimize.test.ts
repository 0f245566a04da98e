import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { CreateOptions } from '../../../src/lake/iceberg/create.ts'
import type { ContentFile } from '../../../src/lake/iceberg/manifest.ts'
import { type IcebergTable, openIcebergTable } from '../../../src/lake/iceberg/table.ts'
import type { Columns } from '../../../src/model/column.ts'
import { compare } from '../../../src/model/predicate.ts'
import { sql } from '../../../src/model/row-edit.ts'
import { withInterruption } from '../row-edits.suite.ts'
import { openTestLake, type TestLake } from './lake-for-tests.ts'

const COLUMNS: Columns = [
  { name: 'id', type: 'int64', nullable: true },
  { name: 'g', type: 'string', nullable: true },
  { name: 'x', type: 'float64', nullable: true },
]
const rowsSql = (from: number, count = 10) =>
  `SELECT (${from} + range)::BIGINT AS id, 'g' || (range % 2) AS g, (hash(range + ${from}) % 1000)::DOUBLE AS x FROM range(${count})`
const MARKS = { 'write.delete.mode': 'merge-on-read' }
const BY_G = [{ column: 'g' }]

let lake: TestLake
beforeAll(async () => {
  lake = await openTestLake()
})
afterAll(() => lake.close())

const FROMS = [0, 10, 20, 30, 40]
const all = FROMS.map((from) => rowsSql(from)).join(' UNION ALL ')
async function filled(options: Omit<CreateOptions, 'columns'> = {}): Promise<IcebergTable> {
  const table = await lake.table({ columns: COLUMNS, ...options })
  for (const from of FROMS) await lake.append(table, rowsSql(from), COLUMNS)
  return table
}
async function filesOf(table: IcebergTable, content = 'data'): Promise<ContentFile[]> {
  const files: ContentFile[] = []
  for await (const file of (await table.snapshot()).files())
    if (content === 'data' ? file.content === 'data' : file.content !== 'data') files.push(file)
  return files
}

/** The table as somebody sees it who is interrupted when new files are written and not yet committed. */
const interrupted = (table: IcebergTable, meanwhile: () => Promise<unknown>) => {
  const ports = withInterruption(lake.deps.ports, undefined, meanwhile)
  return openIcebergTable({ ...lake.deps, ports }, table.name)
}

describe('optimize', () => {
  test('packs small files, and appends do not mind', async () => {
    const table = await filled()
    const before = await table.snapshot()
    const dry = await table.optimize({ dryRun: true })
    expect(dry).toMatchObject({ status: 'planned', groups: [{ status: 'planned' }] })
    expect(dry.groups[0]!.files).toHaveLength(5)
    expect(dry.groups[0]!.bytes).toBeGreaterThan(0)
    const seen: number[] = []
    const rival = await openIcebergTable(lake.deps, table.name)
    const prepared = await rival.prepareAppend(await lake.engine.relation(rowsSql(50), COLUMNS))
    const outcome = await table.optimize({ onProgress: ({ groupsDone }) => seen.push(groupsDone) })
    const after = await table.snapshot()
    expect(outcome).toMatchObject({ status: 'committed', snapshotId: after.snapshotId })
    expect(after.summary).toMatchObject({ operation: 'replace', 'total-data-files': '1' })
    expect(await rival.commitAppend(prepared)).toMatchObject({ status: 'committed' })
    expect(seen).toEqual([1])
    expect(await filesOf(table)).toHaveLength(2)
    await lake.expectRows(table, `${all} UNION ALL ${rowsSql(50)}`)
    const changes = await table.changes({ after: before.snapshotId!, to: after.snapshotId! })
    expect(changes.parts).toEqual([])
    expect((await table.appendedSince(before.snapshotId!)).others).toEqual([])
  })

  test('keeps to partitions, to its budget, and to files that are worth it', async () => {
    const table = await filled({ partitionBy: BY_G })
    const where = compare(['g'], '=', { type: 'string', value: 'g0' })
    expect(await table.optimize({ where })).toMatchObject({ status: 'committed' })
    expect(await filesOf(table)).toHaveLength(6)
    expect(await table.optimize({ bytesMax: 10 })).toMatchObject({
      status: 'unchanged',
      groups: [{ status: 'over_budget' }],
    })
    expect(await table.optimize({ fileCountMin: 6 })).toMatchObject({ groups: [] })
    await table.optimize()
    expect(await filesOf(table)).toHaveLength(2)
    await lake.expectRows(table, all)
    expect(await table.optimize()).toMatchObject({ status: 'unchanged' })
  })

  test.each(['file', 'partition'])('leaves marked rows behind, marked by %s', async (by) => {
    const properties = { ...MARKS, 'write.delete.granularity': by }
    const table = await filled({ properties, partitionBy: BY_G })
    await table.delete({ where: sql('id % 4 < 2') })
    expect(await filesOf(table, 'deletes')).toHaveLength(by === 'file' ? 10 : 2)
    await table.optimize()
    expect(await filesOf(table, 'deletes')).toEqual([])
    expect((await table.snapshot()).summary).toMatchObject({
      'total-position-deletes': '0',
      'total-records': '24',
    })
    await lake.expectRows(table, `SELECT * FROM (${all}) WHERE id % 4 >= 2`)
  })

  test.each(['file', 'partition'])(
    'merges what marks rows of a file that stays, marked by %s',
    async (by) => {
      const properties = { ...MARKS, 'write.delete.granularity': by }
      const table = await lake.table({ columns: COLUMNS, properties, partitionBy: BY_G })
      await lake.append(table, rowsSql(0, 1000), COLUMNS)
      for (const id of [1, 2, 3, 4])
        await table.delete({ where: sql(`id = ${id} OR id = ${id + 100}`) })
      expect(await filesOf(table, 'deletes')).toHaveLength(4)
      const before = await table.snapshot()
      // As good as full, so that nobody writes them anew.
      const options = { fileBytesTarget: 1 }
      expect(await table.optimize({ ...options, dryRun: true })).toMatchObject({
        groups: [{ status: 'planned' }],
      })
      const { groups } = await table.optimize(options)
      expect(groups).toMatchObject([{ status: 'committed', addedFileCount: 2 }])
      expect(groups[0]!.files).toHaveLength(4)
      expect(await filesOf(table, 'deletes')).toHaveLength(2)
      const left = `SELECT * FROM (${rowsSql(0, 1000)}) WHERE id % 100 NOT BETWEEN 1 AND 4 OR id >= 200`
      await lake.expectRows(table, left)
      expect((await table.changes({ after: before.snapshotId! })).parts).toEqual([])
      expect(await table.optimize(options)).toMatchObject({ groups: [] })
      await table.restore({ to: { snapshotId: before.snapshotId! } })
      await lake.expectRows(table, left)
    },
  )

  test('lays rows along columns and along a curve', async () => {
    const table = await lake.table({ columns: COLUMNS })
    const many = `SELECT range::BIGINT AS id, 'g' AS g, ((range * 389) % 1024)::DOUBLE AS x FROM range(1024)`
    await lake.append(table, many, COLUMNS)
    expect(await table.optimize({ zOrderBy: ['id', 'x'] })).toMatchObject({ status: 'committed' })
    await lake.expectRows(table, many)
    expect(await table.optimize({ sortBy: ['x'] })).toMatchObject({ status: 'committed' })
    const plan = await (await table.snapshot()).plan({ columns: ['x'] })
    const xs = (await lake.bench.scan(plan)).map(({ x }) => Number(x))
    expect(xs).toEqual(xs.toSorted((a, b) => a - b))
    for (const options of [{ sortBy: ['nothing'] }, { sortBy: ['x'], zOrderBy: ['id'] }])
      await expect(table.optimize(options)).rejects.toMatchObject({ code: 'TABLE_MISMATCH' })
  })

  test('a column that the table is partitioned by is laid already', async () => {
    const table = await lake.table({ columns: COLUMNS, partitionBy: BY_G })
    await lake.append(table, rowsSql(0), COLUMNS)
    await lake.append(table, rowsSql(30), COLUMNS)
    const before = (await filesOf(table)).length
    expect(await table.optimize({ zOrderBy: ['g', 'id'] })).toMatchObject({ status: 'committed' })
    expect((await filesOf(table)).length).toBe(before / 2)
  })

  test('writes files of an older partitioning by the newest', async () => {
    const table = await filled()
    await table.changePartitioning(BY_G)
    await table.optimize()
    const files = await filesOf(table)
    expect(files.map(({ partition }) => partition[0]).sort()).toEqual(['g0', 'g1'])
    await lake.expectRows(table, all)
  })

  test('gives way to who changes the same files, and to nobody else', async () => {
    const append = (table: IcebergTable) => lake.append(table, rowsSql(90), COLUMNS)
    for (const [name, meanwhile, status] of [
      ['append', append, 'committed'],
      ['mark', (table: IcebergTable) => table.delete({ where: sql('id = 3') }), 'conflict'],
      ['optimize', (table: IcebergTable) => table.optimize(), 'conflict'],
    ] as const) {
      const table = await filled({ properties: MARKS })
      const slow = await interrupted(table, () => meanwhile(table))
      const { groups } = await slow.optimize()
      expect({ name, status: groups[0]!.status }).toEqual({ name, status })
      const rows = name === 'append' ? `${all} UNION ALL ${rowsSql(90)}` : all
      await lake.expectRows(table, name === 'mark' ? `SELECT * FROM (${rows}) WHERE id <> 3` : rows)
    }
  })
})
