import { randomUUID } from 'node:crypto'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createIcebergTable } from '../../src/lake/iceberg/create.ts'
import { openIcebergTable } from '../../src/lake/iceberg/table.ts'
import { systemClock, systemRandomness } from '../../src/model/clock.ts'
import type { Columns } from '../../src/model/column.ts'
import type { S3StoreConfig } from '../../src/storage/s3/config.ts'
import { openS3Store, type S3Store } from '../../src/storage/s3/store.ts'
import { objectStoreSuite } from '../conformance/object-store.ts'
import { seeded, seedOfRun } from '../crash/seeded.ts'
import { type Bench, openBench } from '../lake/iceberg/engine.ts'
import { ensureService } from '../services.ts'
import { lossyService } from './lossy-service.ts'

const service = await ensureService('s3')
if ('skip' in service) console.log(`S3 is not tested: ${service.skip}`)

const configOf = (prefix: string): S3StoreConfig => {
  if ('skip' in service) throw new Error(service.skip)
  const { environment } = service
  return {
    bucket: environment.MEKONG_S3_BUCKET!,
    endpoint: environment.MEKONG_S3_ENDPOINT!,
    credentials: {
      accessKeyId: environment.AWS_ACCESS_KEY_ID!,
      secretAccessKey: environment.AWS_SECRET_ACCESS_KEY!,
    },
    prefix,
  }
}

describe.skipIf('skip' in service)('S3', () => {
  const stores: S3Store[] = []
  const open = async (prefix: string = randomUUID()) => {
    const store = await openS3Store(configOf(prefix))
    stores.push(store)
    return store
  }
  afterAll(() => {
    for (const store of stores) store.close()
  })

  objectStoreSuite('s3', open)

  test('names its objects by URL, below its prefix, and lists more than a page', async () => {
    const prefix = `deep/${randomUUID()}`
    const store = await open(prefix)
    expect(store.rootUrl).toBe(`s3://mekong/${prefix}/`)
    expect(store.locate('a/b c')).toBe(`s3://mekong/${prefix}/a/b c`)
    const names = Array.from(
      { length: 1_050 },
      (_, index) => `many/${String(index).padStart(5, '0')}`,
    )
    for (let start = 0; start < names.length; start += 50)
      await Promise.all(
        names.slice(start, start + 50).map((key) => store.put(key, new Uint8Array(1))),
      )
    const found: string[] = []
    for await (const { key } of store.list({ prefix: '' })) found.push(key)
    expect(found).toEqual(names)
  })

  test('sends large files in parts, through lost requests and answers', async () => {
    const config = configOf(randomUUID())
    await using line = await lossyService({
      target: config.endpoint!,
      chance: seeded(seedOfRun('parts')).next,
      rate: 0.1,
      // The first requests see whether there are conditions.
      may: ({ url, method }) => /uploadId|uploads/.test(url!) && method !== 'DELETE',
    })
    const store = await openS3Store({ ...config, endpoint: line.url, partBytes: 5 * 1024 * 1024 })
    stores.push(store)
    const folder = mkdtempSync(path.join(tmpdir(), 'mekong-parts-'))
    const bytes = Buffer.alloc(3 * 5 * 1024 * 1024 + 17, 'abcdefg')
    for (let round = 0; round < 3; round += 1) {
      const file = path.join(folder, 'large')
      writeFileSync(file, bytes)
      await store.putFile(`large/${round}`, file)
      expect(existsSync(file)).toBe(false)
      expect(Buffer.from(await store.get(`large/${round}`)).equals(bytes)).toBe(true)
    }
    rmSync(folder, { recursive: true })
    expect(line.lost.before + line.lost.after).toBeGreaterThan(0)
  })

  test('says what is wrong with a bucket that is not there', async () => {
    const wrong = openS3Store({ ...configOf('x'), bucket: 'nobody-made-this' })
    await expect(wrong).rejects.toMatchObject({ code: 'STORAGE_DENIED', retry: 'never' })
    await expect(wrong).rejects.toThrow(/no such bucket/)
  })

  describe('holds tables', () => {
    const columns: Columns = [{ name: 'id', type: 'int64', nullable: true }]
    let bench: Bench
    beforeAll(async () => {
      bench = await openBench()
    })
    afterAll(() => bench[Symbol.asyncDispose]())

    test('several writers of one Iceberg table each get their commit', async () => {
      const store = await open()
      const deps = { store, ports: bench.ports, clock: systemClock, randomness: systemRandomness }
      await createIcebergTable(deps, 'bronze/rows', { columns })
      const writers = await Promise.all([1, 2, 3].map(() => openIcebergTable(deps, 'bronze/rows')))
      const outcomes = await Promise.all(
        writers.map(async (table, id) => {
          const rows = await bench.relation(`SELECT ${id}::BIGINT AS id`, columns)
          return table.commitAppend(await table.prepareAppend(rows))
        }),
      )
      expect(outcomes.map(({ status }) => status)).toEqual(['committed', 'committed', 'committed'])
      const { files, rowCount } = await (await writers[0]!.snapshot()).plan()
      expect([files.length, rowCount]).toEqual([3, 3])
      expect(files[0]!.location).toMatch(/^s3:\/\/mekong\/.*\.parquet$/)
    })
  })
})

describe('an S3 service that misbehaves', () => {
  test('is refused when it forgets conditions, and does not answer for sure when it is torn', async () => {
    let isTorn = false
    const server = createServer((request, response) => {
      request.resume()
      request.on('end', () => (isTorn ? request.socket.destroy() : response.writeHead(200).end()))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const config: S3StoreConfig = {
      bucket: 'any',
      endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    }
    await expect(openS3Store(config)).rejects.toThrow(/If-None-Match/)
    isTorn = true
    await expect(openS3Store(config)).rejects.toMatchObject({ code: 'STORAGE_IO', retry: 'later' })
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
})
