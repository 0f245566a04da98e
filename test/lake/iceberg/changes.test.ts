import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ChangesOptions } from '../../../src/lake/iceberg/changes.ts'
import { type IcebergTable, openIcebergTable } from '../../../src/lake/iceberg/table.ts'
import type { Columns } from '../../../src/model/column.ts'
import { sql } from '../../../src/model/row-edit.ts'
import { compileChanges } from '../../../src/sql/duckdb/changes.ts'
import { withInterruption } from '../row-edits.suite.ts'
import { openTestLake, type TestLake } from './lake-for-tests.ts'

const COLUMNS: Columns = [
  { name: 'id', type: 'int64', nullable: false },
  { name: 'v', type: 'string', nullable: true },
]
const rowsSql = (from: number, count: number) =>
  `SELECT (${from} + range)::BIGINT AS id, 'v' || range AS v FROM range(${count})`
const MODES = ['copy-on-write', 'merge-on-read'] as const
const propertiesOf = (mode: (typeof MODES)[number]) =>
  Object.fromEntries(['delete', 'update', 'merge'].map((word) => [`write.${word}.mode`, mode]))

let lake: TestLake
beforeAll(async () => {
  lake = await openTestLake()
})
afterAll(() => lake.close())

const queryOf = async (table: IcebergTable, options: ChangesOptions) =>
  compileChanges(await table.changes(options), (text) => lake.bench.valuesOf(text))

/** Changes with the place of their snapshot in the history, from 1. */
async function changed(table: IcebergTable, options: ChangesOptions = { after: null }) {
  const ids = (await table.history()).map(({ snapshotId }) => String(snapshotId)).reverse()
  const rows = await lake.engine.rows(
    `SELECT id::INTEGER AS id, v, _change_type AS t, _commit_version::VARCHAR AS n FROM (${await queryOf(table, options)})`,
  )
  return rows
    .map(({ n, t, id, v }) => [ids.indexOf(String(n)) + 1, t, id, v].join(' '))
    .sort((a, b) => a.localeCompare(b))
}

const upsert = async (table: IcebergTable, from: number, count: number) =>
  table.merge({
    source: await lake.engine.relation(rowsSql(from, count), COLUMNS),
    on: { keys: ['id'] },
    clauses: [
      { when: 'matched', do: 'update' },
      { when: 'not_matched', do: 'insert' },
    ],
  })

/** The table as somebody sees it whose commits come after something else has happened. */
const slowed = (table: IcebergTable, meanwhile: () => Promise<unknown>) => {
  let isDue = true
  const ports = withInterruption(lake.deps.ports, (port) => ({
    ...port,
    findEdits: async (...args: Parameters<typeof port.findEdits>) => {
      const found = await port.findEdits(...args)
      if (isDue) await meanwhile()
      isDue = false
      return found
    },
  }))
  return openIcebergTable({ ...lake.deps, ports }, table.name)
}

describe.each(MODES)('changes of an Iceberg table, %s', (mode) => {
  test.each([true, false])('are what statements did; keys known: %s', async (hasKeys) => {
    const table = await lake.table({
      columns: COLUMNS,
      properties: propertiesOf(mode),
      ...(hasKeys ? { keys: ['id'] } : {}),
    })
    await lake.append(table, rowsSql(0, 4), COLUMNS)
    await table.delete({ where: sql('id = 1') })
    await table.update({ where: sql('id = 2'), set: { v: sql(`'new'`) } })
    await upsert(table, 3, 2)
    // Statements that write files anew leave one manifest, which is well as it is.
    const isRewritten = (await table.rewriteManifests()).status === 'committed'
    expect(isRewritten).toBe(mode === 'merge-on-read')
    const next = isRewritten ? 6 : 5
    await table.delete({ where: sql('id = 0') })
    await table.delete()
    const update = (n: number, id: number, before: string, after: string) =>
      hasKeys
        ? [`${n} update_preimage ${id} ${before}`, `${n} update_postimage ${id} ${after}`]
        : [`${n} delete ${id} ${before}`, `${n} insert ${id} ${after}`]
    const expected = [
      ...[0, 1, 2, 3].map((id) => `1 insert ${id} v${id}`),
      '2 delete 1 v1',
      ...update(3, 2, 'v2', 'new'),
      ...update(4, 3, 'v3', 'v0'),
      '4 insert 4 v1',
      `${next} delete 0 v0`,
      ...['2 new', '3 v0', '4 v1'].map((row) => `${next + 1} delete ${row}`),
    ].sort((a, b) => a.localeCompare(b))
    expect(await changed(table)).toEqual(expected)
    // Parts of it, with the first and without.
    const ids = (await table.history()).map(({ snapshotId }) => snapshotId).reverse()
    expect(await changed(table, { from: ids[1]!, to: ids[1]! })).toEqual(['2 delete 1 v1'])
    expect(await changed(table, { after: ids[0]!, to: ids[1]! })).toEqual(['2 delete 1 v1'])
    expect(await changed(table, { after: ids.at(-1)! })).toEqual([])
    expect(await changed(table, { after: null, to: ids[1]!, keys: [] })).toHaveLength(5)
  })

  test('lead from one snapshot to the next, whatever was done', async () => {
    const step = fc.record({
      kind: fc.constantFrom('append', 'delete', 'update', 'upsert', 'overwrite'),
      from: fc.nat(30),
      count: fc.integer({ min: 1, max: 12 }),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 6 }), async (steps) => {
        const properties = propertiesOf(mode)
        const table = await lake.table({ columns: COLUMNS, properties, keys: ['id'] })
        await lake.append(table, rowsSql(0, 20), COLUMNS)
        for (const { kind, from, count } of steps) {
          const where = sql(`id BETWEEN ${from} AND ${from + count}`)
          if (kind === 'append') await lake.append(table, rowsSql(from, count), COLUMNS)
          else if (kind === 'delete') await table.delete({ where })
          else if (kind === 'update') await table.update({ where, set: { v: sql(`v || '+'`) } })
          else if (kind === 'upsert') await upsert(table, from, count)
          else await table.overwrite(await lake.engine.relation(rowsSql(from, count), COLUMNS))
        }
        const history = (await table.history()).reverse()
        for (const [index, { snapshotId }] of history.entries()) {
          const query = await queryOf(table, { from: snapshotId, to: snapshotId })
          const rowsAt = async (id: bigint | undefined) => {
            if (id === undefined) return 'SELECT 0::BIGINT AS id, NULL::VARCHAR AS v WHERE false'
            return lake.bench.compile(await (await table.snapshot({ snapshotId: id })).plan())
          }
          const [before, after] = [
            await rowsAt(history[index - 1]?.snapshotId),
            await rowsAt(snapshotId),
          ]
          const having = (types: string) =>
            `SELECT id, v FROM (${query}) WHERE _change_type IN (${types})`
          const derived = `((${before}) EXCEPT ALL (${having(`'delete', 'update_preimage'`)})) UNION ALL (${having(`'insert', 'update_postimage'`)})`
          for (const [a, b] of [
            [derived, after],
            [after, derived],
          ])
            expect(await lake.engine.rows(`(${a}) EXCEPT ALL (${b})`)).toEqual([])
        }
      }),
      { numRuns: 8 },
    )
  }, 120_000)
})

test.each(MODES)('a restore is told as what it did, %s', async (mode) => {
  const table = await lake.table({ columns: COLUMNS, properties: propertiesOf(mode), keys: ['id'] })
  await lake.append(table, rowsSql(0, 3), COLUMNS)
  const first = (await table.snapshot()).snapshotId!
  await table.update({ where: sql('id = 1'), set: { v: sql(`'new'`) } })
  await lake.append(table, rowsSql(5, 1), COLUMNS)
  const third = (await table.snapshot()).snapshotId!
  expect(await table.restore({ to: { snapshotId: first } })).toMatchObject({ status: 'committed' })
  expect(await changed(table, { after: third })).toEqual([
    '4 delete 5 v0',
    '4 update_postimage 1 v1',
    '4 update_preimage 1 new',
  ])
  expect((await table.appendedSince(third)).others).toMatchObject([{ operation: 'overwrite' }])
  // And who looked before it does not go on as if it had not been.
  const slow = await slowed(table, () => table.restore({ to: { snapshotId: third } }))
  expect(await slow.update({ where: sql('id = 5'), set: { v: sql(`'x'`) } })).toMatchObject({
    status: 'unchanged',
  })
  const again = await slowed(table, () => table.restore({ to: { snapshotId: first } }))
  expect(await again.update({ where: sql('id = 5'), set: { v: sql(`'x'`) } })).toMatchObject({
    status: 'conflict',
  })
  await lake.expectRows(table, rowsSql(0, 3))
})

describe('what was appended since', () => {
  test('is read by itself, and what else happened is told', async () => {
    const table = await lake.table({ columns: COLUMNS })
    expect(await table.appendedSince(null)).toMatchObject({ snapshotId: undefined, others: [] })
    const ids: bigint[] = []
    for (const from of [0, 10, 20]) {
      await lake.append(table, rowsSql(from, 3), COLUMNS)
      ids.push((await table.snapshot()).snapshotId!)
    }
    await table.rewriteManifests()
    const since = await table.appendedSince(ids[0]!, { columns: ['id'] })
    expect(since.others).toEqual([])
    expect(since.snapshotId).toBe((await table.snapshot()).snapshotId)
    expect((await lake.bench.scan(since.plan)).map(({ id }) => Number(id)).sort()).toEqual([
      10, 11, 12, 20, 21, 22,
    ])
    expect((await table.appendedSince(since.snapshotId!)).plan.files).toEqual([])
    expect((await table.appendedSince(null, { to: ids[1]! })).plan.files).toHaveLength(2)
    await table.delete({ where: sql('id = 11') })
    const later = await table.appendedSince(ids[0]!)
    expect(later.others).toMatchObject([{ operation: 'overwrite' }])
    expect(await lake.bench.scan(later.plan)).toHaveLength(6)
  })
})

test('changes that are no longer kept are missed by name', async () => {
  const table = await lake.table({ columns: COLUMNS })
  await lake.append(table, rowsSql(0, 3), COLUMNS)
  const first = (await table.snapshot()).snapshotId!
  await table.delete({ where: sql('id = 1') })
  await lake.append(table, rowsSql(5, 3), COLUMNS)
  await table.expireSnapshots({ snapshotAgeMaxMs: 0 })
  await expect(table.changes({ from: first })).rejects.toMatchObject({ code: 'SNAPSHOT_MISSING' })
  await expect(table.changes({ after: null })).rejects.toMatchObject({ code: 'CHANGES_MISSING' })
  await expect(table.appendedSince(first)).rejects.toMatchObject({ code: 'CHANGES_MISSING' })
})
