import { mkdtemp, rm } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { TableMismatchError, TableMissingError } from '../../../src/lake/errors.ts'
import { type CreateOptions, createIcebergTable } from '../../../src/lake/iceberg/create.ts'
import type { IcebergDeps } from '../../../src/lake/iceberg/deps.ts'
import { type IcebergTable, openIcebergTable } from '../../../src/lake/iceberg/table.ts'
import { systemClock, systemRandomness } from '../../../src/model/clock.ts'
import type { Columns } from '../../../src/model/column.ts'
import { and, compare, isIn, type Predicate, type Value } from '../../../src/model/predicate.ts'
import { openLocalStore } from '../../../src/storage/local.ts'
import { type Bench, openBench } from './engine.ts'

const EVENTS: Columns = [
  { name: 'id', type: 'int64', nullable: false },
  { name: 'kind', type: 'string', nullable: true },
  { name: 'at', type: 'timestamp', nullable: true },
]
const EVENT_ROWS = (from: number, to: number) =>
  `SELECT i AS id, ['view', 'buy', NULL][i % 3 + 1] AS kind,
     TIMESTAMPTZ '2024-01-01 00:00:00+00' + INTERVAL (i) HOUR AS at FROM range(${from}, ${to}) t(i)`

const int = (value: number): Value => ({ type: 'int64', value: BigInt(value) })
const text = (value: string): Value => ({ type: 'string', value })
const instant = (iso: string): Value => ({
  type: 'timestamp',
  value: BigInt(Date.parse(iso)) * 1000n,
})

describe('Iceberg tables', () => {
  let bench: Bench
  let deps: IcebergDeps
  let tableCount = 0
  beforeAll(async () => {
    bench = await openBench()
    const store = await openLocalStore({ folder: path.join(bench.folder, 'lake house') })
    deps = { store, ports: bench.ports, clock: systemClock, randomness: systemRandomness }
  })
  afterAll(() => bench[Symbol.asyncDispose]())

  async function create(options: CreateOptions): Promise<IcebergTable> {
    const name = `bronze/t${++tableCount}`
    expect(await createIcebergTable(deps, name, options)).toEqual({ status: 'created' })
    return openIcebergTable(deps, name)
  }
  async function append(table: IcebergTable, sql: string, columns: Columns) {
    const prepared = await table.prepareAppend(await bench.relation(sql, columns))
    expect(await table.commitAppend(prepared)).toMatchObject({ status: 'committed' })
    return prepared
  }
  const rowsOf = async (table: IcebergTable, predicate?: Predicate) => {
    const plan = await (await table.snapshot()).plan(predicate === undefined ? {} : { predicate })
    return bench.scan(plan, (query) => `SELECT * FROM (${query}) ORDER BY ALL`)
  }
  const idsOf = async (table: IcebergTable, predicate?: Predicate) =>
    (await rowsOf(table, predicate)).map((row) => Number(row.id))

  test('are made once, and missed when they are not there', async () => {
    const table = await create({ columns: EVENTS })
    expect(await createIcebergTable(deps, table.name, { columns: EVENTS })).toEqual({
      status: 'exists',
    })
    await expect(openIcebergTable(deps, 'bronze/nothing')).rejects.toThrow(TableMissingError)
    const snapshot = await table.snapshot()
    expect(snapshot.snapshotId).toBeUndefined()
    expect(snapshot.columns).toEqual(EVENTS)
    expect(await rowsOf(table)).toEqual([])
  })

  test('give back every type as it was put in', async () => {
    const columns: Columns = [
      { name: 'b', type: 'boolean', nullable: true },
      { name: 'i8', type: 'int8', nullable: true },
      { name: 'i16', type: 'int16', nullable: true },
      { name: 'i32', type: 'int32', nullable: true },
      { name: 'i64', type: 'int64', nullable: true },
      { name: 'f32', type: 'float32', nullable: true },
      { name: 'f64', type: 'float64', nullable: true },
      { name: 's', type: 'string', nullable: true },
      { name: 'bin', type: 'binary', nullable: true },
      { name: 'd', type: 'date', nullable: true },
      { name: 'ts', type: 'timestamp', nullable: true },
      { name: 'ntz', type: 'timestamp_ntz', nullable: true },
      { name: 'dec', type: { kind: 'decimal', precision: 30, scale: 4 }, nullable: true },
      {
        name: 'nested',
        nullable: true,
        type: {
          kind: 'struct',
          columns: [
            { name: 'x', type: 'int32', nullable: true },
            {
              name: 'list',
              nullable: true,
              type: { kind: 'list', element: 'string', elementNullable: true },
            },
            {
              name: 'map',
              nullable: true,
              type: {
                kind: 'map',
                key: 'string',
                valueNullable: true,
                value: {
                  kind: 'struct',
                  columns: [{ name: 'deep', type: 'int64', nullable: true }],
                },
              },
            },
          ],
        },
      },
    ]
    const sql = `SELECT true AS b, 1::TINYINT AS i8, -2::SMALLINT AS i16, 3 AS i32, 9007199254740993 AS i64,
        1.5::FLOAT AS f32, 'nan'::DOUBLE AS f64, 'é😀' AS s, unhex('00ff') AS bin, DATE '1969-12-31' AS d,
        TIMESTAMPTZ '2024-02-29 23:59:59.999999+00' AS ts, TIMESTAMP '0001-01-01 00:00:00' AS ntz,
        12345678901234567890123456.7890::DECIMAL(30, 4) AS dec,
        {x: 1, list: ['a', NULL], map: MAP {'k': {deep: 7::BIGINT}}} AS nested
      UNION ALL SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL`
    const table = await create({ columns })
    await append(table, sql, columns)
    const stored = (type: Columns[number]['type']) =>
      type === 'int8' || type === 'int16' ? 'int32' : type
    expect((await table.snapshot()).columns).toEqual(
      columns.map((column) => ({ ...column, type: stored(column.type) })),
    )
    expect(await rowsOf(table)).toEqual(await bench.rows(`SELECT * FROM (${sql}) ORDER BY ALL`))
  })

  test('leave files out by partition and by bounds, and only those', async () => {
    const table = await create({
      columns: EVENTS,
      partitionBy: [
        { column: 'at', transform: 'day' },
        { column: 'id', transform: 'bucket[4]' },
        { column: 'kind' },
        { column: 'kind', transform: 'truncate[2]' },
      ],
    })
    await append(table, EVENT_ROWS(0, 100), EVENTS)
    await append(table, EVENT_ROWS(100, 200), EVENTS)
    const snapshot = await table.snapshot()
    const all = await snapshot.plan()
    expect(all.rowCount).toBe(200)
    const predicates: readonly [Predicate, string][] = [
      [compare(['id'], '=', int(17)), 'id = 17'],
      [isIn(['id'], [int(17), int(150)]), 'id IN (17, 150)'],
      [compare(['at'], '<', instant('2024-01-02T05:00:00Z')), '"at" < \'2024-01-02 05:00:00+00\''],
      [
        and(
          compare(['kind'], '=', text('buy')),
          compare(['at'], '>=', instant('2024-01-05T00:00:00Z')),
        ),
        "kind = 'buy' AND \"at\" >= '2024-01-05 00:00:00+00'",
      ],
      [{ kind: 'is_null', column: ['kind'] }, 'kind IS NULL'],
      [{ kind: 'not', of: compare(['id'], '=', int(3)) }, 'NOT id = 3'],
    ]
    for (const [predicate, sql] of predicates) {
      const plan = await snapshot.plan({ predicate })
      const expected = await bench.rows(
        `SELECT id::VARCHAR AS id FROM (${EVENT_ROWS(0, 200)}) WHERE ${sql} ORDER BY id::BIGINT`,
      )
      expect(await idsOf(table, predicate), sql).toEqual(expected.map((row) => Number(row.id)))
      if (!sql.startsWith('NOT')) expect(plan.files.length, sql).toBeLessThan(all.files.length)
    }
    const oneDay = and(
      compare(['at'], '>=', instant('2024-01-03T00:00:00Z')),
      compare(['at'], '<', instant('2024-01-04T00:00:00Z')),
    )
    const settled = await snapshot.plan({ predicate: oneDay })
    expect(settled.residual).toBeUndefined()
    expect(settled.rowCount).toBe(24)
  })

  test('record applications’ progress with the data, and refuse it twice', async () => {
    const table = await create({ columns: EVENTS })
    const first = await table.prepareAppend(await bench.relation(EVENT_ROWS(0, 3), EVENTS))
    const once = { transactions: [{ appId: 'events/0', version: 3, expected: null }] }
    expect(await table.commitAppend(first, once)).toMatchObject({ status: 'committed' })
    // The same commit again recognises itself; the same rows prepared again are turned away.
    expect(await table.commitAppend(first, once)).toMatchObject({ status: 'committed' })
    const again = await table.prepareAppend(await bench.relation(EVENT_ROWS(0, 3), EVENTS))
    expect(await table.commitAppend(again, once)).toMatchObject({
      status: 'conflict',
      reason: 'transaction_moved',
    })
    expect(await idsOf(table)).toEqual([0, 1, 2])
    const other = { transactions: [{ appId: 'other', version: 1 }] }
    expect(await table.commitAppend(undefined, other)).toMatchObject({ status: 'committed' })
    const snapshot = await table.snapshot()
    expect([...snapshot.transactions()]).toEqual([
      ['events/0', 3],
      ['other', 1],
    ])
    expect(await table.history()).toMatchObject([
      { operation: 'append', summary: { 'total-records': '3' } },
      { operation: 'append', summary: { 'added-records': '3' } },
    ])
    const past = await table.snapshot({ snapshotId: first.snapshotId })
    expect(past.transaction('other')).toBeUndefined()
  })

  test('judge expectations by the newest state, not by the last one seen', async () => {
    const table = await create({ columns: EVENTS })
    const other = await openIcebergTable(deps, table.name)
    const step = (version: number) => ({
      transactions: [{ appId: 'a', version, expected: version === 1 ? null : version - 1 }],
    })
    expect(await table.commitAppend(undefined, step(1))).toMatchObject({ status: 'committed' })
    expect(await other.commitAppend(undefined, step(2))).toMatchObject({ status: 'committed' })
    expect(await table.commitAppend(undefined, step(3))).toMatchObject({ status: 'committed' })
    expect(await other.commitAppend(undefined, step(2))).toMatchObject({
      status: 'conflict',
      reason: 'transaction_moved',
    })
  })

  test('never move twice from where two writers of one application began', async () => {
    const table = await create({ columns: EVENTS })
    const other = await openIcebergTable(deps, table.name)
    const step = (version: number) => ({ transactions: [{ appId: 'a', version }] })
    expect(await table.commitAppend(undefined, step(1))).toMatchObject({ status: 'committed' })
    expect(await other.commitAppend(undefined, step(1))).toMatchObject({
      status: 'conflict',
      reason: 'transaction_moved',
    })
    expect(await other.commitAppend(undefined, step(2))).toMatchObject({ status: 'committed' })
  })

  test('put rows in the place of others: all, a partition, some files', async () => {
    const table = await create({
      columns: EVENTS,
      partitionBy: [{ column: 'at', transform: 'day' }],
    })
    await append(table, EVENT_ROWS(0, 72), EVENTS)
    const secondDay = and(
      compare(['at'], '>=', instant('2024-01-02T00:00:00Z')),
      compare(['at'], '<', instant('2024-01-03T00:00:00Z')),
    )
    const replacement = await table.prepareAppend(await bench.relation(EVENT_ROWS(30, 32), EVENTS))
    expect(await table.commitReplace(replacement, { where: secondDay })).toMatchObject({
      status: 'committed',
    })
    const expected = [
      ...Array(24).keys(),
      30,
      31,
      ...Array(24)
        .keys()
        .map((hour) => 48 + hour),
    ]
    expect(await idsOf(table)).toEqual(expected)
    expect((await table.history())[0]).toMatchObject({
      operation: 'overwrite',
      summary: { 'deleted-records': '24', 'added-records': '2', 'total-records': '50' },
    })
    await expect(
      table.commitReplace(undefined, { where: compare(['id'], '<', int(5)) }),
    ).rejects.toThrow(TableMismatchError)
    const paths = new Set<string>()
    for await (const file of (await table.snapshot()).files())
      if (file.partition[0] === 19723n) paths.add(file.path)
    expect(await table.commitReplace(undefined, { paths })).toMatchObject({ status: 'committed' })
    expect(await idsOf(table)).toEqual(expected.slice(24))
    expect(await table.commitReplace(undefined, { paths })).toMatchObject({
      status: 'conflict',
      reason: 'removed_files_changed',
    })
    const whole = await table.prepareAppend(await bench.relation(EVENT_ROWS(7, 8), EVENTS))
    expect(await table.commitReplace(whole, 'everything')).toMatchObject({ status: 'committed' })
    expect(await idsOf(table)).toEqual([7])
    const before = await table.snapshot({ snapshotId: (await table.history())[1]!.snapshotId })
    expect((await before.plan()).rowCount).toBe(26)
  })

  test('change their columns, at every depth, without touching a file', async () => {
    const columns: Columns = [
      { name: 'a', type: 'int32', nullable: false },
      {
        name: 's',
        nullable: true,
        type: {
          kind: 'struct',
          columns: [
            { name: 'x', type: 'int32', nullable: true },
            { name: 'y', type: 'string', nullable: true },
          ],
        },
      },
      {
        name: 'items',
        nullable: true,
        type: {
          kind: 'list',
          elementNullable: true,
          element: { kind: 'struct', columns: [{ name: 'q', type: 'int32', nullable: true }] },
        },
      },
    ]
    const table = await create({ columns })
    await append(table, `SELECT 1 AS a, {x: 10, y: 'old'} AS s, [{q: 5}] AS items`, columns)
    expect(
      await table.changeColumns([
        { kind: 'rename', path: ['a'], name: 'b' },
        { kind: 'widen', path: ['b'], type: 'int64' },
        { kind: 'rename', path: ['s', 'x'], name: 'y2' },
        { kind: 'drop', path: ['s', 'y'] },
        { kind: 'add', in: ['s'], column: { name: 'y', type: 'float64', nullable: true } },
        { kind: 'move', path: ['s', 'y'], after: null },
        { kind: 'rename', path: ['items', 'element', 'q'], name: 'r' },
        { kind: 'add', column: { name: 'a', type: 'string', nullable: true } },
        { kind: 'move', path: ['a'], after: null },
      ]),
    ).toEqual({ status: 'committed' })
    const evolved: Columns = [
      { name: 'a', type: 'string', nullable: true },
      { name: 'b', type: 'int64', nullable: false },
      {
        name: 's',
        nullable: true,
        type: {
          kind: 'struct',
          columns: [
            { name: 'y', type: 'float64', nullable: true },
            { name: 'y2', type: 'int32', nullable: true },
          ],
        },
      },
      {
        name: 'items',
        nullable: true,
        type: {
          kind: 'list',
          elementNullable: true,
          element: { kind: 'struct', columns: [{ name: 'r', type: 'int32', nullable: true }] },
        },
      },
    ]
    expect((await table.snapshot()).columns).toEqual(evolved)
    await append(
      table,
      `SELECT 'new' AS a, 2::BIGINT AS b, {y: 1.5::DOUBLE, y2: 20} AS s, [{r: 6}, NULL] AS items`,
      evolved,
    )
    const rows = [
      { a: 'new', b: '2', s: { y: 1.5, y2: 20 }, items: [{ r: 6 }, null] },
      { a: null, b: '1', s: { y: null, y2: 10 }, items: [{ r: 5 }] },
    ]
    expect(await rowsOf(table)).toEqual(rows)
    expect(await rowsOf(table, compare(['b'], '=', int(1)))).toEqual([rows[1]])
    const byOld = compare(['s', 'y2'], '=', { type: 'int32', value: 10n })
    expect(await rowsOf(table, byOld)).toEqual([rows[1]])
    const then = await table.snapshot({ snapshotId: (await table.history())[1]!.snapshotId })
    expect(then.columns).toEqual(columns)
    expect(await bench.scan(await then.plan())).toEqual([
      { a: 1, s: { x: 10, y: 'old' }, items: [{ q: 5 }] },
    ])
    await expect(
      table.changeColumns([
        { kind: 'widen', path: ['b'], type: 'int32' },
        { kind: 'add', column: { name: 'B', type: 'int64', nullable: true } },
        { kind: 'drop', path: ['nowhere'] },
      ]),
    ).rejects.toMatchObject({
      problems: [/cannot become int32/, /is there already/, /is not there/],
    })
  })

  test('change how they are split, for the rows to come', async () => {
    const table = await create({ columns: EVENTS, partitionBy: [{ column: 'kind' }] })
    await append(table, EVENT_ROWS(0, 24), EVENTS)
    const stale = await table.prepareAppend(await bench.relation(EVENT_ROWS(0, 1), EVENTS))
    expect(
      await table.changePartitioning([{ column: 'at', transform: 'month' }, { column: 'kind' }]),
    ).toEqual({ status: 'committed' })
    expect(await table.commitAppend(stale)).toMatchObject({ reason: 'metadata_changed' })
    await append(table, EVENT_ROWS(1000, 1024), EVENTS)
    const { metadata } = await table.snapshot()
    // The field that stays keeps its id; ids are never given twice.
    expect(
      metadata['partition-specs'].map((spec) => spec.fields.map((f) => f['field-id'])),
    ).toEqual([[1000], [1001, 1000]])
    const buys = await (await table.snapshot()).plan({
      predicate: compare(['kind'], '=', text('buy')),
    })
    expect(buys.files).toHaveLength(2)
    expect(buys.residual).toBeUndefined()
    const early = compare(['at'], '<', instant('2024-02-01T00:00:00Z'))
    expect((await idsOf(table, early)).length).toBe(24)
    expect(await table.changePartitioning([{ column: 'kind' }])).toEqual({ status: 'committed' })
    expect((await table.snapshot()).metadata['default-spec-id']).toBe(0)
    await expect(table.changeColumns([{ kind: 'drop', path: ['kind'] }])).rejects.toThrow(
      TableMismatchError,
    )
  })

  test('refuse rows that do not fit, and write nothing', async () => {
    const table = await create({ columns: EVENTS })
    const wrong = await bench.relation(`SELECT 'x' AS id, 1 AS more`, [
      { name: 'id', type: 'string', nullable: true },
      { name: 'more', type: 'int32', nullable: true },
    ])
    await expect(table.prepareAppend(wrong)).rejects.toMatchObject({ code: 'TABLE_MISMATCH' })
    const nulls = await bench.relation(
      `SELECT * REPLACE (NULL::BIGINT AS id) FROM (${EVENT_ROWS(0, 1)})`,
      EVENTS,
    )
    await expect(table.prepareAppend(nulls)).rejects.toMatchObject({
      problems: ['column id holds nulls and may not'],
    })
  })

  test('writers that collide all get in, and none twice', async () => {
    const name = `bronze/t${++tableCount}`
    await createIcebergTable(deps, name, { columns: EVENTS })
    const writers = await Promise.all([1, 2, 3, 4].map(() => openIcebergTable(deps, name)))
    await Promise.all(
      writers.map(async (table, writer) => {
        for (let round = 0; round < 5; round += 1) {
          const id = writer * 100 + round
          await append(table, EVENT_ROWS(id, id + 1), EVENTS)
        }
      }),
    )
    const ids = writers.flatMap((_, writer) => [0, 1, 2, 3, 4].map((round) => writer * 100 + round))
    expect(await idsOf(writers[0]!)).toEqual(ids)
    const { metadata } = await writers[0]!.snapshot()
    const numbers = metadata.snapshots.map((snapshot) => snapshot['sequence-number'])
    expect(numbers).toEqual(Array.from({ length: 20 }, (_, index) => index + 1))
  })

  test('a table that was moved is read, and written, where it is now', async () => {
    const table = await create({ columns: EVENTS })
    await append(table, EVENT_ROWS(0, 3), EVENTS)
    const moved = await mkdtemp(path.join(bench.folder, 'moved-'))
    await rm(moved, { recursive: true })
    const { cp } = await import('node:fs/promises')
    await cp(deps.store.locate(table.location), path.join(moved, 'here'), { recursive: true })
    const store = await openLocalStore({ folder: moved })
    const again = await openIcebergTable({ ...deps, store }, 'here')
    await append(again, EVENT_ROWS(3, 5), EVENTS)
    expect(await idsOf(again)).toEqual([0, 1, 2, 3, 4])
    expect(await idsOf(table)).toEqual([0, 1, 2])
    const plan = await (await again.snapshot()).plan()
    expect(plan.files.every((file) => file.location.startsWith(moved))).toBe(true)
  })
})
