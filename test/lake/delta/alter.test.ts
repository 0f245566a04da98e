import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openDeltaTable } from '../../../src/lake/delta/table.ts'
import type { Columns } from '../../../src/model/column.ts'
import { compare } from '../../../src/model/predicate.ts'
import { sql } from '../../../src/model/row-edit.ts'
import { compileChanges } from '../../../src/sql/duckdb/changes.ts'
import { openTestLake, type TestLake } from './lake-for-tests.ts'
import { nothingToLookInto } from './nothing-to-look-into.ts'

const STRUCT = { kind: 'struct', columns: [{ name: 'x', type: 'int32', nullable: true }] } as const
const COLUMNS: Columns = [
  { name: 'id', type: 'int32', nullable: true },
  { name: 'g', type: 'string', nullable: true },
  { name: 's', type: STRUCT, nullable: true },
]
const rowsSql = (from: number, count = 5) =>
  `SELECT (${from} + range)::INTEGER AS id, 'g' || (range % 2) AS g, {'x': range::INTEGER} AS s FROM range(${count})`

let lake: TestLake
beforeAll(async () => {
  lake = await openTestLake()
})
afterAll(() => lake.close())

describe('altering a Delta table', () => {
  test('adds columns, which older rows lack', async () => {
    const table = await lake.table({ columns: COLUMNS })
    await lake.append(table, rowsSql(0), COLUMNS)
    const added: Columns = [{ name: 'note', type: 'string', nullable: true, doc: 'What for.' }]
    expect(await table.alter({ addColumns: added })).toMatchObject({
      status: 'committed',
      version: 2,
    })
    const columns = (await table.snapshot()).columns
    expect(columns).toEqual([...COLUMNS, ...added])
    await lake.append(table, `SELECT *, 'n' AS note FROM (${rowsSql(5)})`, columns)
    await lake.expectRows(
      table,
      `SELECT *, NULL::VARCHAR FROM (${rowsSql(0)}) UNION ALL SELECT *, 'n' FROM (${rowsSql(5)})`,
    )
    await expect(table.alter({ addColumns: added })).rejects.toMatchObject({
      code: 'TABLE_MISMATCH',
    })
    expect(await table.alter({ properties: { 'my.owner': 'me' } })).toMatchObject({
      status: 'committed',
    })
    expect(await table.alter({ properties: { 'my.owner': 'me' } })).toMatchObject({
      status: 'unchanged',
    })
    await table.alter({ properties: { 'my.owner': null } })
    expect((await table.snapshot()).properties).toEqual({})
  })

  test.each(['from the start', 'later'])(
    'renames and drops columns under column mapping, turned on %s',
    async (when) => {
      const mapping = { 'delta.columnMapping.mode': 'name' }
      const feed = { 'delta.enableChangeDataFeed': 'true' }
      const table = await lake.table({
        columns: COLUMNS,
        partitionBy: ['g'],
        properties: when === 'later' ? feed : { ...mapping, ...feed },
      })
      await lake.append(table, rowsSql(0), COLUMNS)
      if (when === 'later') {
        await expect(table.alter({ renameColumns: { id: 'key' } })).rejects.toMatchObject({
          code: 'TABLE_UNSUPPORTED',
          features: ['columnMapping'],
        })
        await table.alter({ properties: mapping })
      }
      await table.alter({ renameColumns: { id: 'key', g: 'the group' } })
      await lake.append(
        table,
        `SELECT id AS key, g AS "the group", s FROM (${rowsSql(5)})`,
        (await table.snapshot()).columns,
      )
      await table.update({
        where: compare(['key'], '>=', { type: 'int32', value: 8n }),
        set: { 'the group': { type: 'string', value: 'moved' } },
      })
      await table.delete({ where: sql('key = 0') })
      const expected = `SELECT id AS key, CASE WHEN id >= 8 THEN 'moved' ELSE g END AS "the group", s FROM (${rowsSql(0)} UNION ALL ${rowsSql(5)}) WHERE id > 0`
      await lake.expectRows(table, expected)
      await table.alter({ dropColumns: ['s'] })
      await table.alter({ addColumns: [{ name: 's', type: 'string', nullable: true }] })
      await table.optimize()
      // The new column of the old name holds nothing of the old one.
      await lake.expectRows(table, `SELECT key, "the group", NULL::VARCHAR AS s FROM (${expected})`)
      const version = (await table.snapshot()).version
      const changes = await compileChanges(
        await table.changes({ from: 0, to: version }),
        nothingToLookInto,
      )
      expect(
        await lake.engine.rows(
          `SELECT _change_type AS t, count(*)::INTEGER AS n FROM (${changes}) GROUP BY 1 ORDER BY 1`,
        ),
      ).toEqual([
        { t: 'delete', n: 1 },
        { t: 'insert', n: 10 },
        { t: 'update_postimage', n: 2 },
        { t: 'update_preimage', n: 2 },
      ])
      const plan = await (await table.snapshot()).plan({
        predicate: compare(['key'], '=', { type: 'int32', value: 7n }),
      })
      expect(plan.files.length).toBeLessThan((await table.snapshot()).fileCount)
      await expect(
        table.alter({ properties: { 'delta.columnMapping.mode': 'none' } }),
      ).rejects.toThrow('cannot be turned off')
    },
  )

  test('widens types, when that is turned on', async () => {
    const table = await lake.table({ columns: COLUMNS })
    await lake.append(table, rowsSql(0), COLUMNS)
    const widenColumns = { id: 'int64' } as const
    await expect(table.alter({ widenColumns })).rejects.toMatchObject({
      features: ['typeWidening'],
    })
    await table.alter({ properties: { 'delta.enableTypeWidening': 'true' }, widenColumns })
    const { columns, protocol } = await table.snapshot()
    expect(columns[0]).toMatchObject({ type: 'int64' })
    expect(protocol.readerFeatures).toContain('typeWidening')
    await lake.append(
      table,
      `SELECT 5000000000::BIGINT AS id, 'g' AS g, {'x': 1::INTEGER} AS s`,
      columns,
    )
    await table.update({ where: sql('id = 2'), set: { id: sql('id + 6000000000') } })
    expect(
      await lake.rows(table, 'SELECT max(id)::VARCHAR AS m, count(*)::INTEGER AS n FROM t'),
    ).toEqual([{ m: '6000000002', n: 6 }])
    await expect(table.alter({ widenColumns: { id: 'int32' } })).rejects.toMatchObject({
      code: 'TABLE_MISMATCH',
    })
  })

  test('makes constraints that old rows meet and new rows must', async () => {
    const table = await lake.table({ columns: COLUMNS })
    await lake.append(table, rowsSql(0), COLUMNS)
    await expect(table.alter({ addConstraints: { small: 'id < 3' } })).rejects.toThrow('2 rows')
    await table.alter({ addConstraints: { Positive: '`id` >= 0' }, forbidNulls: ['g'] })
    const fresh = await openDeltaTable(lake.deps, table.location)
    await expect(
      fresh.prepareAppend(await lake.engine.relation(rowsSql(-3), COLUMNS)),
    ).rejects.toThrow('3 rows break positive')
    await expect(fresh.update({ set: { id: sql('-1') } })).rejects.toMatchObject({
      code: 'TABLE_MISMATCH',
    })
    await expect(fresh.update({ set: { g: null } })).rejects.toThrow('holds nulls')
    await lake.append(fresh, rowsSql(5), COLUMNS)
    await fresh.alter({ dropConstraints: ['positive'], allowNulls: ['g'] })
    await lake.append(fresh, rowsSql(-3), COLUMNS)
  })

  test('generated columns are made, kept and checked', async () => {
    const columns: Columns = [...COLUMNS, { name: 'double', type: 'int64', nullable: true }]
    const table = await lake.table({ columns, generatedColumns: { double: 'id * 2' } })
    await lake.append(table, rowsSql(0), COLUMNS)
    await table.update({ where: sql('id = 1'), set: { id: sql('10') } })
    await lake.append(table, `SELECT *, id * 2 AS double FROM (${rowsSql(5)})`, columns)
    await lake.expectRows(
      table,
      `SELECT * REPLACE (CASE WHEN id = 1 THEN 10 ELSE id END AS id, CASE WHEN id = 1 THEN 20 ELSE double END AS double)
       FROM (SELECT *, (id * 2)::BIGINT AS double FROM (${rowsSql(0)} UNION ALL ${rowsSql(5)}))`,
    )
    await expect(
      table.prepareAppend(
        await lake.engine.relation(`SELECT *, 1::BIGINT AS double FROM (${rowsSql(5)})`, columns),
      ),
    ).rejects.toThrow('generation of double')
  })

  test('refuses by name what it cannot do', async () => {
    const table = await lake.table({ columns: COLUMNS })
    await expect(
      table.alter({ properties: { 'delta.enableRowTracking': 'true' } }),
    ).rejects.toMatchObject({ code: 'TABLE_UNSUPPORTED', features: ['delta.enableRowTracking'] })
    await table.alter({ addColumns: [{ name: '_change_type', type: 'string', nullable: true }] })
    await expect(
      table.alter({ properties: { 'delta.enableChangeDataFeed': 'true' } }),
    ).rejects.toThrow('_change_type')
    await table.alter({ properties: { 'delta.appendOnly': 'true' } })
    for (const refused of [table.delete(), table.restore({ version: 0 })])
      await expect(refused).rejects.toThrow('appends alone')
  })
})
