import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type LakeOfBoth, openLakeOfBoth } from '../flow/lake-of-both.ts'
import { mekong } from './run-mekong.ts'

// The commands on tables of both formats, in a home where nothing else runs.

let world: LakeOfBoth
const run = (...args: string[]) => mekong([...args, '--home', world.home])
const runJson = async <T = Record<string, never>>(...args: string[]) =>
  (await run(...args, '--json')).json<T>()

interface Group {
  readonly status: string
  readonly files: readonly { readonly path: string; readonly bytes: number }[]
}

beforeAll(async () => {
  world = await openLakeOfBoth()
  const sales = await world.delta('bronze.sales')
  const cities = await world.icebergTable('silver.cities')
  for (const id of [1, 2, 3]) {
    const row = `SELECT ${id}::BIGINT AS id, 'Hue' AS city, ${id}.5::DOUBLE AS price`
    await world.append(sales, row)
    await world.append(cities, row)
  }
})
afterAll(() => world.close())

describe('tables of the lake on the command line', () => {
  test('are listed, described and told the history of, in both formats', async () => {
    const { tables } = await runJson<{ tables: object[] }>('tables')
    expect(tables).toMatchObject([
      { name: 'bronze.sales', format: 'delta', version: 3, rows: 3, files: 3 },
      { name: 'silver.cities', format: 'iceberg', rows: 3, files: 3 },
    ])
    const { commits } = await runJson<{ commits: { version: string; rows_added: number }[] }>(
      ...['history', 'silver.cities'],
    )
    expect(commits.map(({ rows_added }) => rows_added)).toEqual([1, 1, 1])
    const oldest = commits.at(-1)!.version
    const then = await runJson<object>('describe', 'silver.cities', '--version', oldest)
    expect(then).toMatchObject({ format: 'iceberg', version: oldest, rows: 1 })
    const shown = await run('describe', path.join(world.folder, 'bronze', 'sales'))
    expect(shown.out).toContain('Delta Lake table, version 3, 3 rows in 3 files')
    const rows = await runJson<unknown>(
      ...['sql', `SELECT count(*) AS n FROM silver.cities AT (VERSION => ${oldest})`],
    )
    expect(rows).toEqual([{ n: 1 }])
  })

  test('optimize: a dry run lists what the run then does', async () => {
    const planned = await runJson<{ groups: Group[] }>('optimize', 'bronze.sales', '--dry-run')
    expect(planned.groups).toMatchObject([{ status: 'planned' }])
    expect(planned.groups[0]!.files).toHaveLength(3)
    expect(planned.groups[0]!.files.every(({ bytes }) => bytes > 0)).toBe(true)
    const text = await run('optimize', 'bronze.sales', '--dry-run')
    expect(text.out).toContain(planned.groups[0]!.files[0]!.path)
    const done = await runJson<{ groups: Group[] }>('optimize', 'bronze.sales')
    expect(done).toMatchObject({ ok: true, version: 4, groups: [{ status: 'committed' }] })
    expect(done.groups[0]!.files).toEqual(planned.groups[0]!.files)
    expect((await run('optimize', 'bronze.sales')).out).toContain('in good shape')
    const wrong = await run('optimize', 'bronze.sales', '--where', 'id = 2')
    expect([wrong.code, wrong.err]).toEqual([1, expect.stringContaining('partition columns')])
    const unknown = await run('optimize', 'bronze.sales', '--where', 'town = 1')
    expect([unknown.code, unknown.err]).toEqual([1, expect.stringContaining('id, city, price')])
  })

  test('Iceberg tables are packed, and tell their changes, alike', async () => {
    const lists = await runJson<{ groups: Group[] }>(
      ...['optimize', 'silver.cities', '--manifests', '--dry-run'],
    )
    expect(lists.groups).toMatchObject([{ status: 'planned' }])
    expect(lists.groups[0]!.files.map(({ path }) => path)).toEqual(
      Array.from({ length: 3 }, () => expect.stringMatching(/\.avro$/)),
    )
    const none = await run('optimize', 'bronze.sales', '--manifests')
    expect([none.code, none.err]).toEqual([1, expect.stringContaining('no manifests')])
    const planned = await runJson<{ groups: Group[] }>('optimize', 'silver.cities', '--dry-run')
    expect(planned.groups[0]!.files).toHaveLength(3)
    expect(await runJson('optimize', 'silver.cities')).toMatchObject({
      groups: [{ status: 'committed', added_files: 1 }],
    })
    const { commits } = await runJson<{ commits: { version: string }[] }>(
      ...['history', 'silver.cities'],
    )
    const second = commits.at(-2)!.version
    const { changes } = await runJson<{ changes: object[] }>(
      ...['changes', 'silver.cities', '--from', second],
    )
    expect(changes).toMatchObject([
      { id: 2, _change_type: 'insert' },
      { id: 3, _change_type: 'insert' },
    ])
  })

  test('restore brings a version back, by a new one', async () => {
    const dry = await runJson('restore', 'bronze.sales', '--version', '1', '--dry-run')
    expect(dry).toMatchObject({ ok: true, status: 'planned', restored: 1, version: 4 })
    const done = await runJson('restore', 'bronze.sales', '--version', '1')
    expect(done).toMatchObject({ status: 'committed', restored: 1, version: 5 })
    expect(await runJson('sql', 'SELECT id FROM bronze.sales')).toEqual([{ id: 1 }])
    const beyond = await run('restore', 'bronze.sales', '--version', '99')
    expect([beyond.code, beyond.err]).toEqual([1, expect.stringContaining('99')])
    expect((await run('restore', 'bronze.sales')).code).toBe(2)
  })

  test('restore of an Iceberg table keeps its history', async () => {
    const towns = await world.icebergTable('silver.towns')
    for (const id of [1, 2])
      await world.append(towns, `SELECT ${id}::BIGINT AS id, 'Vinh' AS city, 1::DOUBLE AS price`)
    const [newest, oldest] = (await towns.history()).map(({ snapshotId }) => String(snapshotId))
    const restore = ['restore', 'silver.towns', '--version', oldest!]
    const dry = await runJson(...restore, '--dry-run')
    expect(dry).toMatchObject({ status: 'planned', files_added: 0, files_removed: 1 })
    const done = await runJson(...restore)
    expect(done).toMatchObject({ status: 'committed', restored: oldest })
    expect(await runJson('sql', 'SELECT id FROM silver.towns')).toEqual([{ id: 1 }])
    expect(await runJson(...restore)).toMatchObject({ status: 'unchanged' })
    await runJson('restore', 'silver.towns', '--version', newest!)
    expect(await runJson('sql', 'SELECT id FROM silver.towns ORDER BY id')).toEqual([
      { id: 1 },
      { id: 2 },
    ])
    expect(await towns.history()).toHaveLength(4)
    expect((await towns.snapshot()).summary).toMatchObject({ 'total-records': '2' })
  })

  test('changes tell what commits did, as rows or as a file', async () => {
    const { changes } = await runJson<{ changes: object[] }>(
      ...['changes', 'bronze.sales', '--from', '1', '--to', '2'],
    )
    expect(changes).toMatchObject([
      { id: 1, _change_type: 'insert', _commit_version: 1 },
      { id: 2, _change_type: 'insert', _commit_version: 2 },
    ])
    const file = path.join(world.home, 'changes.parquet')
    const written = await runJson('changes', 'bronze.sales', '--from', '5', '--out', file)
    expect(written).toMatchObject({ ok: true, rows: 2 })
    expect((await run('changes', 'bronze.sales')).code).toBe(2)
  })

  test('convert: the same rows by the other metadata, and no copy', async () => {
    const dry = await runJson('convert', 'iceberg', 'bronze.sales', '--dry-run')
    expect(dry).toMatchObject({ ok: true, status: 'planned', files: 1 })
    expect(await runJson('convert', 'iceberg', 'bronze.sales')).toMatchObject({ status: 'created' })
    const rows = `SELECT * FROM iceberg('bronze.sales') EXCEPT ALL SELECT * FROM bronze.sales`
    expect(await runJson('sql', rows)).toEqual([])
    expect(await runJson('sql', `SELECT id FROM iceberg('bronze.sales')`)).toEqual([{ id: 1 }])
    const again = await run('convert', 'iceberg', 'bronze.sales')
    expect([again.code, again.out]).toEqual([1, expect.stringContaining('already')])
    const folder = path.join(world.folder, 'silver', 'cities')
    expect(await runJson('convert', 'delta', folder)).toMatchObject({ status: 'created' })
    expect(await runJson('sql', `SELECT count(*) AS n FROM delta('${folder}')`)).toEqual([{ n: 3 }])
    expect((await run('convert', 'parquet', 'bronze.sales')).code).toBe(2)
  })

  test('vacuum and expire remove what nobody needs, and first say what', async () => {
    const young = await run('vacuum', 'bronze.sales', '--older-than', '0s', '--dry-run')
    expect([young.code, young.err]).toEqual([1, expect.stringContaining('could lose files')])
    const vacuum = ['vacuum', 'bronze.sales', '--older-than', '0s', '--short-age']
    const dry = await runJson<{ files: { path: string }[] }>(...vacuum, '--dry-run')
    expect(dry.files.length).toBeGreaterThan(0)
    const some = await runJson(...vacuum, '--max-files', '1')
    expect(some).toMatchObject({
      ok: true,
      files: dry.files.slice(0, 1),
      more: dry.files.length > 1,
    })
    expect((await runJson(...vacuum)).files).toEqual(dry.files.slice(1))
    const expire = [
      'expire',
      'silver.cities',
      '--format',
      'iceberg',
      '--older-than',
      '0s',
      '--keep',
      '1',
    ]
    const gone = await runJson<{ snapshots: string[]; files: object[] }>(...expire, '--dry-run')
    expect(gone.snapshots).toHaveLength(3)
    expect(await runJson(...expire, '--max', '1', '--dry-run')).toMatchObject({
      snapshots: gone.snapshots.slice(0, 1),
      more: true,
    })
    expect(gone.files.length).toBeGreaterThan(0)
    expect(await runJson(...expire)).toMatchObject({ ok: true, snapshots: gone.snapshots })
    expect((await run('expire', 'silver.cities', '--format', 'iceberg')).out).toContain(
      '0 snapshots, 0 files',
    )
    expect(await runJson('sql', 'SELECT count(*) AS n FROM silver.cities')).toEqual([{ n: 3 }])
    const delta = await run('expire', 'bronze.sales', '--older-than', '30m')
    expect([delta.code, delta.err]).toEqual([1, expect.stringContaining('younger than an hour')])
    const kept = await runJson('expire', 'bronze.sales', '--older-than', '1d', '--keep', '3')
    expect(kept).toMatchObject({ ok: true, files: [] })
  })
})
