import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { convertDeltaToIceberg, convertIcebergToDelta } from '../../../src/lake/convert/convert.ts'
import { createDeltaTable } from '../../../src/lake/delta/create.ts'
import { type DeltaTable, openDeltaTable } from '../../../src/lake/delta/table.ts'
import { openIcebergTable } from '../../../src/lake/iceberg/table.ts'
import type { Columns } from '../../../src/model/column.ts'
import { compare } from '../../../src/model/predicate.ts'
import { sql } from '../../../src/model/row-edit.ts'
import type { ScanPlan } from '../../../src/model/scan-plan.ts'
import { openTestLake, type TestLake } from '../iceberg/lake-for-tests.ts'

const COLUMNS: Columns = [
  { name: 'id', type: 'int64', nullable: false },
  { name: 'g', type: 'string', nullable: true },
  { name: 'day', type: 'date', nullable: true },
  { name: 'at', type: 'timestamp', nullable: true },
  { name: 'local', type: 'timestamp_ntz', nullable: true },
  { name: 'price', type: { kind: 'decimal', precision: 10, scale: 2 }, nullable: true },
  { name: 'x', type: 'float64', nullable: true },
  {
    name: 's',
    type: {
      kind: 'struct',
      columns: [
        { name: 'a', type: 'int32', nullable: true },
        {
          name: 'list',
          type: { kind: 'list', element: 'string', elementNullable: true },
          nullable: true,
        },
      ],
    },
    nullable: true,
  },
]
const rowsSql = (from: number, count = 20) =>
  `SELECT (${from} + range)::BIGINT AS id, CASE WHEN range % 5 = 4 THEN NULL ELSE 'g / ' || (range % 3) END AS g,
   DATE '2024-02-28' + (range % 3)::INTEGER AS day, make_timestamptz((${from} + range)::BIGINT * 1234567891) AS at,
   make_timestamp(-(${from} + range)::BIGINT * 1234567891) AS local, (range * 1.25 - 3)::DECIMAL(10, 2) AS price,
   CASE WHEN range = 7 THEN 'nan'::DOUBLE ELSE range / 3 END AS x, {a: range::INTEGER, list: ['l' || range, NULL]} AS s FROM range(${count})`
const all = `${rowsSql(0)} UNION ALL ${rowsSql(100)}`

let lake: TestLake
beforeAll(async () => {
  lake = await openTestLake()
})
afterAll(() => lake.close())

let tableCount = 0
async function delta(options: {
  partitionBy?: readonly string[]
  properties?: Readonly<Record<string, string>>
}): Promise<DeltaTable> {
  const location = `lake/d${++tableCount}`
  await createDeltaTable(lake.deps, location, { columns: COLUMNS, ...options })
  const table = await openDeltaTable(lake.deps, location)
  for (const from of [0, 100]) {
    const rows = await lake.engine.relation(rowsSql(from), COLUMNS)
    const transactions = [{ appId: 'loader', version: from }]
    await table.commitAppend(await table.prepareAppend(rows), { transactions })
  }
  return table
}

async function expectRows(plan: ScanPlan, rows: string) {
  const missing = await lake.bench.scan(plan, (q) => `(${rows}) EXCEPT ALL (${q}) LIMIT 3`)
  const extra = await lake.bench.scan(plan, (q) => `(${q}) EXCEPT ALL (${rows}) LIMIT 3`)
  expect({ missing, extra }).toEqual({ missing: [], extra: [] })
}

const dataFiles = async (location: string) => {
  const keys: string[] = []
  for await (const { key } of lake.deps.store.list({ prefix: `${location}/` }))
    if (key.endsWith('.parquet')) keys.push(key)
  return keys
}

describe('a Delta table', () => {
  test.each([[], ['g'], ['day', 'g'], ['at']])(
    'becomes an Iceberg table of the same files, partitioned by %s %s',
    async (...partitionBy) => {
      const { location } = await delta({ partitionBy, properties: { mine: '1' } })
      const files = await dataFiles(location)
      const outcome = await convertDeltaToIceberg(lake.deps, location)
      expect(outcome).toMatchObject({ status: 'created', fileCount: files.length })
      expect(await dataFiles(location)).toEqual(files)
      expect(await convertDeltaToIceberg(lake.deps, location)).toEqual({ status: 'exists' })
      const table = await openIcebergTable(lake.deps, location)
      const snapshot = await table.snapshot()
      expect(snapshot.columns).toEqual(COLUMNS)
      expect(snapshot.partitionBy).toEqual(partitionBy)
      expect(snapshot.properties).toMatchObject({ mine: '1' })
      expect(snapshot.transaction('loader')).toBe(100)
      await expectRows(await snapshot.plan(), all)
      // Statistics came along.
      const predicate = compare(['id'], '>=', { type: 'int64', value: 100n })
      const plan = await snapshot.plan({ predicate })
      expect(plan.files.length).toBeLessThanOrEqual(files.length / 2)
      expect(plan.residual).toBeUndefined()
      // It is a table like any other from here on.
      await table.delete({ where: sql('id % 2 = 0') })
      const rows = await lake.engine.relation(rowsSql(200, 5), COLUMNS)
      await table.commitAppend(await table.prepareAppend(rows))
      await table.optimize()
      const now = `SELECT * FROM (${all}) WHERE id % 2 = 1 UNION ALL ${rowsSql(200, 5)}`
      await expectRows(await (await table.snapshot()).plan(), now)
      // And the old one is what it was.
      await expectRows(
        await (await (await openDeltaTable(lake.deps, location)).snapshot()).plan(),
        all,
      )
    },
  )

  test('is refused by the name of what Iceberg cannot tell', async () => {
    const mapped = await delta({ properties: { 'delta.columnMapping.mode': 'name' } })
    const checked = await delta({})
    await checked.alter({ addConstraints: { positive: 'id >= 0' } })
    for (const [{ location }, feature] of [
      [mapped, 'column mapping'],
      [checked, 'constraints'],
    ] as const)
      await expect(convertDeltaToIceberg(lake.deps, location)).rejects.toMatchObject({
        code: 'TABLE_UNSUPPORTED',
        features: [feature],
      })
  })

  test('brings its deletion vectors along as position deletes', async () => {
    const properties = { 'delta.enableDeletionVectors': 'true' }
    const { location, ...marked } = await delta({ properties, partitionBy: ['g'] })
    await marked.delete({ where: sql('id % 3 = 0') })
    await convertDeltaToIceberg(lake.deps, location)
    const table = await openIcebergTable(lake.deps, location)
    const left = `SELECT * FROM (${all}) WHERE id % 3 <> 0`
    await expectRows(await (await table.snapshot()).plan(), left)
    await table.update({ where: sql('id = 4'), set: { x: null } })
    const now = `SELECT * REPLACE (CASE WHEN id <> 4 THEN x END AS x) FROM (${left})`
    await expectRows(await (await table.snapshot()).plan(), now)
  })

  test('keeps the metadata of the Iceberg table that it became', async () => {
    const table = await delta({})
    await convertDeltaToIceberg(lake.deps, table.location)
    lake.clock.atMs = Date.now() + 30 * 24 * 3600 * 1000
    const { files } = await table.vacuum({ dryRun: true })
    expect(files).toEqual([])
  })
})

describe('an Iceberg table', () => {
  test.each([[], ['g'], ['day', 'g'], ['at'], ['price']])(
    'becomes a Delta table of the same files, partitioned by %s %s',
    async (...partitionBy) => {
      const source = await lake.table({
        columns: COLUMNS,
        partitionBy: partitionBy.map((column) => ({ column })),
        properties: { mine: '1', 'write.delete.mode': 'merge-on-read' },
      })
      for (const from of [0, 100]) {
        const rows = await lake.engine.relation(rowsSql(from), COLUMNS)
        const transactions = [{ appId: 'loader', version: from }]
        await source.commitAppend(await source.prepareAppend(rows), { transactions })
      }
      await source.delete({ where: sql('id % 7 = 0') })
      const left = `SELECT * FROM (${all}) WHERE id % 7 <> 0`
      const files = await dataFiles(source.location)
      expect(await convertIcebergToDelta(lake.deps, source.name)).toMatchObject({
        status: 'created',
      })
      expect(await dataFiles(source.location)).toEqual(files)
      expect(await convertIcebergToDelta(lake.deps, source.name)).toEqual({ status: 'exists' })
      const table = await openDeltaTable(lake.deps, source.location)
      const snapshot = await table.snapshot()
      expect(snapshot.columns).toEqual(COLUMNS)
      expect(snapshot.partitionBy).toEqual(partitionBy)
      expect(snapshot.transaction('loader')).toBe(100)
      await expectRows(await snapshot.plan(), left)
      const predicate = compare(['id'], '>=', { type: 'int64', value: 100n })
      const plan = await snapshot.plan({ predicate })
      expect(plan.files.length).toBeLessThanOrEqual(Math.ceil(snapshot.fileCount / 2))
      await table.delete({ where: sql('id % 2 = 0') })
      const rows = await lake.engine.relation(rowsSql(200, 5), COLUMNS)
      await table.commitAppend(await table.prepareAppend(rows))
      await table.optimize()
      const now = `SELECT * FROM (${left}) WHERE id % 2 = 1 UNION ALL ${rowsSql(200, 5)}`
      await expectRows(await (await table.snapshot()).plan(), now)
      await expectRows(await (await source.snapshot()).plan(), left)
    },
  )

  test('is refused by the name of what Delta cannot tell', async () => {
    const columns = COLUMNS.slice(0, 3)
    const transformed = await lake.table({
      columns,
      partitionBy: [{ column: 'day', transform: 'month' }],
    })
    const renamed = await lake.table({ columns })
    await renamed.changeColumns([{ kind: 'rename', path: ['g'], name: 'h' }])
    const again = await lake.table({ columns })
    await again.changeColumns([{ kind: 'drop', path: ['g'] }])
    await again.changeColumns([{ kind: 'add', column: columns[1]! }])
    for (const [{ name }, feature] of [
      [transformed, 'partition field day_month'],
      [renamed, 'renamed column h'],
      [again, 'column g, which was dropped and added again'],
    ] as const)
      await expect(convertIcebergToDelta(lake.deps, name)).rejects.toMatchObject({
        code: 'TABLE_UNSUPPORTED',
        features: [feature],
      })
  })
})
