import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseDeletionVector } from '../../../src/lake/iceberg/deletion-vector.ts'
import { metadataJson, parseMetadata } from '../../../src/lake/iceberg/metadata-json.ts'
import type { IcebergSnapshot } from '../../../src/lake/iceberg/snapshot-view.ts'
import type { ObjectStore } from '../../../src/model/object-store.ts'
import { compare } from '../../../src/model/predicate.ts'
import { openLocalStore } from '../../../src/storage/local.ts'
import { craftParquet, craftTable, LOCATION, putVectorManifest } from './craft.ts'
import { type Bench, openBench } from './engine.ts'

// What our own writer never makes, and others do.

// Blobs around what pyroaring 1.x made of {1, 3, 4}, and of 5 to 70004 and 2^33 + 5, run-optimised.
const VECTOR_1_3_4 = 'AAAAJtHTOWQBAAAAAAAAAAAAAAA6MAAAAQAAAAAAAgAQAAAAAQADAAQAQ4VseA=='
const VECTOR_RUNS =
  'AAAAP9HTOWQCAAAAAAAAAAAAAAA7MAEAAwAA+v8BAHQRAQAFAPr/AQAAAHQRAgAAADowAAABAAAAAAAAABAAAAAFAKIAq9U='
const unpack = (text: string) => Uint8Array.from(Buffer.from(text, 'base64'))

const field = (id: number, name: string, type: unknown, more: object = {}) => ({
  id,
  name,
  required: false,
  type,
  ...more,
})
const schemaOf = (...fields: object[]) => ({
  schemas: [{ type: 'struct', 'schema-id': 0, fields }],
})

describe('reading Iceberg tables of others', () => {
  let bench: Bench
  let store: ObjectStore
  let count = 0
  beforeAll(async () => {
    bench = await openBench()
    store = await openLocalStore({ folder: path.join(bench.folder, 'lake') })
  })
  afterAll(() => bench[Symbol.asyncDispose]())
  const newKey = () => `t${++count}`
  const rowsOf = async (snapshot: IcebergSnapshot) =>
    bench.scan(await snapshot.plan(), (query) => `SELECT * FROM (${query}) ORDER BY ALL`)

  test('deletion vectors, and position deletes that they make obsolete', async () => {
    const key = newKey()
    const data = await craftParquet(bench, store, {
      key: `${key}/data/a.parquet`,
      sql: 'SELECT i AS id FROM range(6) t(i)',
      fieldIds: '{id: 1}',
    })
    const old = await craftParquet(bench, store, {
      key: `${key}/data/d.parquet`,
      sql: `SELECT '${data.path}' AS file_path, 0::BIGINT AS pos`,
      fieldIds: '{file_path: 2147483546, pos: 2147483545}',
    })
    const blob = unpack(VECTOR_1_3_4)
    await store.put(`${key}/data/v.puffin`, Uint8Array.from([...Buffer.from('PFA1'), ...blob]))
    const snapshot = await craftTable(
      bench,
      store,
      key,
      { 'format-version': 3, 'next-row-id': 6, ...schemaOf(field(1, 'id', 'long')) },
      [
        { content: 'data', sequence: 1, files: [{ ...data, recordCount: 6 }] },
        { content: 'deletes', sequence: 2, files: [{ ...old, recordCount: 1 }] },
        { content: 'deletes', sequence: 3, files: [{ path: 'x', recordCount: 3 }] },
      ],
    )
    const vector = {
      path: `${LOCATION}/data/v.puffin`,
      dataPath: data.path,
      cardinality: 3,
      offset: 4,
      bytes: blob.length,
    }
    await putVectorManifest(store, `${key}/metadata/m2.avro`, [vector])
    // Without the vector the older delete would count; with it, it is left alone.
    expect((await rowsOf(snapshot)).map((row) => row.id)).toEqual(['0', '2', '5'])
    expect((await snapshot.plan()).rowCount).toBe(3)
    await putVectorManifest(store, `${key}/metadata/m2.avro`, [{ ...vector, cardinality: 2 }])
    await expect(snapshot.plan()).rejects.toMatchObject({ code: 'TABLE_BROKEN' })
    await putVectorManifest(store, `${key}/metadata/m2.avro`, [{ ...vector, offset: 5 }])
    await expect(snapshot.plan()).rejects.toMatchObject({ code: 'TABLE_BROKEN' })
  })

  test('deletion vectors past 32 bits, in runs', () => {
    const positions = parseDeletionVector(unpack(VECTOR_RUNS))
    expect(positions).toHaveLength(70_001)
    expect([positions[0], positions[69_999], positions[70_000]]).toEqual([5, 70_004, 2 ** 33 + 5])
  })

  test('position deletes apply within their partition, from their own commit on', async () => {
    const key = newKey()
    const make = (name: string, part: string) =>
      craftParquet(bench, store, {
        key: `${key}/data/${name}.parquet`,
        sql: `SELECT '${part}' AS p, i AS id FROM range(3) t(i)`,
        fieldIds: '{p: 1, id: 2}',
      })
    const [a, b, late] = [await make('a', 'x'), await make('b', 'y'), await make('c', 'x')]
    const deletes = await craftParquet(bench, store, {
      key: `${key}/data/d.parquet`,
      sql: `SELECT unnest(['${a.path}', '${a.path}', '${b.path}', '${late.path}']) AS file_path, unnest([0, 0, 1, 2]) AS pos`,
    })
    const part = (value: string) => ({ partition: [value], recordCount: 3 })
    const snapshot = await craftTable(
      bench,
      store,
      key,
      {
        ...schemaOf(field(1, 'p', 'string'), field(2, 'id', 'long')),
        'partition-specs': [
          {
            'spec-id': 0,
            fields: [{ 'source-id': 1, 'field-id': 1000, name: 'p', transform: 'identity' }],
          },
        ],
      },
      [
        {
          content: 'data',
          sequence: 2,
          files: [
            { ...a, ...part('x') },
            { ...b, ...part('y') },
          ],
        },
        { content: 'data', sequence: 3, files: [{ ...late, ...part('x') }] },
        { content: 'deletes', sequence: 2, files: [{ ...deletes, ...part('x'), recordCount: 4 }] },
      ],
    )
    const found = (await rowsOf(snapshot)).map((row) => `${row.p}${row.id}`)
    expect(found).toEqual(['x0', 'x1', 'x1', 'x2', 'x2', 'y0', 'y1', 'y2'])
  })

  test('equality deletes by columns that were dropped, added later, and null', async () => {
    const key = newKey()
    const first = await craftParquet(bench, store, {
      key: `${key}/data/a.parquet`,
      sql: "SELECT unnest([1, 2, 3]) AS id, unnest(['a', NULL, 'c']) AS gone",
      fieldIds: '{id: 1, gone: 2}',
    })
    const second = await craftParquet(bench, store, {
      key: `${key}/data/b.parquet`,
      sql: 'SELECT unnest([4, 5]) AS id, unnest([NULL, 50]) AS late',
      fieldIds: '{id: 1, late: 3}',
    })
    const byGone = await craftParquet(bench, store, {
      key: `${key}/data/d1.parquet`,
      sql: "SELECT 'c' AS gone",
      fieldIds: '{gone: 2}',
    })
    const byLate = await craftParquet(bench, store, {
      key: `${key}/data/d2.parquet`,
      sql: 'SELECT 1 AS id, NULL::INTEGER AS late UNION ALL SELECT 5, NULL',
      fieldIds: '{id: 1, late: 3}',
    })
    const now = [field(1, 'id', 'int'), field(3, 'late', 'int')]
    const snapshot = await craftTable(
      bench,
      store,
      key,
      {
        schemas: [
          {
            type: 'struct',
            'schema-id': 1,
            fields: [field(1, 'id', 'int'), field(2, 'gone', 'string')],
          },
          { type: 'struct', 'schema-id': 0, fields: now },
        ],
      },
      [
        { content: 'data', sequence: 1, files: [{ ...first, recordCount: 3 }] },
        { content: 'data', sequence: 2, files: [{ ...second, recordCount: 2 }] },
        {
          content: 'deletes',
          sequence: 3,
          files: [
            { ...byGone, recordCount: 1, content: 'equality_deletes', equalityIds: [2] },
            { ...byLate, recordCount: 2, content: 'equality_deletes', equalityIds: [1, 3] },
          ],
        },
      ],
    )
    expect(await rowsOf(snapshot)).toEqual([
      { id: 2, late: null },
      { id: 4, late: null },
      { id: 5, late: 50 },
    ])
  })

  test('columns that files lack: partition value, then default, then null; names where there are no ids', async () => {
    const key = newKey()
    const imported = await craftParquet(bench, store, {
      key: `${key}/data/a.parquet`,
      sql: `SELECT 1 AS "Legacy Id", {lat: 1.5::DOUBLE, extra: 1} AS loc, [{x: 1}] AS items`,
    })
    const own = await craftParquet(bench, store, {
      key: `${key}/data/b.parquet`,
      sql: `SELECT 2 AS id, {lng: 2.5::DOUBLE} AS loc, 'inside' AS region`,
      fieldIds: '{id: 1, loc: {__duckdb_field_id: 2, lng: 4}, region: 5}',
    })
    const mapping = [
      { 'field-id': 1, names: ['id', 'Legacy Id'] },
      {
        'field-id': 2,
        names: ['loc'],
        fields: [
          { 'field-id': 3, names: ['lat'] },
          { 'field-id': 4, names: ['lng'] },
        ],
      },
      {
        'field-id': 8,
        names: ['items'],
        fields: [{ 'field-id': 9, names: ['element'], fields: [{ 'field-id': 10, names: ['x'] }] }],
      },
    ]
    const snapshot = await craftTable(
      bench,
      store,
      key,
      {
        'format-version': 3,
        'next-row-id': 0,
        ...schemaOf(
          field(1, 'id', 'int'),
          field(2, 'place', {
            type: 'struct',
            fields: [
              field(4, 'lng', 'double', { 'initial-default': -1.5 }),
              field(3, 'latitude', 'double'),
            ],
          }),
          field(5, 'region', 'string'),
          field(6, 'price', 'decimal(9,2)', { 'initial-default': '14.20' }),
          field(7, 'since', 'date', { 'initial-default': '2024-02-29' }),
          field(8, 'items', {
            type: 'list',
            'element-id': 9,
            'element-required': false,
            element: { type: 'struct', fields: [field(10, 'y', 'long')] },
          }),
          field(11, 'nothing', 'unknown'),
        ),
        properties: { 'schema.name-mapping.default': JSON.stringify(mapping) },
        'partition-specs': [
          {
            'spec-id': 0,
            fields: [{ 'source-id': 5, 'field-id': 1000, name: 'region', transform: 'identity' }],
          },
        ],
      },
      [
        {
          content: 'data',
          sequence: 1,
          files: [
            { ...imported, recordCount: 1, partition: ['north'] },
            { ...own, recordCount: 1, partition: ['south'] },
          ],
        },
      ],
    )
    const rest = { price: '14.20', since: '2024-02-29', nothing: null }
    expect(await rowsOf(snapshot)).toEqual([
      { id: 1, place: { lng: -1.5, latitude: 1.5 }, region: 'north', ...rest, items: [{ y: '1' }] },
      { id: 2, place: { lng: 2.5, latitude: null }, region: 'inside', ...rest, items: null },
    ])
  })

  test('partition fields of the future are passed over, and still tell partitions apart', async () => {
    const key = newKey()
    const data = await craftParquet(bench, store, {
      key: `${key}/data/a.parquet`,
      sql: 'SELECT 1 AS id',
      fieldIds: '{id: 1}',
    })
    const snapshot = await craftTable(
      bench,
      store,
      key,
      {
        ...schemaOf(field(1, 'id', 'int')),
        'partition-specs': [
          {
            'spec-id': 0,
            fields: [{ 'source-id': 1, 'field-id': 1000, name: 'z', transform: 'spiral[3]' }],
          },
        ],
      },
      [{ content: 'data', sequence: 1, files: [{ ...data, recordCount: 1, partition: [77n] }] }],
    )
    const five = compare(['id'], '=', { type: 'int32', value: 5n })
    expect((await snapshot.plan({ predicate: five })).files).toHaveLength(1)
    expect(await rowsOf(snapshot)).toEqual([{ id: 1 }])
  })

  test('what cannot be read right is refused by name', async () => {
    const parse = (members: object) =>
      parseMetadata(new TextEncoder().encode(JSON.stringify({ location: 'x', ...members })), 'm')
    await expect(parse({ 'format-version': 4 })).rejects.toMatchObject({
      features: ['format version 4'],
    })
    await expect(
      parse({ 'format-version': 3, 'encryption-keys': [{ 'key-id': 'k' }] }),
    ).rejects.toMatchObject({ features: ['encryption'] })
    const key = newKey()
    const ns = await expectRejection(
      craftTable(bench, store, key, schemaOf(field(1, 't', 'timestamp_ns')), []),
    )
    expect(ns).toMatchObject({ features: ['type timestamp_ns'] })
    const orc = await craftTable(bench, store, newKey(), schemaOf(field(1, 'id', 'int')), [
      { content: 'data', sequence: 1, files: [{ path: 'x', recordCount: 1, format: 'orc' }] },
    ])
    await expect(orc.plan()).rejects.toMatchObject({ features: ['file format orc'] })
  })

  test('gzipped metadata keeps every digit of its ids', async () => {
    const id = 9_223_372_036_854_775_807n
    const json = metadataJson({
      'format-version': 2,
      location: 'x',
      'current-schema-id': 0,
      schemas: [{ type: 'struct', 'schema-id': 0, fields: [] }],
      'partition-specs': [{ 'spec-id': 0, fields: [] }],
      snapshots: [{ 'snapshot-id': id, 'timestamp-ms': 5, summary: {} }],
      'current-snapshot-id': id,
      'a-member-of-the-future': { kept: true },
    })
    const metadata = await parseMetadata(gzipSync(json), 'm')
    expect(metadata.refs.main?.['snapshot-id']).toBe(id)
    expect(metadataJson(metadata)).toContain(`"snapshot-id":${id}`)
    expect(metadata['a-member-of-the-future']).toEqual({ kept: true })
  })
})

async function expectRejection(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => expect.unreachable('it was not refused'),
    (error: unknown) => error,
  )
}
