import { afterAll, beforeAll, describe, test } from 'vitest'
import { createIcebergTable } from '../../../src/lake/iceberg/create.ts'
import type { IcebergDeps } from '../../../src/lake/iceberg/deps.ts'
import { openSqliteCatalog, type SqliteCatalog } from '../../../src/lake/iceberg/sqlite-catalog.ts'
import { openIcebergTable } from '../../../src/lake/iceberg/table.ts'
import type { ObjectStore } from '../../../src/model/object-store.ts'
import { COLUMNS, expectWholeStatements } from '../faults-edits.suite.ts'
import { openTestLake, type TestLake } from './lake-for-tests.ts'

let lake: TestLake
beforeAll(async () => {
  lake = await openTestLake()
})
afterAll(() => lake.close())

describe.each(['file', 'sqlite'] as const)('with the %s catalog', (kind) => {
  test('a statement is done or not done, whatever the storage does', async () => {
    const catalogs: SqliteCatalog[] = []
    const depsOn = async (store: ObjectStore): Promise<IcebergDeps> => {
      const deps = { ...lake.deps, store, pause: async () => {} }
      if (kind === 'file') return deps
      const catalog = openSqliteCatalog({ ...deps, path: `${lake.folder}/catalog.sqlite` })
      catalogs.push(catalog)
      return { ...deps, catalog }
    }
    let tableCount = 0
    await expectWholeStatements(
      {
        create: async (variant) => {
          const mode = variant % 2 === 0 ? 'merge-on-read' : 'copy-on-write'
          const words = ['delete', 'update', 'merge']
          const properties = {
            ...Object.fromEntries(words.map((word) => [`write.${word}.mode`, mode])),
            'commit.manifest.min-count-to-merge': variant > 1 ? '2' : '100',
          }
          const location = `${kind}.t${++tableCount}`
          await createIcebergTable(await depsOn(lake.deps.store), location, {
            columns: COLUMNS,
            properties,
          })
          return location
        },
        open: async (location, store) =>
          openIcebergTable(await depsOn(store(lake.deps.store)), location),
        append: async (table, rows) =>
          (await table.commitAppend(await table.prepareAppend(rows))).status,
        relation: (sql) => lake.bench.relation(sql, COLUMNS),
        rows: async (location) => {
          const table = await openIcebergTable(await depsOn(lake.deps.store), location)
          const rows = await lake.bench.scan(await (await table.snapshot()).plan())
          return rows.map(({ id, v }) => [Number(id), Number(v)])
        },
        others: {
          optimize: {
            leaves: 'rows',
            run: async (table) => (await table.optimize()).groups[0]?.status ?? 'unchanged',
          },
          manifests: {
            leaves: 'rows',
            run: async (table) => (await table.rewriteManifests()).status,
          },
          expire: {
            leaves: 'rows',
            run: async (table) => (await table.expireSnapshots({ snapshotAgeMaxMs: 0 })).status,
          },
        },
      },
      25,
    )
    for (const catalog of catalogs) catalog.close()
  }, 120_000)
})
