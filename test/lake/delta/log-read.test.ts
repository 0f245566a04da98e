import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Action } from '../../../src/lake/delta/actions.ts'
import { readLog } from '../../../src/lake/delta/log-read.ts'
import { snapshotOf } from '../../../src/lake/delta/snapshot.ts'
import type { ObjectStore } from '../../../src/model/object-store.ts'
import { compare } from '../../../src/model/predicate.ts'
import { openLocalStore } from '../../../src/storage/local.ts'
import { openTestEngine, type TestEngine } from '../duckdb-ports.ts'

// Logs written here by hand, in shapes of the specification that the golden tables do not have.

let folder: string
let store: ObjectStore
let engine: TestEngine
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'mekong-log-'))
  store = await openLocalStore({ folder })
  engine = await openTestEngine()
})
afterAll(async () => {
  engine?.close()
  await rm(folder, { recursive: true, force: true })
})

const v = (version: number) => String(version).padStart(20, '0')
const protocol = { minReaderVersion: 1, minWriterVersion: 2 }
const metaData = {
  id: 'i',
  format: { provider: 'parquet', options: {} },
  schemaString:
    '{"type":"struct","fields":[{"name":"n","type":"long","nullable":true,"metadata":{}}]}',
  partitionColumns: [],
  configuration: {},
}
const add = (name: string, min = 0) => ({
  add: {
    path: name,
    partitionValues: {},
    size: 1,
    modificationTime: 1,
    dataChange: true,
    stats: JSON.stringify({
      numRecords: 1,
      minValues: { n: min },
      maxValues: { n: min },
      nullCount: { n: 0 },
    }),
  },
})
const remove = (name: string) => ({ remove: { path: name, dataChange: true } })
const txn = (version: number) => ({ txn: { appId: 'app', version } })

let tableCount = 0
async function tableOf(files: Readonly<Record<string, readonly Action[]>>) {
  tableCount += 1
  const tableKey = `t${tableCount}`
  for (const [name, actions] of Object.entries(files)) {
    const text = actions.map((action) => JSON.stringify(action)).join('\n')
    await store.put(`${tableKey}/_delta_log/${name}`, new TextEncoder().encode(text))
  }
  const reader = { store, parquet: engine.parquet, tableKey }
  return { reader, read: async () => snapshotOf(reader, await readLog(reader)) }
}
type Read = Awaited<ReturnType<Awaited<ReturnType<typeof tableOf>>['read']>>
const paths = (snapshot: Read) => [...snapshot.files()].map((file) => file.path).toSorted()

async function parquet(tableKey: string, name: string, sql: string) {
  const file = path.join(folder, 'made.parquet')
  await engine.rows(`COPY (${sql}) TO '${file}' (FORMAT parquet)`)
  await store.putFile(`${tableKey}/_delta_log/${name}`, file)
}

describe('reading a log', () => {
  test('with log compactions, which stand for the commits between', async () => {
    const { read } = await tableOf({
      [`${v(0)}.json`]: [{ protocol }, { metaData }, add('a')],
      [`${v(1)}.json`]: [add('wrong')],
      [`${v(2)}.json`]: [add('wrong too')],
      [`${v(1)}.${v(2)}.compacted.json`]: [add('b'), remove('a'), txn(7)],
      [`${v(3)}.json`]: [add('c')],
    })
    const snapshot = await read()
    expect([snapshot.version, paths(snapshot), snapshot.transaction('app')]).toEqual([
      3,
      ['b', 'c'],
      7,
    ])
  })

  test('with a JSON checkpoint and sidecars of the second specification', async () => {
    const features = ['v2Checkpoint']
    const v2 = {
      minReaderVersion: 3,
      minWriterVersion: 7,
      readerFeatures: features,
      writerFeatures: features,
    }
    const { read, reader } = await tableOf({
      [`${v(5)}.checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11.json`]: [
        { checkpointMetadata: { version: 5 } },
        { protocol: v2 },
        { metaData },
        txn(3),
        add('inline', 5),
        { sidecar: { path: 'one%20x.parquet', sizeInBytes: 1, modificationTime: 1 } },
        { sidecar: { path: 'two.parquet', sizeInBytes: 1, modificationTime: 1 } },
      ],
      [`${v(6)}.json`]: [remove('s1'), add('new', 6)],
    })
    const row = (name: string, n: number) =>
      `SELECT {'path': '${name}', 'partitionValues': MAP {}::MAP(VARCHAR, VARCHAR), 'size': 2::BIGINT, 'modificationTime': 3::BIGINT,
        'dataChange': false, 'stats': '{"numRecords":1,"minValues":{"n":${n}},"maxValues":{"n":${n}},"nullCount":{"n":0}}'} AS add`
    await parquet(
      reader.tableKey,
      '_sidecars/one x.parquet',
      `${row('s1', 1)} UNION ALL ${row('s2', 2)}`,
    )
    await parquet(reader.tableKey, '_sidecars/two.parquet', row('s3', 3))
    const snapshot = await read()
    expect(paths(snapshot)).toEqual(['inline', 'new', 's2', 's3'])
    expect(await snapshot.rowCount()).toBe(4)
    for (const [n, name] of [
      [5, 'inline'],
      [6, 'new'],
      [2, 's2'],
      [3, 's3'],
    ] as const) {
      const predicate = compare(['n'], '=', { type: 'int64', value: BigInt(n) })
      const { files } = await snapshot.plan({ predicate })
      expect(files.map((file) => path.basename(file.location))).toEqual([name])
    }
  })

  test('with statistics as a struct only', async () => {
    const { read, reader } = await tableOf({ [`${v(1)}.json`]: [{ protocol }] })
    await parquet(
      reader.tableKey,
      `${v(1)}.checkpoint.parquet`,
      `SELECT NULL::STRUCT("minReaderVersion" INT, "minWriterVersion" INT) AS protocol, NULL AS "metaData", {
          'path': 'f' || range, 'partitionValues': MAP {}::MAP(VARCHAR, VARCHAR), 'size': 2::BIGINT, 'modificationTime': 3::BIGINT,
          'stats_parsed': {'numRecords': 10::BIGINT, 'minValues': {'n': range}, 'maxValues': {'n': range}, 'nullCount': {'n': 0::BIGINT}}} AS add
        FROM range(4)
      UNION ALL BY NAME SELECT {'minReaderVersion': 1, 'minWriterVersion': 2} AS protocol
      UNION ALL BY NAME SELECT {'id': 'i', 'schemaString': '${metaData.schemaString}', 'partitionColumns': []::VARCHAR[],
          'configuration': MAP {}::MAP(VARCHAR, VARCHAR)} AS "metaData"`,
    )
    const snapshot = await read()
    expect(snapshot.fileCount).toBe(4)
    expect(await snapshot.rowCount()).toBe(40)
    const predicate = compare(['n'], '>=', { type: 'int64', value: 2n })
    expect((await snapshot.plan({ predicate })).files).toHaveLength(2)
  })

  test('a removal ends only the logical file that it names', async () => {
    const vector = (name: string) => ({
      storageType: 'i' as const,
      pathOrInlineDv: name,
      sizeInBytes: 1,
      cardinality: 1,
    })
    const withVector = (name: string, id: string) => ({
      add: { ...add(name).add, deletionVector: vector(id) },
    })
    const removeWith = (name: string, id: string) => ({
      remove: { path: name, dataChange: true, deletionVector: vector(id) },
    })
    const { read } = await tableOf({
      [`${v(0)}.json`]: [{ protocol }, { metaData }, add('a'), add('b'), add('c')],
      // Order in a commit means nothing: the addition may come first.
      [`${v(1)}.json`]: [withVector('a', '1'), remove('a'), withVector('b', '1'), remove('b')],
      [`${v(2)}.json`]: [removeWith('a', '1'), removeWith('b', 'other'), removeWith('c', '1')],
    })
    expect(paths(await read())).toEqual(['b', 'c'])
  })

  test('says which reader feature is in the way', async () => {
    const { read } = await tableOf({
      [`${v(0)}.json`]: [
        {
          protocol: {
            minReaderVersion: 3,
            minWriterVersion: 7,
            readerFeatures: ['deletionVectors', 'variantType', 'somethingNew'],
            writerFeatures: [],
          },
        },
        { metaData },
      ],
    })
    await expect(read()).rejects.toMatchObject({
      code: 'TABLE_UNSUPPORTED',
      features: ['variantType', 'somethingNew'],
    })
  })

  test.each([
    ['{"add":', /Line 2 .* is not JSON/],
    ['{"add":{"size":1}}', /lacks path/],
    ['{"protocol":{"minReaderVersion":1}}', /lacks minWriterVersion/],
    ['7', /no action but 7/],
  ])('says what is wrong with the line %s', async (line, message) => {
    const { read, reader } = await tableOf({})
    await store.put(
      `${reader.tableKey}/_delta_log/${v(0)}.json`,
      new TextEncoder().encode(`${JSON.stringify({ protocol })}\n${line}`),
    )
    await expect(read()).rejects.toMatchObject({
      code: 'TABLE_BROKEN',
      message: expect.stringMatching(message),
    })
  })
})
