import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createIcebergTable } from '../../../src/lake/iceberg/create.ts'
import type { IcebergDeps } from '../../../src/lake/iceberg/deps.ts'
import { restCatalog } from '../../../src/lake/iceberg/rest-catalog.ts'
import { openSqliteCatalog, type SqliteCatalog } from '../../../src/lake/iceberg/sqlite-catalog.ts'
import { openIcebergTable } from '../../../src/lake/iceberg/table.ts'
import { systemClock, systemRandomness } from '../../../src/model/clock.ts'
import type { Columns } from '../../../src/model/column.ts'
import { openLocalStore } from '../../../src/storage/local.ts'
import { type CatalogService, type Misbehaviour, serveCatalog } from './catalog-service.ts'
import { type Bench, openBench } from './engine.ts'

// What the suite of all catalogs (`catalog.test.ts`) cannot see: answers that are lost on the way.

const COLUMNS: Columns = [{ name: 'id', type: 'int64', nullable: true }]

describe('a catalog behind a network', () => {
  let bench: Bench
  let sqlite: SqliteCatalog
  let service: CatalogService
  let deps: IcebergDeps
  beforeAll(async () => {
    bench = await openBench()
    const store = await openLocalStore({ folder: path.join(bench.folder, 'lake') })
    const world = { store, clock: systemClock, randomness: systemRandomness }
    sqlite = openSqliteCatalog({ ...world, path: path.join(bench.folder, 'catalog.sqlite') })
    service = await serveCatalog({ catalog: sqlite, store })
    const catalog = restCatalog({
      ...{ uri: service.uri, store, randomness: systemRandomness },
      pause: async () => {},
    })
    deps = { ...world, ports: bench.ports, catalog, pause: async () => {} }
  })
  afterAll(async () => {
    await service.close()
    sqlite.close()
    await bench[Symbol.asyncDispose]()
  })

  const STORIES: readonly (readonly [how: readonly Misbehaviour[], status: string])[] = [
    [['lost'], 'committed'],
    [['torn', 'away'], 'committed'],
    [['away', 'lost', 'away'], 'committed'],
    [['torn', 'torn', 'torn', 'torn'], 'unknown'],
  ]
  test.each(STORIES)(
    'a commit that is met with %j is %s, and happens once',
    async (how, status) => {
      const name = `bronze.t${how.join('_')}`
      await createIcebergTable(deps, name, { columns: COLUMNS, location: name.replace('.', '/') })
      const table = await openIcebergTable(deps, name)
      const rows = await bench.relation('SELECT 1::BIGINT AS id', COLUMNS)
      const prepared = await table.prepareAppend(rows)
      service.misbehave('POST', how)
      expect(await table.commitAppend(prepared)).toMatchObject({ status })
      // Sent again, as whoever got no answer does, it knows itself.
      expect(await table.commitAppend(prepared)).toMatchObject({ status: 'committed' })
      expect(await table.history()).toHaveLength(1)
    },
  )

  test('a service that stays away is said to be away, and one that refuses is not asked again', async () => {
    service.misbehave('GET', ['away', 'torn', 'away', 'torn'])
    await expect(deps.catalog!.load('bronze.any')).rejects.toMatchObject({
      code: 'CATALOG_UNAVAILABLE',
      retry: 'later',
    })
    await expect(deps.catalog!.load('bronze.a b')).rejects.toMatchObject({
      code: 'CATALOG_REFUSED',
      retry: 'never',
      status: 400,
    })
  })
})
