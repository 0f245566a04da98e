import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { DeltaTable } from '../../../src/lake/delta/table.ts'
import type { Columns } from '../../../src/model/column.ts'
import { compare } from '../../../src/model/predicate.ts'
import { sql } from '../../../src/model/row-edit.ts'
import { compileChanges } from '../../../src/sql/duckdb/changes.ts'
import { scanSql } from '../../../src/sql/duckdb/scan.ts'
import { openTestLake, type TestLake } from './lake-for-tests.ts'
import { nothingToLookInto } from './nothing-to-look-into.ts'

const COLUMNS: Columns = [
  { name: 'id', type: 'int64', nullable: true },
  { name: 'v', type: 'string', nullable: true },
]
const rowsSql = (from: number, count: number) =>
  `SELECT (${from} + range)::BIGINT AS id, 'v' || range AS v FROM range(${count})`

let lake: TestLake
beforeAll(async () => {
  lake = await openTestLake()
})
afterAll(() => lake.close())

async function changed(table: DeltaTable, from: number, to?: number) {
  const plan = await table.changes({ from, ...(to === undefined ? {} : { to }) })
  const rows = await lake.engine.rows(
    `SELECT id::INTEGER AS id, v, _change_type AS t, _commit_version::INTEGER AS n FROM (${await compileChanges(plan, nothingToLookInto)}) ORDER BY n, id, t DESC`,
  )
  return rows.map(({ n, t, id, v }) => [n, t, id, v].join(' '))
}

const MODES = [
  { name: 'copy-on-write', feed: true, vectors: 'false' },
  { name: 'merge-on-read', feed: true, vectors: 'true' },
  { name: 'copy-on-write without feed', feed: false, vectors: 'false' },
  { name: 'merge-on-read without feed', feed: false, vectors: 'true' },
]

describe.each(MODES)('changes of a Delta table, $name', ({ feed, vectors }) => {
  test('are what statements did', async () => {
    const table = await lake.table({
      columns: COLUMNS,
      properties: {
        'delta.enableDeletionVectors': vectors,
        ...(feed ? { 'delta.enableChangeDataFeed': 'true' } : {}),
      },
    })
    await lake.append(table, rowsSql(0, 4), COLUMNS)
    await table.delete({ where: compare(['id'], '=', { type: 'int64', value: 1n }) })
    await table.update({ where: sql('id = 2'), set: { v: sql(`'new'`) } })
    const source = await lake.engine.relation(rowsSql(3, 2), COLUMNS)
    await table.merge({
      source,
      on: { keys: ['id'] },
      clauses: [
        { when: 'matched', do: 'update' },
        { when: 'not_matched', do: 'insert' },
      ],
    })
    await table.delete({ where: sql('id = 0') })
    await table.delete()
    const update = (version: number, id: number, before: string, after: string) =>
      feed
        ? [
            `${version} update_preimage ${id} ${before}`,
            `${version} update_postimage ${id} ${after}`,
          ]
        : [`${version} insert ${id} ${after}`, `${version} delete ${id} ${before}`]
    expect(await changed(table, 0)).toEqual([
      ...[0, 1, 2, 3].map((id) => `1 insert ${id} v${id}`),
      '2 delete 1 v1',
      ...update(3, 2, 'v2', 'new'),
      ...update(4, 3, 'v3', 'v0'),
      '4 insert 4 v1',
      '5 delete 0 v0',
      '6 delete 2 new',
      '6 delete 3 v0',
      '6 delete 4 v1',
    ])
    expect(await changed(table, 2, 2)).toEqual(['2 delete 1 v1'])
    const feedFiles = await lake.engine.rows(
      `SELECT count(*)::INTEGER AS n FROM glob('${lake.folder}/${table.location}/_change_data/*.parquet')`,
    )
    expect((feedFiles[0]!.n as number) > 0).toBe(feed)
  })
})

test('changes that are no longer kept are refused', async () => {
  const table = await lake.table({ columns: COLUMNS })
  await lake.append(table, rowsSql(0, 4), COLUMNS)
  await table.delete()
  for await (const { key } of lake.deps.store.list({ prefix: `${table.location}/part` }))
    await lake.deps.store.remove(key)
  await expect(table.changes({ from: 1 })).rejects.toMatchObject({ code: 'CHANGES_MISSING' })
  await expect(table.changes({ from: 9 })).rejects.toMatchObject({ code: 'SNAPSHOT_MISSING' })
})

test('what was only appended is a scan of its own, and what else happened is said', async () => {
  const table = await lake.table({ columns: COLUMNS })
  const idsIn = async (after: number | null, to?: number) => {
    const { plan, ...rest } = await table.appendedSince(after, to === undefined ? {} : { to })
    const rows = await lake.engine.rows(
      `SELECT id::INTEGER AS id FROM (${scanSql(plan)}) ORDER BY id`,
    )
    return { ...rest, ids: rows.map(({ id }) => id) }
  }
  expect(await idsIn(null)).toEqual({ version: 0, others: [], ids: [] })
  await lake.append(table, rowsSql(0, 2), COLUMNS)
  await lake.append(table, rowsSql(2, 1), COLUMNS)
  expect(await idsIn(null)).toEqual({ version: 2, others: [], ids: [0, 1, 2] })
  expect(await idsIn(1)).toEqual({ version: 2, others: [], ids: [2] })
  expect(await idsIn(2)).toEqual({ version: 2, others: [], ids: [] })
  // Files that are only moved are nothing new; rows that go, or change, are said.
  await table.optimize()
  await table.delete({ where: sql('id = 0') })
  await lake.append(table, rowsSql(9, 1), COLUMNS)
  expect(await idsIn(1)).toEqual({ version: 5, others: [4], ids: [2, 9] })
  expect(await idsIn(1, 3)).toEqual({ version: 3, others: [], ids: [2] })
  await expect(idsIn(null, 9)).rejects.toMatchObject({ code: 'SNAPSHOT_MISSING' })
})
