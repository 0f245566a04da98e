import { utimes } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createIcebergTable } from '../../../src/lake/iceberg/create.ts'
import type { IcebergDeps } from '../../../src/lake/iceberg/deps.ts'
import { manifestsOf } from '../../../src/lake/iceberg/manifest-read.ts'
import { snapshotById } from '../../../src/lake/iceberg/metadata.ts'
import { type IcebergTable, openIcebergTable } from '../../../src/lake/iceberg/table.ts'
import { tableLocation } from '../../../src/lake/iceberg/table-location.ts'
import { systemRandomness } from '../../../src/model/clock.ts'
import type { Columns } from '../../../src/model/column.ts'
import { openLocalStore } from '../../../src/storage/local.ts'
import { type Bench, openBench } from './engine.ts'

const COLUMNS: Columns = [
  { name: 'id', type: 'int64', nullable: true },
  { name: 'part', type: 'int32', nullable: true },
]
const DAY_MS = 24 * 60 * 60 * 1000

describe('upkeep of Iceberg tables', () => {
  let bench: Bench
  let deps: IcebergDeps
  let nowMs = Date.now()
  let count = 0
  beforeAll(async () => {
    bench = await openBench()
    const store = await openLocalStore({ folder: path.join(bench.folder, 'lake') })
    const clock = { nowMs: () => nowMs }
    deps = { store, ports: bench.ports, clock, randomness: systemRandomness }
  })
  afterAll(() => bench[Symbol.asyncDispose]())

  async function create(properties: Record<string, string> = {}): Promise<IcebergTable> {
    const name = `t${++count}`
    const partitionBy = [{ column: 'part' }]
    await createIcebergTable(deps, name, { columns: COLUMNS, properties, partitionBy })
    return openIcebergTable(deps, name)
  }
  async function append(table: IcebergTable, id: number) {
    const rows = await bench.relation(`SELECT ${id}::BIGINT AS id, ${id % 2} AS part`, COLUMNS)
    const outcome = await table.commitAppend(await table.prepareAppend(rows), {
      transactions: [{ appId: 'a', version: id }],
    })
    expect(outcome).toMatchObject({ status: 'committed' })
  }
  const idsOf = async (table: IcebergTable) =>
    (await bench.scan(await (await table.snapshot()).plan())).map((row) => Number(row.id)).sort()
  async function manifestCount(table: IcebergTable): Promise<number> {
    const { metadata, snapshotId } = await table.snapshot()
    const place = tableLocation(deps.store, table.location, metadata.location)
    return (await manifestsOf(place, snapshotById(metadata, snapshotId!)!)).length
  }
  async function keysOf(table: IcebergTable, folder: string): Promise<string[]> {
    const keys: string[] = []
    for await (const { key } of deps.store.list({ prefix: `${table.location}/${folder}/` }))
      keys.push(key)
    return keys
  }

  test('appends fold small manifests together, and lose nothing by it', async () => {
    const table = await create({ 'commit.manifest.min-count-to-merge': '4' })
    for (let id = 0; id < 10; id += 1) await append(table, id)
    expect(await manifestCount(table)).toBeLessThanOrEqual(4)
    expect(await idsOf(table)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    const first = await table.snapshot({ snapshotId: (await table.history()).at(-1)!.snapshotId })
    expect((await first.plan()).rowCount).toBe(1)
    // Files keep the age they came in with, which is what deletes go by.
    const replaced = await table.commitReplace(undefined, {
      where: { kind: 'compare', column: ['part'], op: '=', value: { type: 'int32', value: 1n } },
    })
    expect(replaced).toMatchObject({ status: 'committed' })
    expect(await idsOf(table)).toEqual([0, 2, 4, 6, 8])
  })

  test('manifests are rewritten on demand, as a change of nothing', async () => {
    const table = await create()
    for (let id = 0; id < 5; id += 1) await append(table, id)
    expect(await manifestCount(table)).toBe(5)
    expect(await table.rewriteManifests({ bytesMax: 1 })).toMatchObject({
      status: 'unchanged',
      groups: [{ status: 'over_budget' }],
    })
    const planned = await table.rewriteManifests({ dryRun: true })
    expect(planned).toMatchObject({ status: 'planned', groups: [{ status: 'planned' }] })
    expect(planned.groups[0]!.files.every(({ bytes }) => bytes > 0)).toBe(true)
    expect(await manifestCount(table)).toBe(5)
    const seen: number[] = []
    const done = await table.rewriteManifests({
      onProgress: ({ groupsDone }) => seen.push(groupsDone),
    })
    expect(done).toMatchObject({
      status: 'committed',
      groups: [{ files: planned.groups[0]!.files, addedFileCount: 1 }],
    })
    expect(seen).toEqual([1])
    expect(await manifestCount(table)).toBe(1)
    expect(await table.rewriteManifests()).toMatchObject({ status: 'unchanged', groups: [] })
    expect(await idsOf(table)).toEqual([0, 1, 2, 3, 4])
    expect((await table.history())[0]).toMatchObject({ operation: 'replace' })
    expect((await table.snapshot()).transaction('a')).toBe(4)
  })

  test('old snapshots go, with what only they needed', async () => {
    const table = await create()
    await append(table, 1)
    await append(table, 2)
    await table.commitReplace(undefined, 'everything')
    await append(table, 3)
    expect(await table.expireSnapshots()).toMatchObject({ snapshotIds: [], files: [] })
    nowMs += 6 * DAY_MS
    await append(table, 4)
    const planned = await table.expireSnapshots({ dryRun: true, snapshotCountMin: 2 })
    expect(planned).toMatchObject({ status: 'committed' })
    expect((await table.history()).length).toBe(5)
    if (planned.status !== 'committed') throw new Error('not committed')
    expect(planned.snapshotIds).toHaveLength(3)
    expect(planned.files.filter((key) => key.includes('/data/'))).toHaveLength(2)
    expect(planned.bytes).toBeGreaterThan(0)
    const seen: number[] = []
    const some = await table.expireSnapshots({
      snapshotCountMin: 2,
      snapshotCountMax: 1,
      onProgress: ({ removed, count }) => seen.push(count - removed),
    })
    expect(some).toMatchObject({ snapshotIds: planned.snapshotIds.slice(0, 1), isPartial: true })
    expect(seen.at(-1)).toBe(0)
    const rest = await table.expireSnapshots({ snapshotCountMin: 2 })
    expect(rest).toMatchObject({ snapshotIds: planned.snapshotIds.slice(1), isPartial: false })
    expect(
      [some, rest].flatMap((outcome) => ('files' in outcome ? outcome.files : [])).sort(),
    ).toEqual(planned.files)
    expect((await table.history()).length).toBe(2)
    expect(await keysOf(table, 'data')).toHaveLength(2)
    expect(await idsOf(table)).toEqual([3, 4])
    expect((await table.snapshot()).transaction('a')).toBe(4)
  })

  test('branches and tags keep what they point to', async () => {
    const table = await create()
    await append(table, 1)
    const entry = (await table.snapshot()).snapshotId!
    const { fileCatalog } = await import('../../../src/lake/iceberg/file-catalog.ts')
    await fileCatalog(deps).commit(table.name, {
      requirements: [],
      updates: [
        { action: 'set-snapshot-ref', 'ref-name': 'v1', type: 'tag', 'snapshot-id': entry },
      ],
    })
    await append(table, 2)
    await table.commitReplace(undefined, 'everything')
    nowMs += 30 * DAY_MS
    const done = await table.expireSnapshots()
    expect(done).toMatchObject({ status: 'committed' })
    const tagged = await table.snapshot({ ref: 'v1' })
    expect((await bench.scan(await tagged.plan())).map((row) => row.id)).toEqual(['1'])
    await expect(table.snapshot({ ref: 'v2' })).rejects.toMatchObject({ code: 'SNAPSHOT_MISSING' })
  })

  test('orphans go once they are old, and nothing else does', async () => {
    nowMs = Date.now()
    const table = await create()
    await append(table, 1)
    const rows = await bench.relation('SELECT 9::BIGINT AS id, 1 AS part', COLUMNS)
    const lost = await table.prepareAppend(rows)
    await append(table, 2)
    expect(await table.removeOrphans()).toMatchObject({ files: [], bytes: 0 })
    for (const folder of ['data', 'metadata'])
      for (const key of await keysOf(table, folder)) {
        const then = new Date(nowMs - 10 * DAY_MS)
        await utimes(deps.store.locate(key), then, then)
      }
    const planned = await table.removeOrphans({ dryRun: true })
    expect(planned.files).toHaveLength(2)
    expect(planned.bytes).toBeGreaterThan(lost.bytes)
    expect(await table.removeOrphans()).toEqual(planned)
    expect(await idsOf(table)).toEqual([1, 2])
    for (const { snapshotId } of await table.history())
      await (await table.snapshot({ snapshotId })).plan()
    await append(table, 3)
    expect(await idsOf(table)).toEqual([1, 2, 3])
  })
})
