import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { lakeQueryTables } from '../../src/flow/tables-to-sql.ts'
import { parseKeepingLongs } from '../../src/lake/iceberg/metadata-json.ts'
import { runQuery } from '../../src/sql/duckdb/query.ts'
import { ensureToolset } from '../services.ts'
import { type PlatformForTests, platformForTests } from './platform-for-tests.ts'

// The catalog of a running platform, spoken to as others do: by plain requests, and by PyIceberg.

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })
const run = promisify(execFile)
const tools = await ensureToolset('python')
const PYTHON = 'skip' in tools ? undefined : tools.environment.MEKONG_PYTHON!

let running: PlatformForTests
beforeAll(async () => {
  running = await platformForTests()
})
afterAll(() => running?.stop())

async function ask(method: string, path: string, body?: unknown) {
  const response = await fetch(`${running.platform.url}/iceberg/v1/${path}`, {
    method,
    ...(body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  })
  const text = await response.text()
  return {
    status: response.status,
    // biome-ignore lint/suspicious/noExplicitAny: an answer of any form
    json: (text === '' ? undefined : parseKeepingLongs(text)) as any,
  }
}

const SCHEMA = {
  type: 'struct',
  // As Spark sends them, from zero on.
  fields: [
    { id: 0, name: 'id', required: true, type: 'long' },
    {
      id: 1,
      name: 'tags',
      required: false,
      type: { type: 'list', 'element-id': 2, 'element-required': false, element: 'string' },
    },
    { id: 3, name: 'day', required: false, type: 'date' },
  ],
}

describe('the REST catalog', () => {
  test('namespaces are made, listed, changed and forgotten', async () => {
    const { json: config } = await ask('GET', 'config')
    expect(config.endpoints).toContain('GET /v1/{prefix}/namespaces')
    expect(
      await ask('POST', 'namespaces', { namespace: ['raw'], properties: { owner: 'me' } }),
    ).toMatchObject({
      status: 200,
    })
    const again = await ask('POST', 'namespaces', { namespace: ['raw'] })
    expect([again.status, again.json.error.type]).toEqual([409, 'AlreadyExistsException'])
    const { json } = await ask('GET', 'namespaces')
    expect(json.namespaces).toEqual([['bronze'], ['gold'], ['raw'], ['silver']])
    const changed = await ask('POST', 'namespaces/raw/properties', {
      updates: { color: 'red' },
      removals: ['owner', 'nothing'],
    })
    expect(changed.json).toEqual({ updated: ['color'], removed: ['owner'], missing: ['nothing'] })
    expect((await ask('GET', 'namespaces/raw')).json.properties).toEqual({ color: 'red' })
    expect((await ask('HEAD', 'namespaces/raw')).status).toBe(200)
    expect((await ask('DELETE', 'namespaces/raw')).status).toBe(204)
    expect((await ask('GET', 'namespaces/raw')).status).toBe(404)
    expect((await ask('POST', 'namespaces', { namespace: ['a/b'] })).status).toBe(400)
  })

  test('tables are made with ids of ours, committed to under requirements, renamed and dropped', async () => {
    const made = await ask('POST', 'namespaces/bronze/tables', {
      name: 'trips',
      schema: SCHEMA,
      'partition-spec': { fields: [{ 'source-id': 3, name: 'day', transform: 'identity' }] },
      properties: { owner: 'me' },
    })
    expect(made.status).toBe(200)
    const { metadata } = made.json
    expect(metadata.schemas[0].fields.map((field: { id: number }) => field.id)).toEqual([1, 2, 3])
    expect(metadata.schemas[0].fields[1].type['element-id']).toBe(4)
    expect(metadata['partition-specs'][0].fields[0]).toMatchObject({
      'source-id': 3,
      'field-id': 1000,
    })
    const uuid = { type: 'assert-table-uuid', uuid: metadata['table-uuid'] }
    const properties = [{ action: 'set-properties', updates: { color: 'red' } }]
    const path = 'namespaces/bronze/tables/trips'
    const committed = await ask('POST', path, { requirements: [uuid], updates: properties })
    expect(committed.json.metadata.properties).toMatchObject({ color: 'red', owner: 'me' })
    expect(committed.json['metadata-location']).not.toBe(made.json['metadata-location'])
    const refused = [
      [
        { requirements: [{ ...uuid, uuid: 'other' }], updates: properties },
        409,
        'CommitFailedException',
      ],
      [
        { requirements: [{ type: 'assert-create' }], updates: properties },
        409,
        'CommitFailedException',
      ],
      [{ requirements: [], updates: [{ action: 'set-statistics' }] }, 400, 'BadRequestException'],
      [
        { requirements: [], updates: [{ action: 'set-current-schema', 'schema-id': 7 }] },
        400,
        'BadRequestException',
      ],
      [
        { requirements: [], updates: [{ action: 'set-location', location: 's3://other/place' }] },
        400,
        'BadRequestException',
      ],
    ] as const
    for (const [body, status, type] of refused) {
      const answer = await ask('POST', path, body)
      expect([answer.status, answer.json.error.type]).toEqual([status, type])
    }
    expect(
      (await ask('POST', 'namespaces/bronze/tables', { name: 'trips', schema: SCHEMA })).status,
    ).toBe(409)
    expect(
      (await ask('POST', 'namespaces/nowhere/tables', { name: 't', schema: SCHEMA })).status,
    ).toBe(404)
    const move = {
      source: { namespace: ['bronze'], name: 'trips' },
      destination: { namespace: ['silver'], name: 'rides' },
    }
    expect((await ask('POST', 'tables/rename', move)).status).toBe(204)
    expect((await ask('GET', path)).json.error.type).toBe('NoSuchTableException')
    const { json } = await ask('GET', 'namespaces/silver/tables')
    expect(json.identifiers).toEqual([{ namespace: ['silver'], name: 'rides' }])
    expect((await ask('DELETE', 'namespaces/silver')).status).toBe(409)
    expect((await ask('DELETE', 'namespaces/silver/tables/rides')).status).toBe(204)
    expect((await ask('HEAD', 'namespaces/silver/tables/rides')).status).toBe(404)
  })

  test.skipIf(PYTHON === undefined)(
    'PyIceberg makes, appends, reads, deletes and evolves through it',
    async () => {
      const script = `
import json, sys, pyarrow as pa
from pyiceberg.catalog import load_catalog
from pyiceberg.expressions import EqualTo
catalog = load_catalog('mekong', type='rest', uri=sys.argv[1])
catalog.create_namespace_if_not_exists('bronze')
rows = pa.table({'id': pa.array([1, 2, 3], pa.int64()), 'city': ['Hue', 'Vinh', None]})
table = catalog.create_table('bronze.cities', schema=rows.schema, properties={'comment': 'made by PyIceberg'})
table.append(rows)
table.append(rows.slice(0, 1))
table.delete(EqualTo('id', 2))
with table.update_schema() as update:
    update.add_column('people', __import__('pyiceberg.types', fromlist=['LongType']).LongType())
again = catalog.load_table('bronze.cities')
print(json.dumps({'rows': sorted(again.scan().to_arrow().to_pylist(), key=lambda r: r['id']),
  'tables': catalog.list_tables('bronze'), 'exists': catalog.table_exists('bronze.nope')}))
`
      const { stdout } = await run(PYTHON!, [
        '-W',
        'ignore',
        '-c',
        script,
        `${running.platform.url}/iceberg`,
      ])
      const said = JSON.parse(stdout)
      expect(said.exists).toBe(false)
      expect(said.tables).toContainEqual(['bronze', 'cities'])
      expect(said.rows.map((row: { id: number }) => row.id)).toEqual([1, 1, 3])
      const { engine, lake } = running.platform
      const { rows } = await runQuery(engine, {
        sql: 'SELECT id, city, people FROM bronze.cities ORDER BY id',
        tables: await lakeQueryTables(lake, engine),
      })
      expect(rows).toEqual(
        said.rows.map((row: { id: number; city: string }) => [row.id, row.city, null]),
      )
      expect(await lake.list()).toContainEqual(
        expect.objectContaining({ name: 'bronze.cities', format: 'iceberg', rows: 3 }),
      )
    },
  )
})
