import { existsSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { TableBrokenError } from '../../../src/lake/errors.ts'
import { parseMetadata } from '../../../src/lake/iceberg/metadata-json.ts'
import type { SnapshotSelector } from '../../../src/lake/iceberg/snapshot.ts'
import { type IcebergSnapshot, snapshotView } from '../../../src/lake/iceberg/snapshot-view.ts'
import { tableLocation } from '../../../src/lake/iceberg/table-location.ts'
import { ObjectMissingError, type ObjectStore } from '../../../src/model/object-store.ts'
import { compare, isNull, not, type Predicate } from '../../../src/model/predicate.ts'
import { type Bench, openBench } from './engine.ts'
import { readOnlyStore } from './read-only-store.ts'

// Tables that Spark, Flink and PyIceberg wrote, versions 1 to 3. What they hold was read with PyIceberg 0.12 and, where that
// refuses (equality deletes), by applying the delete files by hand with pyarrow; it is written down below.

const GOLDENS = path.resolve(import.meta.dirname, '../../../../shared/goldens/iceberg')
const isThere = existsSync(GOLDENS)
if (!isThere) console.log(`skipped: there are no golden tables at ${GOLDENS}`)

const row = (id: number, name: string) => ({ id, name, bir: `2025-01-0${id}` })
const [a, b, c, d, e, f] = ['a', 'b', 'c', 'd', 'e', 'f'].map((name, index) => row(index + 1, name))

/** Deletes by id, by name, and by both; what was added later is not touched by earlier ones. */
const EQUALITY_STATES = [
  { snapshotId: 853766660775201079n, rows: [a, b, c, d] },
  { snapshotId: 1584331123492059582n, rows: [c, d] },
  { snapshotId: 842401149381792626n, rows: [d] },
  { snapshotId: 3340507003387467420n, rows: [d, e, f] },
  { snapshotId: 1916084761853986166n, rows: [d, e] },
]
const PARTITIONED_STATES = [
  { snapshotId: 6447922032991303611n, rows: [a, b, c, d] },
  { snapshotId: 4416477559988274704n, rows: [a, c, d] },
  { snapshotId: 6022113614852838397n, rows: [a, d] },
  { snapshotId: 883882341917253211n, rows: [a, d, e, f] },
  { snapshotId: 3138177759849079112n, rows: [a, d, e] },
]

describe.skipIf(!isThere)('golden Iceberg tables', () => {
  let bench: Bench
  let store: ObjectStore
  beforeAll(async () => {
    bench = await openBench()
    store = readOnlyStore(GOLDENS)
  })
  afterAll(() => bench[Symbol.asyncDispose]())

  async function open(
    table: string,
    metadataFile: string,
    selector?: SnapshotSelector,
  ): Promise<IcebergSnapshot> {
    const key = `${table}/metadata/${metadataFile}`
    const metadata = await parseMetadata(await store.get(key), key)
    const place = tableLocation(store, table, metadata.location)
    return snapshotView(place, metadata, bench.ports.parquet, selector)
  }
  const rowsOf = async (snapshot: IcebergSnapshot, predicate?: Predicate) => {
    const plan = await snapshot.plan(predicate === undefined ? {} : { predicate })
    const rows = await bench.scan(plan, (query) => `SELECT * FROM (${query}) ORDER BY ALL`)
    if (plan.rowCount !== undefined && plan.residual === undefined)
      expect(plan.rowCount).toBe(rows.length)
    return rows
  }

  describe('with equality deletes', () => {
    const TABLE = 'equality_deletes/warehouse/mydb/mytable'
    test.each(EQUALITY_STATES)('snapshot $snapshotId', async ({ snapshotId, rows }) => {
      const snapshot = await open(TABLE, 'v7.metadata.json', { snapshotId })
      expect(await rowsOf(snapshot)).toEqual(rows)
    })

    test('a lost manifest list is said to be lost', async () => {
      const snapshot = await open(TABLE, 'v7.metadata.json', { snapshotId: 7342794868382145167n })
      await expect(snapshot.plan()).rejects.toThrow(ObjectMissingError)
    })

    test('deletes apply whatever is projected, and count when nothing is', async () => {
      const snapshot = await open(TABLE, 'v7.metadata.json')
      const all = await rowsOf(snapshot)
      const plan = await snapshot.plan({ columns: ['bir'] })
      expect(await bench.scan(plan, (q) => `SELECT count(bir) AS n FROM (${q})`)).toEqual([
        { n: String(all.length) },
      ])
    })

    test.each(PARTITIONED_STATES)('partitioned: snapshot $snapshotId', async (state) => {
      const snapshot = await open(`${TABLE}_partitioned`, 'v6.metadata.json', {
        snapshotId: state.snapshotId,
      })
      expect(await rowsOf(snapshot)).toEqual(state.rows)
    })

    test('a partition filter keeps other partitions’ files and deletes out', async () => {
      const snapshot = await open(`${TABLE}_partitioned`, 'v6.metadata.json')
      const onlyA = compare(['name'], '=', { type: 'string', value: 'a' })
      const plan = await snapshot.plan({ predicate: onlyA })
      expect(plan.files).toHaveLength(1)
      expect(plan.equalityDeletes).toBeUndefined()
      expect(plan.residual).toBeUndefined()
    })
  })

  describe('of version 1, upgraded to 3, without counts in its manifest list', () => {
    const TABLE = 'iceberg_v1_repro/repro/merch_v1'
    const merch = (id: number, league: string) => ({
      id: String(id),
      league,
      ats_qty: String(id * 10),
    })
    const whole = [merch(2, 'nba'), merch(3, 'mlb'), merch(4, 'nhl'), merch(6, 'nba')]
    test.each([
      '00003-8d01e4aa-d143-49c9-898e-b5e477577b70.metadata.json',
      '00004-v3-upgraded-v1-null-counts.metadata.json',
    ])('%s', async (file) => {
      expect(await rowsOf(await open(TABLE, file))).toEqual(whole)
      const second = await open(TABLE, file, { snapshotId: 381223374871251311n })
      expect(await rowsOf(second)).toHaveLength(6)
      const then = await open(TABLE, file, { atMs: 1781274994783 })
      expect(await rowsOf(then)).toEqual([merch(1, 'nfl'), merch(2, 'nba'), merch(3, 'mlb')])
    })
  })

  test('null tests choose files by their null counts', async () => {
    const snapshot = await open(
      'is_null_is_not_null',
      '00001-43ceeb9a-cd0d-4556-b1e2-513b5bf88ff8.metadata.json',
    )
    expect(await rowsOf(snapshot)).toHaveLength(8)
    const nulls = await snapshot.plan({ predicate: isNull('value') })
    expect(nulls.files).toHaveLength(2)
    expect((await bench.scan(nulls)).map((row) => row.id).sort()).toEqual(['1', '2', '3', '7'])
    const values = await snapshot.plan({ predicate: not(isNull('value')) })
    expect(values.files).toHaveLength(2)
    expect((await bench.scan(values)).map((row) => row.id).sort()).toEqual(['4', '5', '6', '8'])
  })

  test('lineitem, before and after an update that rewrote its files', async () => {
    const sums = (q: string) =>
      `SELECT count(*) AS n, sum(l_orderkey) AS k, sum(l_extendedprice)::VARCHAR AS p, min(l_quantity)::VARCHAR AS q FROM (${q})`
    const before = await open('lineitem_iceberg', 'v2.metadata.json', {
      snapshotId: 7817332053627255703n,
    })
    expect(await bench.scan(await before.plan(), sums)).toEqual([
      { n: '60175', k: '1802759573', p: '2152189760.47', q: '1.00' },
    ])
    const after = await open('lineitem_iceberg', 'v2.metadata.json')
    const plan = await after.plan()
    expect(plan.rowCount).toBe(51793)
    expect(await bench.scan(plan, sums)).toEqual([
      { n: '51793', k: '1553321902', p: '2107244482.54', q: '6.00' },
    ])
  })

  describe('name mapping for files without ids', () => {
    const TABLE = 'name_mapping/warehouse_1/mydb/t1'
    const sums = (columns: string) => (q: string) =>
      `SELECT count(*)::INTEGER AS n, ${columns} FROM (${q})`
    const both = sums('sum(a)::INTEGER AS a, sum(b)::INTEGER AS b')
    test.each([
      // b was dropped and added again under a new id, to which the mapping now gives the old name.
      ['v3.metadata.json', { n: 10000, a: 49995000, b: 5008208 }],
      ['v3.1.metadata.json', { n: 10000, a: 49995000, b: null }],
      ['v3.2.metadata.json', { n: 10000, a: null, b: null }],
      ['v5.metadata.json', { n: 10000, a: 49995000, b: 5008208 }],
      ['v6.metadata.json', { n: 10000, a: 49995000, b: 5008208 }],
      ['v7.metadata.json', { n: 10000, a: 49995000, b: null }],
    ])('%s', async (file, expected) => {
      const snapshot = await open(TABLE, file)
      expect(await bench.scan(await snapshot.plan(), both)).toEqual([expected])
    })

    test('a mapping of another shape is refused, not guessed at', async () => {
      const snapshot = await open(TABLE, 'v2.metadata.json')
      await expect(snapshot.plan()).rejects.toThrow(TableBrokenError)
    })
  })
})
