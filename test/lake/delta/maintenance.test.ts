import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type DeltaTable, openDeltaTable } from '../../../src/lake/delta/table.ts'
import type { Columns } from '../../../src/model/column.ts'
import { compare } from '../../../src/model/predicate.ts'
import { sql } from '../../../src/model/row-edit.ts'
import { openTestLake, type TestLake } from './lake-for-tests.ts'

const COLUMNS: Columns = [
  { name: 'id', type: 'int64', nullable: true },
  { name: 'g', type: 'string', nullable: true },
  { name: 'x', type: 'float64', nullable: true },
]
const rowsSql = (from: number, count = 10) =>
  `SELECT (${from} + range)::BIGINT AS id, 'g' || (range % 2) AS g, (hash(range + ${from}) % 1000)::DOUBLE AS x FROM range(${count})`
const WEEK_MS = 7 * 24 * 3600 * 1000

let lake: TestLake
beforeAll(async () => {
  lake = await openTestLake()
})
afterAll(() => lake.close())

const FROMS = [0, 10, 20, 30, 40]
const all = FROMS.map((from) => rowsSql(from)).join(' UNION ALL ')
async function filled(options: object = {}): Promise<DeltaTable> {
  const table = await lake.table({ columns: COLUMNS, ...options })
  for (const from of FROMS) await lake.append(table, rowsSql(from), COLUMNS)
  return table
}
const keysOf = async (table: DeltaTable) => {
  const keys: string[] = []
  for await (const { key } of lake.deps.store.list({ prefix: `${table.location}/` }))
    if (!key.includes('_delta_log')) keys.push(key)
  return keys
}

describe('optimize', () => {
  test('packs small files, and appends do not mind', async () => {
    const table = await filled()
    const dry = await table.optimize({ dryRun: true })
    expect(dry).toMatchObject({ status: 'planned', version: 5, groups: [{ status: 'planned' }] })
    expect(dry.groups[0]!.files).toHaveLength(5)
    const seen: number[] = []
    const rival = await openDeltaTable(lake.deps, table.location)
    const prepared = await rival.prepareAppend(await lake.engine.relation(rowsSql(50), COLUMNS))
    const outcome = await table.optimize({ onProgress: ({ groupsDone }) => seen.push(groupsDone) })
    expect(outcome).toMatchObject({ status: 'committed', version: 6 })
    expect(await rival.commitAppend(prepared)).toMatchObject({ status: 'committed', version: 7 })
    expect(seen).toEqual([1])
    expect((await table.snapshot()).fileCount).toBe(2)
    await lake.expectRows(table, `${all} UNION ALL ${rowsSql(50)}`)
    const plan = await table.changes({ from: 6, to: 6 })
    expect(plan.parts).toEqual([])
  })

  test('keeps to partitions, to its budget, and to files that are worth it', async () => {
    const table = await filled({ partitionBy: ['g'] })
    const where = compare(['g'], '=', { type: 'string', value: 'g0' })
    expect(await table.optimize({ where })).toMatchObject({ status: 'committed' })
    expect((await table.snapshot()).fileCount).toBe(6)
    expect(await table.optimize({ bytesMax: 10 })).toMatchObject({
      status: 'unchanged',
      groups: [{ status: 'over_budget' }],
    })
    expect(await table.optimize({ fileCountMin: 6 })).toMatchObject({ groups: [] })
    await table.optimize()
    expect((await table.snapshot()).fileCount).toBe(2)
    await lake.expectRows(table, all)
    expect(await table.optimize()).toMatchObject({ status: 'unchanged' })
  })

  test('leaves marked rows behind', async () => {
    const table = await filled({ properties: { 'delta.enableDeletionVectors': 'true' } })
    await table.delete({ where: sql('id % 2 = 0') })
    await table.optimize()
    const [file] = [...(await table.snapshot()).files()]
    expect(file?.deletionVector).toBeUndefined()
    await lake.expectRows(table, `SELECT * FROM (${all}) WHERE id % 2 = 1`)
  })

  test('lays rows along a curve that interleaves the bits of ranks', async () => {
    const table = await lake.table({ columns: COLUMNS })
    const many = `SELECT range::BIGINT AS id, 'g' AS g, ((range * 389) % 1024)::DOUBLE AS x FROM range(1024)`
    await lake.append(table, many, COLUMNS)
    const plan = await (await table.snapshot()).plan()
    const zOrder = { by: ['id', 'x'], as: 'z' }
    await using laid = await lake.deps.ports.tableRows.planRelation({ plan, zOrder })
    const rows = await lake.engine.rows(
      `SELECT id::INTEGER AS id, x::INTEGER AS x, z::INTEGER AS z FROM ${laid.relation.name}`,
    )
    expect(rows).toHaveLength(1024)
    for (const { id, x, z } of rows as { id: number; x: number; z: number }[]) {
      // Every value is a cut, and counts itself.
      const [a, b] = [Math.min(id + 1, 1023), Math.min(x + 1, 1023)]
      let wanted = 0
      for (let bit = 9; bit >= 0; bit -= 1)
        wanted = wanted * 4 + ((a >> bit) & 1) * 2 + ((b >> bit) & 1)
      expect(z).toBe(wanted)
    }
    await table.optimize({ zOrderBy: ['id', 'x'] })
    await lake.expectRows(table, many)
    await table.optimize({ sortBy: ['x'] })
    await lake.expectRows(table, many)
    await expect(table.optimize({ sortBy: ['nothing'] })).rejects.toMatchObject({
      code: 'TABLE_MISMATCH',
    })
  })
})

describe('vacuum', () => {
  test('removes what no kept snapshot needs, and nothing young', async () => {
    const table = await filled({
      properties: { 'delta.enableDeletionVectors': 'true', 'delta.enableChangeDataFeed': 'true' },
    })
    await table.delete({ where: sql('id = 3') })
    await table.optimize()
    await lake.deps.store.put(`${table.location}/orphan.parquet`, new Uint8Array(3))
    await lake.deps.store.put(`${table.location}/_other/mine`, new Uint8Array(3))
    const before = await keysOf(table)
    expect(await table.vacuum()).toMatchObject({ files: [] })
    await expect(table.vacuum({ retentionMs: 0 })).rejects.toMatchObject({ code: 'TABLE_MISMATCH' })
    // The store's files have the system's time, the table the test's.
    lake.clock.atMs = Date.now() + 2 * WEEK_MS
    const dry = await table.vacuum({ dryRun: true })
    expect(dry.files.length).toBe(before.length - 2)
    expect(dry.bytes).toBeGreaterThan(0)
    expect(await keysOf(table)).toEqual(before)
    expect(await table.vacuum({ fileCountMax: 1 })).toMatchObject({
      isPartial: true,
      status: 'removed',
    })
    await table.vacuum()
    const left = await keysOf(table)
    expect(left).toHaveLength(2)
    expect(left.some((key) => key.endsWith('_other/mine'))).toBe(true)
    await lake.expectRows(table, `SELECT * FROM (${all}) WHERE id <> 3`)
  })

  test('keeps files that an old snapshot lost a short while ago, through a checkpoint too', async () => {
    const table = await filled({ properties: { 'delta.enableDeletionVectors': 'true' } })
    await table.delete({ where: sql('id = 3') })
    await table.delete({ where: sql('id = 4') })
    lake.clock.atMs += 2 * WEEK_MS
    await table.delete()
    await table.checkpoint()
    const fresh = await openDeltaTable(lake.deps, table.location)
    await fresh.vacuum()
    expect(await lake.rows(fresh, 'SELECT count(*)::INTEGER AS n FROM t', { version: 7 })).toEqual([
      { n: 48 },
    ])
  })
})

describe('restore', () => {
  test('brings rows and schema back, and says when files are gone', async () => {
    const table = await filled()
    await table.delete({ where: sql('id < 30') })
    expect(await table.restore({ version: 5, dryRun: true })).toMatchObject({ status: 'planned' })
    expect(await table.restore({ version: 5 })).toMatchObject({ status: 'committed', version: 7 })
    await lake.expectRows(table, all)
    expect(await table.restore({ version: 7 })).toMatchObject({ status: 'unchanged' })
    await table.delete()
    lake.clock.atMs += 2 * WEEK_MS
    await table.vacuum()
    await expect(table.restore({ version: 5 })).rejects.toMatchObject({ code: 'SNAPSHOT_MISSING' })
    expect(await table.history({ limit: 2 })).toMatchObject([
      { operation: 'DELETE' },
      { operation: 'RESTORE' },
    ])
  })
})

test('the log loses what is old and not needed, and every kept version stays readable', async () => {
  lake.clock.atMs = Date.now() - 60_000
  const table = await filled({
    properties: { 'delta.logRetentionDuration': 'interval 1 day', 'delta.checkpointInterval': '3' },
  })
  expect((await table.cleanLog({ dryRun: true })).names).toEqual([])
  lake.clock.atMs = Math.max(lake.clock.atMs, Date.now()) + WEEK_MS
  const { names } = await table.cleanLog()
  expect(names).toEqual([0, 1, 2].map((version) => `${String(version).padStart(20, '0')}.json`))
  const fresh = await openDeltaTable(lake.deps, table.location)
  await lake.expectRows(fresh, all)
  expect((await fresh.snapshot({ version: 3 })).fileCount).toBe(3)
  await expect(fresh.snapshot({ version: 2 })).rejects.toMatchObject({ code: 'SNAPSHOT_MISSING' })
})

test('of the log so many versions stay as were asked for, and none that is young', async () => {
  lake.clock.atMs = Date.now() - 60_000
  const table = await filled({ properties: { 'delta.checkpointInterval': '2' } })
  const { version: newest } = await table.snapshot()
  const DAY_MS = WEEK_MS / 7
  lake.clock.atMs = Math.max(lake.clock.atMs, Date.now()) + 2 * DAY_MS
  const oldest = async (options: object) => {
    const { names } = await table.cleanLog({ dryRun: true, ...options })
    return names.filter((name) => /^\d+\.json$/.test(name)).length
  }
  expect(await oldest({})).toBe(0)
  expect(await oldest({ ageMaxMs: 3 * DAY_MS })).toBe(0)
  const all = await oldest({ ageMaxMs: DAY_MS })
  expect(all).toBeGreaterThan(2)
  expect(await oldest({ ageMaxMs: DAY_MS, versionCountMin: newest - 1 })).toBe(2)
  expect(await oldest({ ageMaxMs: DAY_MS, versionCountMin: newest + 1 })).toBe(0)
  await expect(table.cleanLog({ ageMaxMs: 1_000 })).rejects.toMatchObject({
    code: 'TABLE_MISMATCH',
  })
  await table.cleanLog({ ageMaxMs: DAY_MS, versionCountMin: newest - 1 })
  const fresh = await openDeltaTable(lake.deps, table.location)
  expect((await fresh.snapshot({ version: 2 })).version).toBe(2)
  await expect(fresh.snapshot({ version: 1 })).rejects.toMatchObject({ code: 'SNAPSHOT_MISSING' })
  const planned = await table.cleanLog({ ageMaxMs: DAY_MS, dryRun: true })
  const seen: number[] = []
  const some = await table.cleanLog({
    ageMaxMs: DAY_MS,
    fileCountMax: 2,
    onProgress: ({ removed }) => seen.push(removed),
  })
  expect([some.names, some.isPartial, seen]).toEqual([planned.names.slice(0, 2), true, [1, 2]])
  expect((await table.snapshot()).version).toBe(newest)
  const rest = await table.cleanLog({ ageMaxMs: DAY_MS })
  expect([rest.names, rest.isPartial]).toEqual([planned.names.slice(2), false])
})
