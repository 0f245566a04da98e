import { execFileSync } from 'node:child_process'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createIcebergTable } from '../../../src/lake/iceberg/create.ts'
import type { IcebergDeps } from '../../../src/lake/iceberg/deps.ts'
import { type IcebergTable, openIcebergTable } from '../../../src/lake/iceberg/table.ts'
import { systemClock, systemRandomness } from '../../../src/model/clock.ts'
import type { Columns } from '../../../src/model/column.ts'
import { openLocalStore } from '../../../src/storage/local.ts'
import { ensureToolset } from '../../services.ts'
import { type Bench, openBench } from './engine.ts'

// What we write, PyIceberg reads; what PyIceberg writes, we read.

const tools = await ensureToolset('python')
const isThere = !('skip' in tools)
const PYTHON = 'skip' in tools ? '' : tools.environment.MEKONG_PYTHON!

/** Rows of a table by PyIceberg, as JSON, ordered by `id`; `filter` is an expression of its own language. */
const READ = `
import json, sys
from pyiceberg.table import StaticTable
table = StaticTable.from_metadata(sys.argv[1])
scan = table.scan(row_filter=sys.argv[2]) if len(sys.argv) > 2 else table.scan()
print(json.dumps({'rows': sorted(scan.to_arrow().to_pylist(), key=lambda r: r['id']),
  'files': len(list(scan.plan_files())),
  'bounds': table.inspect.files().select(['record_count', 'readable_metrics']).to_pylist(),
  'summary': table.current_snapshot().summary.additional_properties if table.current_snapshot() else None}, default=str))
`

describe.skipIf(!isThere)('with PyIceberg', () => {
  let bench: Bench
  let deps: IcebergDeps
  beforeAll(async () => {
    bench = await openBench()
    const store = await openLocalStore({ folder: path.join(bench.folder, 'lake') })
    deps = { store, ports: bench.ports, clock: systemClock, randomness: systemRandomness }
  })
  afterAll(() => bench[Symbol.asyncDispose]())

  const python = (script: string, ...args: string[]) =>
    execFileSync(PYTHON, ['-W', 'ignore', '-c', script, ...args], { encoding: 'utf8' })
  async function readBack(table: IcebergTable, filter?: string) {
    const entry = await deps.store.get(`${table.location}/metadata/version-hint.text`)
    const file = `v${new TextDecoder().decode(entry)}.metadata.json`
    const metadata = deps.store.locate(`${table.location}/metadata/${file}`)
    return JSON.parse(python(READ, metadata, ...(filter === undefined ? [] : [filter])))
  }
  async function append(table: IcebergTable, sql: string, columns: Columns) {
    const prepared = await table.prepareAppend(await bench.relation(sql, columns))
    expect(await table.commitAppend(prepared)).toMatchObject({ status: 'committed' })
  }

  test('what we write is read back equal, through every change', async () => {
    const columns: Columns = [
      { name: 'id', type: 'int64', nullable: false },
      { name: 'kind', type: 'string', nullable: true },
      { name: 'at', type: 'timestamp', nullable: true },
      { name: 'ntz', type: 'timestamp_ntz', nullable: true },
      { name: 'day', type: 'date', nullable: true },
      { name: 'price', type: { kind: 'decimal', precision: 12, scale: 2 }, nullable: true },
      { name: 'ratio', type: 'float64', nullable: true },
      { name: 'small', type: 'int16', nullable: true },
      { name: 'ok', type: 'boolean', nullable: true },
      { name: 'raw', type: 'binary', nullable: true },
      {
        name: 'who',
        nullable: true,
        type: {
          kind: 'struct',
          columns: [
            { name: 'name', type: 'string', nullable: true },
            {
              name: 'tags',
              nullable: true,
              type: { kind: 'list', element: 'string', elementNullable: true },
            },
          ],
        },
      },
      {
        name: 'counts',
        nullable: true,
        type: { kind: 'map', key: 'string', value: 'int32', valueNullable: true },
      },
    ]
    const sql = (from: number, to: number) => `SELECT i AS id,
      CASE WHEN i % 5 = 0 THEN NULL ELSE 'a rather long kind number ' || (i % 4) END AS kind,
      TIMESTAMPTZ '2023-12-31 20:00:00+00' + INTERVAL (i) HOUR AS at,
      TIMESTAMP '1969-12-31 22:00:00' + INTERVAL (i) HOUR AS ntz,
      DATE '2024-01-01' + (i % 3)::INTEGER AS day, (i * 1.25)::DECIMAL(12, 2) AS price, i / 3 AS ratio,
      i::SMALLINT AS small, i % 2 = 0 AS ok, encode('r' || i) AS raw,
      {name: 'n' || i, tags: ['t' || i, NULL]} AS who, MAP {'k' || i: i::INTEGER} AS counts
      FROM range(${from}, ${to}) t(i)`
    await createIcebergTable(deps, 'ours', {
      columns,
      partitionBy: [
        { column: 'at', transform: 'day' },
        { column: 'id', transform: 'bucket[3]' },
        { column: 'kind', transform: 'truncate[8]' },
        { column: 'price' },
        { column: 'ntz', transform: 'month' },
        { column: ['who', 'name'], transform: 'bucket[2]' },
        { column: 'raw' },
      ],
      sortBy: [{ column: 'id', nulls: 'last' }],
    })
    const table = await openIcebergTable(deps, 'ours')
    await append(table, sql(0, 12), columns)
    await table.changePartitioning([{ column: 'day' }, { column: 'at', transform: 'hour' }])
    await append(table, sql(12, 20), columns)
    await table.changePartitioning([])
    await append(table, sql(20, 21), columns)
    const { rows, summary } = await readBack(table)
    expect(rows).toHaveLength(21)
    expect(summary).toMatchObject({ 'total-records': '21', 'engine-name': 'mekong' })
    const plan = await (await table.snapshot()).plan()
    const ours = await bench.scan(plan, (q) => `SELECT * FROM (${q}) ORDER BY id`)
    for (const [index, row] of rows.entries()) {
      expect(row.id).toBe(Number(ours[index]!.id))
      expect(row.kind).toBe(ours[index]!.kind)
      expect(Date.parse(row.at)).toBe(Date.parse(`${ours[index]!.at}`.replace('+00', 'Z')))
      expect(row.price).toBe(ours[index]!.price)
      expect(row.who).toEqual(ours[index]!.who)
      expect(row.counts).toEqual([[`k${index}`, index]])
    }
    // Its own pruning by our partition values and bounds finds the same rows in fewer files.
    const some = await readBack(table, "id = 7 and at >= '2024-01-01T00:00:00+00:00'")
    expect(some.rows.map((row: { id: number }) => row.id)).toEqual([7])
    expect(some.files).toBeLessThan(4)
    const kinds = await readBack(table, "kind = 'a rather long kind number 2'")
    expect(kinds.rows.map((row: { id: number }) => row.id)).toEqual([2, 6, 14, 18])
    const last = some.bounds.find((file: { record_count: number }) => file.record_count === 1)
    expect(last.readable_metrics.id).toMatchObject({ null_value_count: 0, value_count: 1 })

    await table.changeColumns([
      { kind: 'rename', path: ['kind'], name: 'sort' },
      { kind: 'rename', path: ['who', 'name'], name: 'called' },
      { kind: 'drop', path: ['ratio'] },
      { kind: 'add', column: { name: 'ratio', type: 'string', nullable: true } },
      { kind: 'move', path: ['ratio'], after: null },
    ])
    const evolved = await readBack(table)
    expect(Object.keys(evolved.rows[0]).slice(0, 3)).toEqual(['ratio', 'id', 'sort'])
    expect(evolved.rows[3]).toMatchObject({ ratio: null, who: { called: 'n3' } })
    await table.commitReplace(undefined, 'everything')
    expect((await readBack(table)).rows).toEqual([])
  })

  test('what PyIceberg writes is read, and goes on being written by us', async () => {
    const warehouse = deps.store.locate('theirs')
    python(
      `
import sys, os, datetime, decimal, pyarrow as pa
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.schema import Schema
from pyiceberg.types import *
from pyiceberg.partitioning import PartitionSpec, PartitionField
from pyiceberg.transforms import *
os.makedirs(sys.argv[1])
catalog = SqlCatalog('c', uri='sqlite:///' + sys.argv[1] + '/c.db', warehouse='file://' + sys.argv[1])
catalog.create_namespace('n')
schema = Schema(NestedField(1, 'id', LongType(), required=False), NestedField(2, 'u', UUIDType(), required=False),
  NestedField(3, 't', TimeType(), required=False), NestedField(4, 'd', DateType(), required=False),
  NestedField(5, 's', StringType(), required=False), NestedField(6, 'dec', DecimalType(20, 3), required=False))
spec = PartitionSpec(PartitionField(4, 1000, MonthTransform(), 'd_month'), PartitionField(5, 1001, BucketTransform(4), 's_b'))
table = catalog.create_table('n.t', schema, partition_spec=spec, properties={'write.metadata.compression-codec': 'gzip'})
rows = pa.table({'id': pa.array(range(10), pa.int64()), 'u': pa.array([bytes([i] * 16) for i in range(10)], pa.uuid() if hasattr(pa, 'uuid') else pa.binary(16)),
  't': pa.array([datetime.time(1, 2, i) for i in range(10)], pa.time64('us')),
  'd': pa.array([datetime.date(2024, 1 + i % 3, 1) for i in range(10)], pa.date32()),
  's': pa.array(['x%d' % i for i in range(10)]), 'dec': pa.array([decimal.Decimal(i) / 8 for i in range(10)], pa.decimal128(20, 3))})
table.append(rows)
table.delete('id < 3')
`,
      warehouse,
    )
    const table = await openIcebergTable(deps, 'theirs/n/t')
    const snapshot = await table.snapshot()
    const rows = await bench.scan(await snapshot.plan(), (q) => `SELECT * FROM (${q}) ORDER BY id`)
    expect(rows.map((row) => row.id)).toEqual(['3', '4', '5', '6', '7', '8', '9'])
    expect(rows[0]).toMatchObject({
      u: '03030303-0303-0303-0303-030303030303',
      t: '01:02:03',
      d: '2024-01-01',
      dec: '0.375',
    })
    const byText = await snapshot.plan({
      predicate: {
        kind: 'compare',
        column: ['s'],
        op: '=',
        value: { type: 'string', value: 'x7' },
      },
    })
    expect(byText.files).toHaveLength(1)
    expect((await bench.scan(byText)).map((row) => row.id)).toEqual(['7'])
    // It belongs to a catalog that would not learn of our commit.
    await expect(table.changeProperties({ a: 'b' })).rejects.toMatchObject({
      code: 'TABLE_UNSUPPORTED',
    })
  })
})
