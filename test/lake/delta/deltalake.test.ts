import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createDeltaTable } from '../../../src/lake/delta/create.ts'
import { openDeltaTable } from '../../../src/lake/delta/table.ts'
import type { DeltaDeps } from '../../../src/lake/delta/table-log.ts'
import { systemClock, systemRandomness } from '../../../src/model/clock.ts'
import type { Columns } from '../../../src/model/column.ts'
import { compare } from '../../../src/model/predicate.ts'
import { sql } from '../../../src/model/row-edit.ts'
import { scanSql } from '../../../src/sql/duckdb/scan.ts'
import { openLocalStore } from '../../../src/storage/local.ts'
import { openLocalScratch } from '../../../src/storage/scratch.ts'
import { ensureToolset } from '../../services.ts'
import { openTestEngine, type TestEngine } from '../duckdb-ports.ts'

// Both ways with delta-rs, through its Python package: what we write it reads and appends to, what it writes we read and
// append to.

const run = promisify(execFile)
const tools = await ensureToolset('python')
const python = 'skip' in tools ? undefined : tools.environment.MEKONG_PYTHON

const COLUMNS: Columns = [
  { name: 'id', type: 'int64', nullable: false },
  { name: 'day', type: 'date', nullable: true },
  { name: 'name', type: 'string', nullable: true },
  { name: 'at', type: 'timestamp', nullable: true },
  { name: 'wall', type: 'timestamp_ntz', nullable: true },
  { name: 'price', type: { kind: 'decimal', precision: 20, scale: 4 }, nullable: true },
  {
    name: 's',
    type: { kind: 'struct', columns: [{ name: 'a', type: 'int32', nullable: true }] },
    nullable: true,
  },
  { name: 'l', type: { kind: 'list', element: 'string', elementNullable: true }, nullable: true },
  {
    name: 'm',
    type: { kind: 'map', key: 'string', value: 'int64', valueNullable: true },
    nullable: true,
  },
]

const rowsSql = (from: number) => `
  SELECT (${from} + range)::BIGINT AS id, DATE '2024-01-01' + (range % 3)::INTEGER AS day,
    CASE WHEN range = 5 THEN NULL ELSE 'a/b c=%' || (range % 4) END AS name, make_timestamptz(1704067200123456 + range) AS at,
    make_timestamp(1704067200123456 + range) AS wall, (range / 8)::DECIMAL(20, 4) AS price,
    {'a': range::INTEGER} AS s, ['x', NULL] AS l, MAP {'k': range} AS m
  FROM range(10)`

describe.skipIf(python === undefined)('delta-rs', () => {
  let folder: string
  let engine: TestEngine
  let deps: DeltaDeps
  beforeAll(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'mekong-delta-rs-'))
    engine = await openTestEngine()
    deps = {
      store: await openLocalStore({ folder }),
      ports: {
        ...engine,
        scratch: await openLocalScratch({ folder: path.join(folder, '.mekong-tmp') }),
      },
      clock: systemClock,
      randomness: systemRandomness,
    }
  })
  afterAll(async () => {
    engine?.close()
    await rm(folder, { recursive: true, force: true })
  })

  /** Run a script that finds the folder in `folder`; what it prints, as JSON. */
  async function inPython(script: string): Promise<unknown> {
    const prelude = `import datetime, json\nfrom deltalake import DeltaTable, write_deltalake\nimport pyarrow as pa\nimport pyarrow.parquet as pq\nfolder = ${JSON.stringify(folder)}\n`
    // Leave at once: the package's threads do not always survive the interpreter's own farewell.
    const leave = '\nimport os, sys\nsys.stdout.flush()\nos._exit(0)\n'
    const { stdout } = await run(python!, ['-c', prelude + script + leave])
    return stdout.trim() === '' ? undefined : JSON.parse(stdout)
  }

  async function append(location: string, sql: string, columns: Columns, appId: string) {
    const table = await openDeltaTable(deps, location)
    const prepared = await table.prepareAppend(await engine.relation(sql, columns))
    const version = (await table.snapshot()).version
    return table.commitAppend(prepared, { transactions: [{ appId, version }] })
  }

  test('reads what we write, statistics, checkpoints and transactions included', async () => {
    await createDeltaTable(deps, 'ours', {
      columns: COLUMNS,
      partitionBy: ['day', 'name'],
      properties: { 'delta.checkpointInterval': '3' },
    })
    for (const from of [0, 10, 20, 30])
      expect(await append('ours', rowsSql(from), COLUMNS, 'mekong/x')).toMatchObject({
        status: 'committed',
      })
    const found = await inPython(`
t = DeltaTable(folder + '/ours')
pq.write_table(t.to_pyarrow_table(), folder + '/theirs.parquet')
some = t.to_pyarrow_table(filters=[('id', '>=', 25), ('day', '=', datetime.date(2024, 1, 2))])
print(json.dumps([t.version(), t.transaction_version('mekong/x'), sorted(some['id'].to_pylist())]))`)
    expect(found).toEqual([4, 3, [27, 31, 34, 37]])
    const all = [0, 10, 20, 30].map(rowsSql).join(' UNION ALL ')
    const names = COLUMNS.map((column) => `"${column.name}"`).join(', ')
    const theirs = `SELECT ${names} FROM '${folder}/theirs.parquet'`
    expect(await engine.rows(`(${all}) EXCEPT ALL (${theirs})`)).toEqual([])
    expect(await engine.rows(`(${theirs}) EXCEPT ALL (${all})`)).toEqual([])
  })

  test('writes what we read, and we go on from there', async () => {
    await inPython(`
for i in range(3):
    t = pa.table({'id': pa.array(range(i * 10, i * 10 + 10), pa.int64()), 'p': pa.array(['x y', 'ü/', None, 'x y', 'b'] * 2)})
    write_deltalake(folder + '/theirs', t, mode='append', partition_by=['p'])
DeltaTable(folder + '/theirs').create_checkpoint()
DeltaTable(folder + '/theirs').delete('id = 13')`)
    const table = await openDeltaTable(deps, 'theirs')
    const snapshot = await table.snapshot()
    expect(await snapshot.rowCount()).toBe(29)
    const predicate = compare(['id'], '>=', { type: 'int64', value: 25n })
    const plan = await snapshot.plan({ predicate })
    expect(plan.files.length).toBeLessThan(snapshot.fileCount)
    expect(await engine.rows(`SELECT count(*)::INTEGER AS n FROM (${scanSql(plan)})`)).toEqual([
      { n: 5 },
    ])
    const more = `SELECT (100 + range)::BIGINT AS id, 'x y' AS p FROM range(5)`
    expect(await append('theirs', more, snapshot.columns, 'app')).toMatchObject({
      status: 'committed',
    })
    expect(
      await inPython(`print(DeltaTable(folder + '/theirs').to_pyarrow_table().num_rows)`),
    ).toBe(34)
  })

  test.each([
    { name: 'copied', properties: {} },
    { name: 'marked', properties: { 'delta.enableDeletionVectors': 'true' } },
    {
      name: 'mapped',
      properties: { 'delta.enableDeletionVectors': 'true', 'delta.columnMapping.mode': 'name' },
    },
  ])('reads what we changed, and its change files: $name', async ({ name, properties }) => {
    const columns: Columns = [
      { name: 'id', type: 'int64', nullable: true },
      { name: 'v', type: 'string', nullable: true },
    ]
    await createDeltaTable(deps, name, {
      columns,
      properties: { ...properties, 'delta.enableChangeDataFeed': 'true' },
    })
    await append(name, `SELECT range::BIGINT AS id, 'v' AS v FROM range(100000)`, columns, 'app')
    const table = await openDeltaTable(deps, name)
    await table.delete({ where: sql('id % 3 = 0') })
    await table.update({ where: sql('id = 5'), set: { v: sql(`'u'`) } })
    await table.merge({
      source: await engine.relation(
        `SELECT (99999 + range)::BIGINT AS id, 'm' AS v FROM range(5)`,
        columns,
      ),
      on: { keys: ['id'] },
      clauses: [
        { when: 'matched', do: 'update' },
        { when: 'not_matched', do: 'insert' },
      ],
    })
    await table.checkpoint()
    const rows = await engine.rows(
      `SELECT count(*)::INTEGER AS n, sum(id)::DOUBLE AS s, count(*) FILTER (WHERE v <> 'v')::INTEGER AS c FROM (${scanSql(await (await table.snapshot()).plan())})`,
    )
    const found = await inPython(`
from deltalake import QueryBuilder
t = DeltaTable(folder + '/${name}')
r = pa.table(QueryBuilder().register('t', t).execute("select count(*) as n, cast(sum(id) as double) as s, sum(case when v <> 'v' then 1 else 0 end) as c from t").read_all()).to_pylist()
feed = None
if '${name}' != 'mapped':  # which it cannot read the feed of
    f = pa.table(t.load_cdf(starting_version=2).read_all()).to_pylist()
    feed = sorted([x['_change_type'], x['_commit_version']] for x in f if x['_commit_version'] > 2)
print(json.dumps([r, feed]))`)
    const feed = [
      ...Array.from({ length: 5 }, () => ['insert', 4]),
      ['update_postimage', 3],
      ['update_preimage', 3],
    ]
    expect(found).toEqual([rows, name === 'mapped' ? null : feed])
  })
})
