import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { createIcebergTable } from '../../src/lake/iceberg/create.ts'
import { ensureService, ensureToolset } from '../services.ts'
import { keyFor } from './access-for-tests.ts'
import { environmentOf, ID_COLUMN, idsOf, ourTable, platformInBucket } from './lake-in-bucket.ts'
import type { PlatformForTests } from './platform-for-tests.ts'

// The catalog of a running platform whose lake is in a bucket: clients learn there how to reach the files, and the key only if they ask
// for it, may have it, and a setting gives it away.

vi.setConfig({ testTimeout: 180_000, hookTimeout: 60_000 })
const run = promisify(execFile)
const service = await ensureService('s3')
if ('skip' in service) console.log(`The catalog of a lake on S3 is not tested: ${service.skip}`)
const python = await ensureToolset('python')

describe.skipIf('skip' in service)('the catalog of a lake on S3', () => {
  let running: PlatformForTests | undefined
  afterEach(async () => {
    await running?.stop()
    running = undefined
  })
  const start = async (icebergCredentials: 'none' | 'vended') => {
    running = await platformInBucket(service, icebergCredentials)
    return running
  }
  const secret = () => environmentOf(service).AWS_SECRET_ACCESS_KEY!
  const ask = { 'x-iceberg-access-delegation': 'vended-credentials,remote-signing' }
  const TABLE = '/iceberg/v1/namespaces/bronze/tables/cities'

  test('tells where the bucket is, and gives no key unless a setting says so', async () => {
    const { get, platform } = await start('none')
    await createIcebergTable(platform.iceberg, 'bronze.cities', { columns: ID_COLUMN })
    const config = await get('/iceberg/v1/config')
    expect(config.body.defaults).toEqual({
      'client.region': 'us-east-1',
      's3.endpoint': environmentOf(service).MEKONG_S3_ENDPOINT,
      's3.path-style-access': 'true',
    })
    const { status, body } = await get(TABLE, ask)
    expect([status, body.config]).toEqual([200, {}])
    expect(body['metadata-location']).toMatch(/^s3:\/\/mekong\/rest\//)
    expect(JSON.stringify([config.body, body])).not.toContain(secret())
  })

  test('gives the key to who asks and may operate, and writes that down', async () => {
    const api = await start('vended')
    await createIcebergTable(api.platform.iceberg, 'bronze.cities', { columns: ID_COLUMN })
    const given = {
      's3.access-key-id': environmentOf(service).AWS_ACCESS_KEY_ID,
      's3.secret-access-key': secret(),
    }
    expect((await api.get(TABLE)).body.config).toEqual({})
    expect(
      (await api.get(TABLE, { 'x-iceberg-access-delegation': 'remote-signing' })).body.config,
    ).toEqual({})
    expect((await api.get(TABLE, ask)).body.config).toEqual(given)
    expect(JSON.stringify((await api.get('/iceberg/v1/config', ask)).body)).not.toContain(secret())
    const as = async (role: 'read' | 'operate' | 'admin') => ({
      authorization: `Bearer ${await keyFor(api, role)}`,
    })
    const [reader, operator, admin] = [await as('read'), await as('operate'), await as('admin')]
    expect((await api.get(TABLE, { ...ask, ...reader })).body.config).toEqual({})
    expect((await api.get(TABLE, { ...ask, ...operator })).body.config).toEqual(given)
    expect((await api.get(TABLE, ask)).status).toBe(401)
    const { body } = await api.get('/v1/audit?action=iceberg', admin)
    const lines = body.entries as { actor: string; action: string; outcome: string }[]
    expect(lines.map(({ actor, action, outcome }) => [actor, action, outcome])).toEqual([
      ['operate', 'iceberg.give_credentials', 'done'],
      ['anybody', 'iceberg.give_credentials', 'done'],
    ])
    expect(JSON.stringify(body)).not.toContain(secret())
  })

  test.skipIf('skip' in python)('PyIceberg reads and writes with what it is given', async () => {
    const { platform } = await start('vended')
    const events = await ourTable(platform)
    const said = await pyiceberg(platform.url!, {})
    expect(said).toEqual({ ours: events, theirs: [1, 2, 3] })
    expect(await idsOf(platform, 'bronze.theirs')).toEqual([1n, 2n, 3n])
  })

  test.skipIf('skip' in python)('PyIceberg reads and writes with a key of its own', async () => {
    const { platform } = await start('none')
    const events = await ourTable(platform)
    await expect(pyiceberg(platform.url!, {})).rejects.toThrow()
    const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY } = environmentOf(service)
    const own = {
      's3.access-key-id': AWS_ACCESS_KEY_ID!,
      's3.secret-access-key': AWS_SECRET_ACCESS_KEY!,
    }
    await platform.iceberg.catalog.unregister('bronze.theirs')
    expect(await pyiceberg(platform.url!, own)).toEqual({ ours: events, theirs: [1, 2, 3] })
    expect(await idsOf(platform, 'bronze.theirs')).toEqual([1n, 2n, 3n])
  })

  /** No variables of Amazon's are about: what it does not learn from the catalog it is told here. */
  async function pyiceberg(url: string, properties: Record<string, string>) {
    const { stdout } = await run(
      environmentOf(python).MEKONG_PYTHON!,
      ['-W', 'ignore', '-c', PYICEBERG, `${url}/iceberg`, JSON.stringify(properties)],
      { env: { PATH: process.env.PATH, AWS_EC2_METADATA_DISABLED: 'true' } },
    )
    return JSON.parse(stdout) as unknown
  }
})

const PYICEBERG = `
import json, sys, pyarrow as pa
from pyiceberg.catalog import load_catalog
catalog = load_catalog('mekong', type='rest', uri=sys.argv[1], **json.loads(sys.argv[2]))
ids = lambda name: sorted(catalog.load_table(name).scan().to_arrow()['id'].to_pylist())
table = catalog.create_table('bronze.theirs', schema=pa.schema([('id', pa.int64())]))
table.append(pa.table({'id': pa.array([1, 2], pa.int64())}))
table.append(pa.table({'id': pa.array([3], pa.int64())}))
print(json.dumps({'ours': ids('bronze.ours'), 'theirs': ids('bronze.theirs')}))
`
