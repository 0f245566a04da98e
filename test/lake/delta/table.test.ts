import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createDeltaTable } from '../../../src/lake/delta/create.ts'
import { type DeltaTable, openDeltaTable } from '../../../src/lake/delta/table.ts'
import type { DeltaDeps } from '../../../src/lake/delta/table-log.ts'
import { systemRandomness } from '../../../src/model/clock.ts'
import type { Columns } from '../../../src/model/column.ts'
import type { ObjectStore } from '../../../src/model/object-store.ts'
import { and, compare, isIn, isNull, not, or } from '../../../src/model/predicate.ts'
import { scanSql } from '../../../src/sql/duckdb/scan.ts'
import { openLocalStore } from '../../../src/storage/local.ts'
import { openLocalScratch } from '../../../src/storage/scratch.ts'
import { openTestEngine, type TestEngine } from '../duckdb-ports.ts'

const EVENTS: Columns = [
  { name: 'id', type: 'int64', nullable: false },
  { name: 'event_date', type: 'date', nullable: true },
  { name: 'name', type: 'string', nullable: true, doc: 'What happened.' },
  { name: 'at', type: 'timestamp', nullable: true },
  { name: 'price', type: { kind: 'decimal', precision: 30, scale: 10 }, nullable: true },
  { name: 'score', type: 'float64', nullable: true },
  {
    name: 'where',
    type: {
      kind: 'struct',
      columns: [
        { name: 'city', type: 'string', nullable: true },
        { name: 'zip', type: 'int32', nullable: true },
      ],
    },
    nullable: true,
  },
  {
    name: 'tags',
    type: { kind: 'list', element: 'string', elementNullable: true },
    nullable: true,
  },
]

/** Ten rows of `EVENTS` from `from` on, over three days. */
const eventsSql = (from: number, count = 10) => `
  SELECT (${from} + range)::BIGINT AS id, DATE '2024-01-01' + (range % 3)::INTEGER AS event_date,
    CASE WHEN range % 5 = 4 THEN NULL ELSE 'event ' || range || repeat('é', range::INTEGER * 9) END AS name,
    make_timestamptz(1704067200123456 + (${from} + range) * 1000001) AS at,
    ((${from} + range) || '.0000000001')::DECIMAL(30, 10) AS price,
    CASE WHEN range = 3 THEN 'nan'::DOUBLE ELSE range / 7 END AS score,
    {'city': 'c' || range, 'zip': range::INTEGER} AS where, ['x', NULL, 'y' || range] AS tags
  FROM range(${count})`

let folder: string
let engine: TestEngine
let store: ObjectStore
let nowMs = 1_704_067_200_000
let deps: DeltaDeps

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'mekong-delta-'))
  engine = await openTestEngine()
  store = await openLocalStore({ folder })
  deps = {
    store,
    ports: {
      ...engine,
      scratch: await openLocalScratch({ folder: path.join(folder, '.mekong-tmp') }),
    },
    clock: { nowMs: () => (nowMs += 1000) },
    randomness: systemRandomness,
  }
})
afterAll(async () => {
  engine?.close()
  await rm(folder, { recursive: true, force: true })
})

let tableCount = 0
async function newTable(
  options: Partial<Parameters<typeof createDeltaTable>[2]> = {},
): Promise<DeltaTable> {
  tableCount += 1
  const location = `lake/t${tableCount}`
  expect(await createDeltaTable(deps, location, { columns: EVENTS, ...options })).toEqual({
    status: 'created',
  })
  return openDeltaTable(deps, location)
}

async function append(
  table: DeltaTable,
  from: number,
  options?: Parameters<DeltaTable['commitAppend']>[1],
) {
  const prepared = await table.prepareAppend(await engine.relation(eventsSql(from), EVENTS))
  return table.commitAppend(prepared, options)
}

async function rowsOf(table: DeltaTable, sql: string, ...args: Parameters<DeltaTable['snapshot']>) {
  const plan = await (await table.snapshot(...args)).plan()
  return engine.rows(`WITH t AS (${scanSql(plan)}) ${sql}`)
}

describe('a Delta table', () => {
  test('gives back the rows that were appended, in every type', async () => {
    for (const partitionBy of [[], ['event_date'], ['event_date', 'score']]) {
      const table = await newTable({ partitionBy })
      expect(await append(table, 0)).toMatchObject({ status: 'committed', version: 1 })
      expect(await append(table, 10)).toMatchObject({ status: 'committed', version: 2 })
      const snapshot = await table.snapshot()
      expect(snapshot.columns).toEqual(EVENTS)
      expect(snapshot.partitionBy).toEqual(partitionBy)
      expect(await snapshot.rowCount()).toBe(20)
      const wanted = `(${eventsSql(0)} UNION ALL ${eventsSql(10)})`
      const ours = `(${scanSql(await snapshot.plan())})`
      expect(await engine.rows(`DESCRIBE ${ours}`)).toEqual(await engine.rows(`DESCRIBE ${wanted}`))
      expect(await engine.rows(`${ours} EXCEPT ALL ${wanted}`)).toEqual([])
      expect(await engine.rows(`${wanted} EXCEPT ALL ${ours}`)).toEqual([])
    }
  })

  test('opens only where there is one, and is made only once', async () => {
    await expect(openDeltaTable(deps, 'lake/nothing')).rejects.toMatchObject({
      code: 'TABLE_MISSING',
    })
    const table = await newTable({ description: 'Events.', properties: { 'my.owner': 'me' } })
    expect(await createDeltaTable(deps, table.location, { columns: EVENTS })).toEqual({
      status: 'exists',
    })
    const snapshot = await table.snapshot()
    expect(snapshot).toMatchObject({
      version: 0,
      fileCount: 0,
      description: 'Events.',
      properties: { 'my.owner': 'me' },
      protocol: { minReaderVersion: 1, minWriterVersion: 2 },
    })
    expect(await snapshot.rowCount()).toBe(0)
    expect(await rowsOf(table, 'SELECT count(*)::INTEGER AS n FROM t')).toEqual([{ n: 0 }])
  })

  test('of many that create one at once exactly one does', async () => {
    const outcomes = await Promise.all(
      [1, 2, 3, 4].map(() => createDeltaTable(deps, 'lake/raced', { columns: EVENTS })),
    )
    expect(outcomes.filter(({ status }) => status === 'created')).toHaveLength(1)
    expect(outcomes.filter(({ status }) => status === 'exists')).toHaveLength(3)
  })

  test('refuses options that contradict each other, saying all that is wrong', async () => {
    const columns: Columns = [
      { name: 'a b', type: 'int32', nullable: true },
      { name: 'X', type: 'binary', nullable: true },
      { name: 'x', type: 'int32', nullable: true },
    ]
    await expect(
      createDeltaTable(deps, 'lake/bad', { columns, partitionBy: ['X', 'y'] }),
    ).rejects.toMatchObject({
      code: 'TABLE_MISMATCH',
      problems: [
        expect.stringContaining('"a b"'),
        expect.stringContaining('x is there twice'),
        expect.stringContaining('by X'),
        expect.stringContaining('by y'),
      ],
    })
    await expect(
      createDeltaTable(deps, 'lake/bad', {
        columns: EVENTS,
        properties: { 'delta.columnMapping.mode': 'id' },
      }),
    ).rejects.toMatchObject({
      code: 'TABLE_UNSUPPORTED',
      features: ['delta.columnMapping.mode = id'],
    })
  })

  test('refuses rows that do not fit, and writes nothing', async () => {
    const table = await newTable()
    const without = EVENTS.filter((column) => column.name !== 'score')
    const columns: Columns = [
      ...without.map((c) => (c.name === 'id' ? { ...c, type: 'int32' as const } : c)),
      { name: 'extra', type: 'string', nullable: true },
    ]
    const relation = { name: 'unused', columns, rowCount: 1 }
    await expect(table.prepareAppend(relation)).rejects.toMatchObject({
      code: 'TABLE_MISMATCH',
      problems: [
        'column id is int32 in the rows and int64 in the table',
        'the rows lack column score',
        'the table has no column extra',
      ],
    })
    const nulls = await engine.relation(
      `SELECT * REPLACE (NULL::BIGINT AS id) FROM (${eventsSql(0)})`,
      EVENTS,
    )
    await expect(table.prepareAppend(nulls)).rejects.toMatchObject({
      problems: ['column id holds nulls and may not'],
    })
    expect(await readdir(path.join(folder, table.location))).toEqual(['_delta_log'])
  })

  test('keeps old versions readable, by version and by time', async () => {
    const table = await newTable()
    for (const from of [0, 10, 20]) await append(table, from)
    const log = path.join(folder, table.location, '_delta_log')
    for (const [index, name] of (await readdir(log)).toSorted().entries())
      await utimes(path.join(log, name), 1000 + index, 1000 + index)
    const count = 'SELECT count(*)::INTEGER AS n FROM t'
    expect(await rowsOf(table, count, { version: 1 })).toEqual([{ n: 10 }])
    expect(await rowsOf(table, count, { atMs: 1_002_500 })).toEqual([{ n: 20 }])
    expect(await rowsOf(table, count, { atMs: 9_999_999 })).toEqual([{ n: 30 }])
    await expect(table.snapshot({ version: 9 })).rejects.toMatchObject({ code: 'SNAPSHOT_MISSING' })
    await expect(table.snapshot({ atMs: 5 })).rejects.toMatchObject({ code: 'SNAPSHOT_MISSING' })
  })

  test('a snapshot stays as it was while the table moves on', async () => {
    const table = await newTable()
    await append(table, 0)
    const before = await table.snapshot()
    await append(table, 10)
    const after = await table.snapshot()
    expect([before.fileCount, after.fileCount]).toEqual([1, 2])
    expect((await before.plan()).files).toHaveLength(1)
    expect(await before.rowCount()).toBe(10)
  })

  test('tells its history, newest first', async () => {
    const table = await newTable()
    await append(table, 0, { operationParameters: { hop: 'bronze' }, userMetadata: 'why' })
    const [write, create, ...rest] = await table.history()
    expect(rest).toEqual([])
    expect(write).toMatchObject({
      version: 1,
      operation: 'WRITE',
      operationParameters: { mode: 'Append', hop: 'bronze' },
      operationMetrics: { numFiles: '1', numOutputRows: '10' },
      isBlindAppend: true,
      userMetadata: 'why',
      addedFileCount: 1,
    })
    expect(create).toMatchObject({ version: 0, operation: 'CREATE TABLE' })
    expect(await table.history({ limit: 1 })).toHaveLength(1)
  })
})

describe('transactions of a Delta table', () => {
  test('are committed with the data, and fence a writer that has been overtaken', async () => {
    const table = await newTable()
    const other = await openDeltaTable(deps, table.location)
    const app = 'mekong/p/bronze/topic/0'
    const first = [{ appId: app, version: 10, expected: null }]
    expect(await append(table, 0, { transactions: first })).toMatchObject({ status: 'committed' })
    expect((await table.snapshot()).transaction(app)).toBe(10)
    // The other has not looked since, and believes nothing has been consumed.
    expect(await append(other, 0, { transactions: first })).toMatchObject({
      status: 'conflict',
      reason: 'transaction_moved',
      version: 1,
    })
    const second = [{ appId: app, version: 20, expected: 10 }]
    expect(await append(other, 10, { transactions: second })).toMatchObject({
      status: 'committed',
      version: 2,
    })
    expect(await append(table, 10, { transactions: second })).toMatchObject({ status: 'conflict' })
    expect(await rowsOf(table, 'SELECT count(*)::INTEGER AS n FROM t')).toEqual([{ n: 20 }])
  })

  test('may stand still, and may be all there is', async () => {
    const table = await newTable()
    const counters = (dead: number) => [
      { appId: 'a', version: 5 + dead },
      { appId: 'a/dead', version: dead },
    ]
    for (const dead of [0, 0, 1])
      expect(await table.commitAppend(undefined, { transactions: counters(dead) })).toMatchObject({
        status: 'committed',
      })
    const snapshot = await table.snapshot()
    expect(Object.fromEntries(snapshot.transactions())).toEqual({ a: 6, 'a/dead': 1 })
    expect([snapshot.version, snapshot.fileCount]).toEqual([3, 0])
  })

  test('without an expectation, two that move the same one do not both win', async () => {
    const table = await newTable()
    const others = await Promise.all([1, 2, 3].map(() => openDeltaTable(deps, table.location)))
    const outcomes = await Promise.all(
      others.map((other) =>
        other.commitAppend(undefined, { transactions: [{ appId: 'same', version: 1 }] }),
      ),
    )
    expect(outcomes.filter(({ status }) => status === 'committed')).toHaveLength(1)
    expect(outcomes.filter(({ status }) => status === 'conflict')).toHaveLength(2)
  })
})

describe('writers of one Delta table', () => {
  test('append at once without losing or doubling a row', async () => {
    const table = await newTable()
    const writers = await Promise.all([0, 1, 2].map(() => openDeltaTable(deps, table.location)))
    await Promise.all(
      writers.map(async (writer, index) => {
        for (let round = 0; round < 5; round += 1)
          expect(await append(writer, index * 1000 + round * 10)).toMatchObject({
            status: 'committed',
          })
      }),
    )
    expect((await table.snapshot()).version).toBe(15)
    const [row] = await rowsOf(
      table,
      'SELECT count(*)::INTEGER AS n, count(DISTINCT id)::INTEGER AS d FROM t',
    )
    expect(row).toEqual({ n: 150, d: 150 })
  })

  test('stop when somebody changed the schema meanwhile', async () => {
    const table = await newTable()
    const prepared = await table.prepareAppend(await engine.relation(eventsSql(0), EVENTS))
    const metaData = {
      id: 'x',
      format: { provider: 'parquet', options: {} },
      schemaString: '{"type":"struct","fields":[]}',
      partitionColumns: [],
      configuration: {},
    }
    const log = path.join(folder, table.location, '_delta_log')
    await writeFile(path.join(log, '00000000000000000001.json'), JSON.stringify({ metaData }))
    expect(await table.commitAppend(prepared)).toMatchObject({
      status: 'conflict',
      reason: 'metadata_changed',
    })
    await table.snapshot()
    expect(await table.commitAppend(prepared)).toMatchObject({ reason: 'metadata_changed' })
  })

  test('the same prepared append committed twice leaves its rows once', async () => {
    const table = await newTable()
    const prepared = await table.prepareAppend(await engine.relation(eventsSql(0), EVENTS))
    await table.commitAppend(prepared)
    await table.commitAppend(prepared)
    expect(await rowsOf(table, 'SELECT count(*)::INTEGER AS n FROM t')).toEqual([{ n: 10 }])
  })
})

describe('checkpoints of a Delta table', () => {
  test('are written when due, and readers need nothing before them', async () => {
    const table = await newTable({
      partitionBy: ['event_date'],
      properties: { 'delta.checkpointInterval': '4' },
    })
    const outcomes = []
    for (let index = 0; index < 9; index += 1)
      outcomes.push(
        await append(table, index * 10, { transactions: [{ appId: 'app', version: index }] }),
      )
    expect(outcomes.map((o) => 'checkpoint' in o && o.checkpoint)).toEqual([
      'not_due',
      'not_due',
      'not_due',
      'written',
      'not_due',
      'not_due',
      'not_due',
      'written',
      'not_due',
    ])
    const log = path.join(folder, table.location, '_delta_log')
    for (const name of await readdir(log))
      if (/^0+[0-7]\./.test(name)) await rm(path.join(log, name))
    const reader = await openDeltaTable(deps, table.location)
    const snapshot = await reader.snapshot()
    expect([snapshot.version, snapshot.fileCount, snapshot.transaction('app')]).toEqual([9, 27, 8])
    expect(await snapshot.rowCount()).toBe(90)
    expect(snapshot.columns).toEqual(EVENTS)
    const day = { type: 'date', value: 19_723n } as const
    const plan = await snapshot.plan({
      predicate: and(
        compare(['event_date'], '=', day),
        compare(['id'], '<', { type: 'int64', value: 15n }),
      ),
    })
    expect(plan.files).toHaveLength(2)
    expect((await engine.rows(scanSql(plan))).map((row) => row.id)).toHaveLength(6)
  })

  test('do not depend on the hint', async () => {
    const table = await newTable({ properties: { 'delta.checkpointInterval': '2' } })
    for (const from of [0, 10, 20]) await append(table, from)
    const hint = path.join(folder, table.location, '_delta_log/_last_checkpoint')
    for (const text of ['', '{"version":1', '{"version":77}', '{"version":1}', 'null', '[]']) {
      await writeFile(hint, text)
      const snapshot = await (await openDeltaTable(deps, table.location)).snapshot()
      expect([snapshot.version, snapshot.fileCount]).toEqual([3, 3])
    }
  })
})

describe('scan plans', () => {
  test('leave out files that cannot match, and never a row that does', async () => {
    const table = await newTable({ partitionBy: ['event_date'] })
    for (let index = 0; index < 6; index += 1) await append(table, index * 10)
    for (const isFromCheckpoint of [false, true]) {
      if (isFromCheckpoint) await table.checkpoint()
      const snapshot = await (await openDeltaTable(deps, table.location)).snapshot()
      const int = (value: number) => ({ type: 'int64', value: BigInt(value) }) as const
      const text = (value: string) => ({ type: 'string', value }) as const
      const date = (value: number) => ({ type: 'date', value: BigInt(value) }) as const
      const decimal = { kind: 'decimal', precision: 30, scale: 10 } as const
      const cases = [
        { predicate: compare(['id'], '>=', int(55)), sql: 'id >= 55', filesMax: 3 },
        { predicate: compare(['id'], '=', int(12)), sql: 'id = 12', filesMax: 3 },
        { predicate: not(compare(['id'], '<', int(30))), sql: 'NOT id < 30', filesMax: 9 },
        {
          predicate: isIn(['id'], [int(1), int(41)]),
          sql: 'id IN (1, 41)',
          filesMax: 6,
        },
        {
          predicate: compare(['event_date'], '>', date(19_723)),
          sql: `event_date > DATE '2024-01-01'`,
          filesMax: 12,
        },
        {
          predicate: or(compare(['event_date'], '=', date(1)), compare(['id'], '<', int(5))),
          sql: `event_date = DATE '1970-01-02' OR id < 5`,
          filesMax: 3,
        },
        {
          predicate: compare(['where', 'zip'], '>', { type: 'int32', value: 7n }),
          sql: 'where.zip > 7',
          filesMax: 12,
        },
        {
          predicate: compare(['name'], '>', text('event 8')),
          sql: `name > 'event 8'`,
          filesMax: 18,
        },
        { predicate: compare(['name'], '>', text('eventz')), sql: `name > 'eventz'`, filesMax: 0 },
        { predicate: isNull('name'), sql: 'name IS NULL', filesMax: 18 },
        { predicate: isNull('id'), sql: 'id IS NULL', filesMax: 0 },
        {
          predicate: compare(['at'], '>=', {
            type: 'timestamp',
            value: 1_704_067_200_123_456n + 59n * 1_000_001n,
          }),
          sql: 't.at >= make_timestamptz(1704067200123456 + 59 * 1000001)',
          filesMax: 1,
        },
        {
          predicate: compare(['price'], '=', { type: decimal, value: 590_000_000_001n }),
          sql: `price = '59.0000000001'::DECIMAL(30, 10)`,
          filesMax: 3,
        },
        {
          predicate: compare(['score'], '>', { type: 'float64', value: 1e9 }),
          sql: 'score > 1e9',
          filesMax: 18,
        },
      ]
      const all = scanSql(await snapshot.plan())
      for (const { predicate, sql, filesMax } of cases) {
        const plan = await snapshot.plan({ predicate, columns: ['id', 'tags'] })
        expect(plan.files.length, sql).toBeLessThanOrEqual(filesMax)
        const ours = `(${scanSql(plan)})`
        const wanted = `(SELECT id, tags FROM (${all}) AS t WHERE ${sql.replaceAll('where.', 't.where.')})`
        expect(await engine.rows(`${wanted} EXCEPT ALL ${ours}`), sql).toEqual([])
        expect(await engine.rows(`${ours} EXCEPT ALL ${wanted}`), sql).toEqual([])
      }
    }
  })

  test('made one after another choose among the files of their own version', async () => {
    const table = await newTable()
    const other = await openDeltaTable(deps, table.location)
    const found = async (...ids: readonly number[]) => {
      const snapshot = await table.snapshot()
      for (const id of ids) {
        const predicate = compare(['id'], '=', { type: 'int64', value: BigInt(id) })
        const plan = await snapshot.plan({ predicate, columns: ['id'] })
        expect(plan.files, `id ${id} at ${snapshot.version}`).toHaveLength(1)
        const rows = await engine.rows(scanSql(plan))
        expect(rows.map((row) => Number(row.id))).toEqual([id])
      }
    }
    await append(table, 0)
    await found(3)
    await append(other, 10)
    await found(3, 12)
    // Of another writer, after a checkpoint, and with files that take the place of those whose bounds were read.
    await other.checkpoint()
    await append(other, 20)
    await found(12, 3, 25)
    await other.optimize()
    await found(25, 3)
    await append(table, 30)
    await found(3, 31)
  })

  test('drop what choosing files has settled', async () => {
    const table = await newTable({ partitionBy: ['event_date'] })
    await append(table, 0)
    const snapshot = await table.snapshot()
    const day = compare(['event_date'], '=', { type: 'date', value: 19_723n })
    expect((await snapshot.plan({ predicate: day })).residual).toBeUndefined()
    const narrow = compare(['id'], '>', { type: 'int64', value: 3n })
    const plan = await snapshot.plan({ predicate: and(day, narrow), columns: ['name'] })
    expect(plan.residual).toEqual({ kind: 'and', of: [narrow] })
    expect(plan.residualColumns.map((column) => column.name)).toEqual(['id'])
    expect(await engine.rows(`DESCRIBE ${scanSql(plan)}`)).toHaveLength(1)
  })

  test('count rows and read partition columns alone', async () => {
    const table = await newTable({ partitionBy: ['event_date'] })
    await append(table, 0)
    const snapshot = await table.snapshot()
    const none = scanSql(await snapshot.plan({ columns: [] }))
    expect(await engine.rows(`SELECT count(*)::INTEGER AS n FROM (${none})`)).toEqual([{ n: 10 }])
    const days = scanSql(await snapshot.plan({ columns: ['event_date'] }))
    expect(
      await engine.rows(
        `SELECT event_date::VARCHAR AS d, count(*)::INTEGER AS n FROM (${days}) GROUP BY ALL ORDER BY d`,
      ),
    ).toEqual([
      { d: '2024-01-01', n: 4 },
      { d: '2024-01-02', n: 3 },
      { d: '2024-01-03', n: 3 },
    ])
  })

  test('refuse unknown columns and values of another type', async () => {
    const snapshot = await (await newTable()).snapshot()
    await expect(snapshot.plan({ columns: ['ID'] })).rejects.toMatchObject({
      code: 'TABLE_MISMATCH',
      message: expect.stringContaining('it has id, event_date'),
    })
    const wrong = compare(['name'], '=', { type: 'int64', value: 1n })
    await expect(snapshot.plan({ predicate: wrong })).rejects.toMatchObject({
      problems: ['name is a string, not an integer'],
    })
  })

  test('partition values of every type come back, odd characters included', async () => {
    const columns: Columns = [
      { name: 'n', type: 'int32', nullable: true },
      { name: 't', type: 'string', nullable: true },
      { name: 'at', type: 'timestamp', nullable: true },
      { name: 'wall', type: 'timestamp_ntz', nullable: true },
      { name: 'b', type: 'boolean', nullable: true },
      { name: 'd', type: { kind: 'decimal', precision: 9, scale: 3 }, nullable: true },
      { name: 'f', type: 'float64', nullable: true },
    ]
    const table = await newTable({ columns, partitionBy: ['t', 'at', 'wall', 'b', 'd', 'f'] })
    const texts = ['a/b', 'a b', "it's", '%20', '*?[x]', 'ü=&#', '"q"', '\\', '.', 'NULL']
    const sql = `SELECT i::INTEGER AS n, t, make_timestamptz(-1 + i) AS at, make_timestamp(1000001 * i) AS wall,
      i % 2 = 0 AS b, (i / 8)::DECIMAL(9, 3) AS d, i / 3 AS f FROM (VALUES ${texts
        .map((value, index) => `(${index}, '${value.replaceAll("'", "''")}')`)
        .join(', ')}, (99, NULL)) AS v(i, t)`
    const prepared = await table.prepareAppend(await engine.relation(sql, columns))
    expect(await table.commitAppend(prepared)).toMatchObject({ status: 'committed' })
    const snapshot = await (await openDeltaTable(deps, table.location)).snapshot()
    expect(snapshot.protocol.readerFeatures).toEqual(['timestampNtz'])
    const ours = `(${scanSql(await snapshot.plan())})`
    expect(await engine.rows(`(${sql}) EXCEPT ALL ${ours}`)).toEqual([])
    expect(await engine.rows(`${ours} EXCEPT ALL (${sql})`)).toEqual([])
    for (const text of texts) {
      const plan = await snapshot.plan({
        predicate: compare(['t'], '=', { type: 'string', value: text }),
      })
      expect(plan.files, text).toHaveLength(1)
    }
  })
})
