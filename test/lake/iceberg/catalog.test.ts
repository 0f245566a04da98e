import { execFileSync } from 'node:child_process'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Catalog } from '../../../src/lake/iceberg/catalog.ts'
import { createIcebergTable } from '../../../src/lake/iceberg/create.ts'
import type { IcebergDeps } from '../../../src/lake/iceberg/deps.ts'
import { fileCatalog } from '../../../src/lake/iceberg/file-catalog.ts'
import { restCatalog } from '../../../src/lake/iceberg/rest-catalog.ts'
import { openSqliteCatalog, type SqliteCatalog } from '../../../src/lake/iceberg/sqlite-catalog.ts'
import { openIcebergTable } from '../../../src/lake/iceberg/table.ts'
import { systemClock, systemRandomness } from '../../../src/model/clock.ts'
import type { Columns } from '../../../src/model/column.ts'
import type { ObjectStore } from '../../../src/model/object-store.ts'
import { openLocalStore } from '../../../src/storage/local.ts'
import { ensureToolset } from '../../services.ts'
import { type CatalogService, serveCatalog } from './catalog-service.ts'
import { type Bench, openBench } from './engine.ts'

const COLUMNS: Columns = [{ name: 'id', type: 'int64', nullable: true }]
const tools = await ensureToolset('python')
const hasPython = !('skip' in tools)
const PYTHON = 'skip' in tools ? '' : tools.environment.MEKONG_PYTHON!

describe.each(['file', 'sqlite', 'rest'] as const)('the %s catalog', (kind) => {
  let bench: Bench
  let store: ObjectStore
  let catalog: Catalog
  let deps: IcebergDeps
  let sqlite: SqliteCatalog | undefined
  let service: CatalogService | undefined
  let count = 0
  beforeAll(async () => {
    bench = await openBench()
    store = await openLocalStore({ folder: path.join(bench.folder, 'lake') })
    const tools = { store, clock: systemClock, randomness: systemRandomness }
    if (kind === 'file') catalog = fileCatalog(tools)
    else {
      sqlite = openSqliteCatalog({ ...tools, path: path.join(bench.folder, 'catalog.sqlite') })
      catalog = sqlite
    }
    if (kind === 'rest') {
      service = await serveCatalog({ catalog: sqlite!, store })
      catalog = restCatalog({ uri: service.uri, store, randomness: systemRandomness })
    }
    deps = { ...tools, ports: bench.ports, catalog }
  })
  afterAll(async () => {
    await service?.close()
    sqlite?.close()
    await bench[Symbol.asyncDispose]()
  })
  const create = async () => {
    const name = `bronze.t${++count}`
    expect(await createIcebergTable(deps, name, { columns: COLUMNS })).toEqual({
      status: 'created',
    })
    return name
  }

  test('makes a table once', async () => {
    const name = await create()
    expect(await createIcebergTable(deps, name, { columns: COLUMNS })).toEqual({ status: 'exists' })
    expect(await catalog.load('bronze.nothing')).toBeUndefined()
  })

  test('refuses a commit whose requirements do not hold, and changes nothing', async () => {
    const name = await create()
    const before = await catalog.load(name)
    const outcome = await catalog.commit(name, {
      requirements: [{ type: 'assert-current-schema-id', 'current-schema-id': 7 }],
      updates: [{ action: 'set-properties', updates: { a: 'b' } }],
    })
    expect(outcome).toMatchObject({ status: 'conflict', requirement: 'assert-current-schema-id' })
    expect(await catalog.load(name)).toEqual(before)
    expect(await catalog.commit('bronze.nothing', { requirements: [], updates: [] })).toMatchObject(
      { status: 'conflict' },
    )
  })

  test('lets changes that do not touch each other both happen', async () => {
    const name = await create()
    const tables = await Promise.all([1, 2, 3, 4].map(() => openIcebergTable(deps, name)))
    await Promise.all(
      tables.map(async (table, writer) => {
        for (let round = 0; round < 4; round += 1)
          expect(await table.changeProperties({ [`p${writer}.${round}`]: 'x' })).toEqual({
            status: 'committed',
          })
      }),
    )
    const { properties } = await tables[0]!.snapshot()
    expect(Object.keys(properties)).toHaveLength(16)
  })

  test('lets exactly one of several win the same step', async () => {
    const name = await create()
    const tables = await Promise.all([1, 2, 3].map(() => openIcebergTable(deps, name)))
    const outcomes = await Promise.all(
      tables.map((table) =>
        table.commitAppend(undefined, {
          transactions: [{ appId: 'a', version: 1, expected: null }],
        }),
      ),
    )
    expect(outcomes.map(({ status }) => status).sort()).toEqual([
      'committed',
      'conflict',
      'conflict',
    ])
  })

  test('keeps a log of where the metadata was', async () => {
    const name = await create()
    const table = await openIcebergTable(deps, name)
    await table.changeProperties({ 'write.metadata.previous-versions-max': '2' })
    for (const value of ['1', '2', '3']) await table.changeProperties({ value })
    const { metadata } = await table.snapshot()
    expect(metadata['metadata-log']).toHaveLength(2)
  })
})

describe.skipIf(!hasPython)('one SQLite catalog, shared with PyIceberg', () => {
  test('each sees and continues what the other commits', async () => {
    await using bench = await openBench()
    const store = await openLocalStore({ folder: path.join(bench.folder, 'lake') })
    const file = path.join(bench.folder, 'catalog.sqlite')
    const tools = { store, clock: systemClock, randomness: systemRandomness }
    const catalog = openSqliteCatalog({ ...tools, path: file })
    const deps: IcebergDeps = { ...tools, ports: bench.ports, catalog }
    await createIcebergTable(deps, 'bronze.events', { columns: COLUMNS, location: 'bronze/events' })
    const table = await openIcebergTable(deps, 'bronze.events')
    const append = async (from: number, to: number) => {
      const rows = await bench.relation(`SELECT i AS id FROM range(${from}, ${to}) t(i)`, COLUMNS)
      const transactions = [{ appId: 'a', version: to }]
      const prepared = await table.prepareAppend(rows)
      expect(await table.commitAppend(prepared, { transactions })).toMatchObject({
        status: 'committed',
      })
    }
    await append(0, 3)
    const seen = execFileSync(
      PYTHON,
      [
        '-W',
        'ignore',
        '-c',
        `import sys, pyarrow as pa
from pyiceberg.catalog.sql import SqlCatalog
catalog = SqlCatalog('mekong', uri='sqlite:///' + sys.argv[1])
table = catalog.load_table('bronze.events')
table.append(pa.table({'id': pa.array([10, 11], pa.int64())}))
print(sorted(table.scan().to_arrow()['id'].to_pylist()))`,
        file,
      ],
      { encoding: 'utf8' },
    )
    expect(seen.trim()).toBe('[0, 1, 2, 10, 11]')
    await append(3, 5)
    const snapshot = await table.snapshot()
    const rows = await bench.scan(await snapshot.plan(), (q) => `SELECT * FROM (${q}) ORDER BY id`)
    expect(rows.map((row) => Number(row.id))).toEqual([0, 1, 2, 3, 4, 10, 11])
    // Its snapshot in between said nothing of our progress, and lost nothing of it.
    const [, theirs] = await table.history()
    expect(theirs!.summary['mekong.txn.a']).toBeUndefined()
    const between = await table.snapshot({ snapshotId: theirs!.snapshotId })
    expect(between.transaction('a')).toBe(3)
    expect(snapshot.transaction('a')).toBe(5)
    expect(catalog.tables()).toEqual(['bronze.events'])
    catalog.close()
  })
})
