import { describe, expect, test } from 'vitest'
import type { SchemaChange } from '../../src/lake/iceberg/evolve-schema.ts'
import type { IcebergTable } from '../../src/lake/iceberg/table.ts'
import { int32, int64, record, text } from '../../src/model/schema.ts'
import { merge, partitions, snapshot } from '../../src/pipeline/materialization.ts'
import type { PipelineBuilder } from '../../src/pipeline/pipeline.ts'
import { openModelHome } from './model-home.ts'

// Models on Delta tables with a real engine: what is new is read by version, and whatever way the rows came, the table is what the
// SQL over everything says.

const values = (rows: string, columns: string) => `SELECT * FROM (VALUES ${rows}) AS t(${columns})`

describe.each(['delta', 'iceberg'] as const)('models on %s tables', (format) => {
  test('a table is made from what it reads, and made anew when that has changed', async () => {
    await using home = await openModelHome(format)
    const define = (p: PipelineBuilder) => {
      p.model('silver.doubled', 'SELECT id, v * 2 AS v FROM bronze.numbers -- two times')
      p.model('gold.total', 'SELECT sum(v) AS total FROM silver.seen', { tags: ['hourly'] })
      p.model('silver.seen', 'SELECT * FROM silver.doubled WHERE v > 2', { materialize: 'view' })
    }
    expect((await home.run(define))['silver.doubled']).toMatchObject({
      status: 'nothing_new',
      facts: { waiting_for: 'bronze.numbers' },
    })
    await home.add('bronze.numbers', values('(1, 1), (2, 2)', 'id, v'))
    const tasks = await home.tasks(define)
    expect(tasks.map(({ id, after }) => [id, after])).toEqual([
      ['silver.doubled', ['bronze.numbers']],
      ['silver.seen', ['silver.doubled']],
      ['gold.total', ['silver.seen']],
    ])
    const first = await home.run(define)
    expect(first['silver.doubled']!.facts).toMatchObject({
      ...{ build: 'whole', why: 'first_run', rows_made: 2, rows_added: 2, files_written: 1 },
      'bronze.numbers.to_version': 1,
    })
    expect(await home.rows('gold.total')).toEqual([[4]])
    expect((await home.run(define))['gold.total']!.status).toBe('nothing_new')
    await home.add('bronze.numbers', values('(3, 3)', 'id, v'))
    expect((await home.run(define))['gold.total']!.facts).toMatchObject({ why: 'source_changed' })
    expect(await home.rows('gold.total')).toEqual([[10]])
  })

  test('append takes each committed row once, and refuses rows that went', async () => {
    await using home = await openModelHome(format)
    const define = (p: PipelineBuilder) =>
      p.model('silver.even', 'SELECT id, v FROM incoming WHERE v % 2 = 0', {
        ...{ materialize: 'append', incoming: 'bronze.numbers' },
      })
    await home.add('bronze.numbers', 'SELECT range AS id, range AS v FROM range(10)')
    await home.run(define)
    await home.add('bronze.numbers', 'SELECT range AS id, range AS v FROM range(10, 14)')
    const source = await home.add(
      'bronze.numbers',
      'SELECT range AS id, range AS v FROM range(14, 20)',
    )
    const report = (await home.run(define))['silver.even']!
    expect(report.facts).toMatchObject({
      ...{ build: 'increment', rows_in: 10, rows_made: 5, rows_added: 5, files_read: 2 },
      ...{ 'bronze.numbers.from_version': 1, 'bronze.numbers.to_version': 3 },
    })
    expect(await home.rows('silver.even', 'SELECT count(*), sum(v) FROM rows')).toEqual([[10, 90]])
    // Moving rows from file to file is no change of theirs.
    if (format === 'delta') {
      await (await home.table('bronze.numbers')).optimize()
      expect((await home.run(define))['silver.even']!.facts).toMatchObject({ rows_in: 0 })
    }
    expect(await home.rows('silver.even', 'SELECT count(*), sum(v) FROM rows')).toEqual([[10, 90]])
    await source.delete({
      where: { kind: 'compare', column: ['id'], op: '<', value: { type: 'int64', value: 3n } },
    })
    await expect(home.run(define)).rejects.toMatchObject({ code: 'MODEL_SOURCE_CHANGED' })
    await home.run(define, { fullRefresh: true })
    expect(await home.rows('silver.even', 'SELECT count(*), sum(v) FROM rows')).toEqual([[8, 88]])
  })

  test('merge puts rows in by key: the newest wins, or the first stays', async () => {
    await using home = await openModelHome(format)
    const sql =
      'SELECT id, v FROM incoming QUALIFY row_number() OVER (PARTITION BY id ORDER BY v DESC) = 1'
    const define = (p: PipelineBuilder) => {
      const incoming = 'bronze.events'
      p.model('silver.newest', sql, { incoming, materialize: merge({ key: ['id'] }) })
      p.model('silver.first', sql, {
        ...{ incoming, materialize: merge({ key: ['id'], whenMatched: 'keep' }) },
      })
    }
    await home.add('bronze.events', values("(1, 'a'), (2, 'b'), (2, 'c')", 'id, v'))
    await home.run(define)
    await home.add('bronze.events', values("(2, 'd'), (3, 'e'), (1, 'a')", 'id, v'))
    const reports = await home.run(define)
    expect(reports['silver.newest']!.facts).toMatchObject({ rows_added: 1, rows_changed: 1 })
    expect(reports['silver.first']!.facts).toMatchObject({ rows_added: 1, rows_changed: 0 })
    expect(await home.rows('silver.newest')).toEqual([
      [1, 'a'],
      [2, 'd'],
      [3, 'e'],
    ])
    expect(await home.rows('silver.first')).toEqual([
      [1, 'a'],
      [2, 'c'],
      [3, 'e'],
    ])
    await expect(
      home.run((p) =>
        p.model('silver.twice', 'SELECT * FROM incoming', {
          ...{ incoming: 'bronze.events', materialize: merge({ key: ['id'] }) },
        }),
      ),
    ).rejects.toMatchObject({ code: 'MODEL_ROWS_INVALID' })
  })

  test('partitions: what incoming touches is made anew, and nothing else', async () => {
    await using home = await openModelHome(format)
    const define = (p: PipelineBuilder) =>
      p.model(
        'gold.days',
        `SELECT day, count(*) AS events, sum(v) AS total FROM silver.events GROUP BY day`,
        {
          incoming: 'silver.events',
          materialize: partitions({ by: ['day'], reads: { 'silver.events': { day: 'day' } } }),
        },
      )
    const day = (from: number, to: number) =>
      `SELECT DATE '2026-01-01' + range::INTEGER AS day, range AS v FROM range(${from}, ${to})`
    await home.add('silver.events', day(0, 10), { partitionBy: ['day'] })
    expect((await home.run(define))['gold.days']!.facts).toMatchObject({ rows_made: 10 })
    const source = await home.add('silver.events', day(3, 5))
    const report = (await home.run(define))['gold.days']!
    expect(report.facts).toMatchObject({
      ...{ build: 'increment', rows_in: 2, partitions: 2, rows_made: 2 },
      ...{ files_written: 2, files_removed: 2 },
    })
    // Two new files for `incoming`, and the four of the two days.
    expect(report.facts.files_read).toBe(6)
    expect(
      await home.rows(
        'gold.days',
        "SELECT events, total FROM rows WHERE day IN ('2026-01-04', '2026-01-05') ORDER BY day",
      ),
    ).toEqual([
      [2, 6],
      [2, 8],
    ])
    // A row that leaves a day touches it too, and an emptied day goes.
    await source.delete({
      where: { kind: 'compare', column: ['v'], op: '=', value: { type: 'int64', value: 9n } },
    })
    expect((await home.run(define))['gold.days']!.facts).toMatchObject({
      ...{ rows_in: 0, rows_gone: 1, partitions: 1, rows_made: 0, files_removed: 1 },
    })
    expect(await home.rows('gold.days', 'SELECT count(*) FROM rows')).toEqual([[9]])
    // A backfill makes a range anew, and changes nothing here.
    const before = await home.rows('gold.days')
    const range = { from: '2026-01-02', to: '2026-01-03' }
    expect((await home.run(define, { range }))['gold.days']!.facts).toMatchObject({
      ...{ build: 'range', partitions: 2, rows_made: 2 },
    })
    expect(await home.rows('gold.days')).toEqual(before)
  })

  test('a changed SQL makes the table anew, a changed text does not', async () => {
    await using home = await openModelHome(format)
    await home.add('bronze.numbers', 'SELECT range AS id FROM range(5)')
    const define = (sql: string) => (p: PipelineBuilder) =>
      p.model('silver.m', sql, { incoming: 'bronze.numbers', materialize: 'append' })
    await home.run(define('SELECT id FROM incoming'))
    expect(
      (await home.run(define('select   (id) -- the id\nfrom incoming')))['silver.m']!.status,
    ).toBe('nothing_new')
    expect(
      (await home.run(define('SELECT id + 1 AS id FROM incoming')))['silver.m']!.facts,
    ).toMatchObject({
      ...{ build: 'whole', why: 'model_changed', rows_added: 5, rows_removed: 5 },
    })
    expect(await home.rows('silver.m', 'SELECT min(id), max(id) FROM rows')).toEqual([[1, 5]])
  })

  test('other columns come with the rows, and who reads them begins anew', async () => {
    await using home = await openModelHome(format)
    await home.add('bronze.numbers', 'SELECT range AS id FROM range(4)')
    const define = (sql: string) => (p: PipelineBuilder) => {
      p.model('silver.m', sql)
      p.model('gold.n', 'SELECT * FROM incoming', {
        ...{ incoming: 'silver.m', materialize: 'append', onChange: 'keep' },
      })
    }
    await home.run(define('SELECT id, id % 2 AS half FROM bronze.numbers'))
    const reports = await home.run(define("SELECT 'n' || id AS id, 7 AS w FROM bronze.numbers"))
    expect(reports['silver.m']!.facts).toMatchObject({ why: 'model_changed', rows_removed: 4 })
    expect(await home.rows('silver.m', 'SELECT min(id), sum(w) FROM rows')).toEqual([['n0', 28]])
    expect(await home.rows('gold.n', 'SELECT count(*), min(id) FROM rows')).toEqual([[4, 'n0']])
  })

  test('a snapshot keeps every version of a row, also when they come late or twice', async () => {
    await using home = await openModelHome(format)
    const at = (day: number) => `TIMESTAMPTZ '2026-01-0${day}'`
    const define = (p: PipelineBuilder) =>
      p.model('silver.customers', 'SELECT id, city, changed_at FROM incoming', {
        incoming: 'bronze.customers',
        materialize: snapshot({ key: ['id'], validFrom: 'changed_at' }),
      })
    const columns = 'id, city, changed_at'
    await home.add(
      'bronze.customers',
      values(`(1, 'Hue', ${at(1)}), (2, 'Vinh', ${at(1)})`, columns),
    )
    await home.run(define)
    await home.add(
      'bronze.customers',
      values(`(1, 'Hanoi', ${at(5)}), (2, 'Vinh', ${at(4)})`, columns),
    )
    expect((await home.run(define))['silver.customers']!.facts).toMatchObject({
      rows_added: 2,
      rows_changed: 2,
    })
    // The change of the third arrives last, and the repeat of it is none.
    await home.add('bronze.customers', values(`(1, 'Saigon', ${at(3)})`, columns))
    await home.run(define)
    await home.add('bronze.customers', values(`(1, 'Saigon', ${at(3)})`, columns))
    expect((await home.run(define))['silver.customers']!.facts).toMatchObject({ files_written: 0 })
    const select =
      'SELECT id, city, day(valid_from), day(valid_to), is_current FROM rows ORDER BY id, valid_from'
    expect(await home.rows('silver.customers', select)).toEqual([
      [1, 'Hue', 1, 3, false],
      [1, 'Saigon', 3, 5, false],
      [1, 'Hanoi', 5, null, true],
      [2, 'Vinh', 1, 4, false],
      [2, 'Vinh', 4, null, true],
    ])
  })

  test('a snapshot of everything closes what is no longer there, and opens it again', async () => {
    await using home = await openModelHome(format)
    const define = (p: PipelineBuilder) =>
      p.model('silver.s', 'SELECT id, v FROM bronze.s', { materialize: snapshot({ key: ['id'] }) })
    const source = await home.add('bronze.s', values("(1, 'a'), (2, 'b')", 'id, v'))
    const day = (n: number) => ({ logicalMs: Date.UTC(2026, 0, n) })
    await home.run(define, day(1))
    const where = {
      kind: 'compare',
      column: ['id'],
      op: '=',
      value: { type: 'int32', value: 2n },
    } as const
    await source.delete({ where })
    await home.run(define, day(2))
    await home.add('bronze.s', values("(2, 'b')", 'id, v'))
    await home.run(define, day(3))
    const select =
      'SELECT id, v, day(valid_from), day(valid_to), is_current FROM rows ORDER BY id, valid_from'
    expect(await home.rows('silver.s', select)).toEqual([
      [1, 'a', 1, null, true],
      [2, 'b', 1, 2, false],
      [2, 'b', 3, null, true],
    ])
  })

  test('a model that reads its own table sees the rows that the run leaves', async () => {
    await using home = await openModelHome(format)
    const define = (p: PipelineBuilder) =>
      p.model(
        'gold.running',
        `SELECT day, total, (sum(total) OVER (ORDER BY day))::BIGINT AS so_far FROM (
         SELECT day, total FROM gold.running
         UNION ALL SELECT day, sum(v) AS total FROM incoming_days GROUP BY day)`.replace(
          'incoming_days',
          '(SELECT e.* FROM silver.events e SEMI JOIN touched USING (day))',
        ),
        {
          incoming: 'silver.events',
          columns: record({ day: int32(), total: int64(), so_far: int64() }),
          materialize: partitions({
            by: ['day'],
            touched: `SELECT day FROM incoming UNION SELECT r.day FROM gold.running r WHERE r.day > (SELECT min(day) FROM incoming)`,
            reads: { 'silver.events': { day: 'day' } },
          }),
        },
      )
    await home.add('silver.events', values('(1, 10), (2, 20), (4, 40)', 'day, v'), {
      partitionBy: ['day'],
    })
    await home.run(define)
    await home.add('silver.events', values('(3, 30)', 'day, v'))
    expect((await home.run(define))['gold.running']!.facts).toMatchObject({
      partitions: 2,
      rows_made: 2,
    })
    expect(await home.rows('gold.running')).toEqual([
      [1, 10, 10],
      [2, 20, 30],
      [3, 30, 60],
      [4, 40, 100],
    ])
    await home.add('silver.named', "SELECT 'x' AS v")
    await expect(
      home.run((p) =>
        p.model('gold.itself', 'SELECT v FROM gold.itself UNION SELECT v FROM silver.named', {
          columns: record({ w: text() }),
        }),
      ),
    ).rejects.toMatchObject({ code: 'SQL_INVALID' })
  })

  test('columns whose names no file takes as they are, and other ones later', async () => {
    await using home = await openModelHome('delta')
    await home.add('bronze.n', 'SELECT range AS id FROM range(3)')
    const define = (sql: string) => (p: PipelineBuilder) =>
      p.model('gold.named', sql, { properties: { 'delta.columnMapping.mode': 'name' } })
    await home.run(define('SELECT id, id + 1 AS "one more" FROM bronze.n'))
    expect(await home.rows('gold.named')).toEqual([
      [0, 1],
      [1, 2],
      [2, 3],
    ])
    await home.run(
      define(`SELECT 'n' || id AS "a name", id AS "one more" FROM bronze.n WHERE id > 0`),
    )
    expect(await home.rows('gold.named')).toEqual([
      ['n1', 1],
      ['n2', 2],
    ])
  })
})

test.each(['delta', 'iceberg'] as const)(
  'a backfill of some versions reads those alone, on %s tables',
  async (format) => {
    await using home = await openModelHome(format)
    for (const n of [1, 2, 3]) await home.add('bronze.v', `SELECT ${n} AS id, ${n} AS v`)
    const define = (p: PipelineBuilder) =>
      p.model('silver.v', 'SELECT id, v, run_time() AS made_at FROM incoming', {
        ...{ incoming: 'bronze.v', materialize: merge({ key: ['id'] }) },
      })
    await home.run(define)
    const again = { versions: { from: 2, to: 2 }, logicalMs: Date.UTC(2026, 5, 1) }
    expect((await home.run(define, again))['silver.v']!.facts).toMatchObject({
      ...{ build: 'range', rows_in: 1, rows_changed: 1 },
    })
    expect(await home.rows('silver.v', 'SELECT id FROM rows WHERE month(made_at) = 6')).toEqual([
      [2],
    ])
    expect((await home.run(define))['silver.v']!.status).toBe('nothing_new')
  },
)

test('a backfill of some days puts their rows in again, and no others', async () => {
  await using home = await openModelHome()
  const seen = (n: number) =>
    `SELECT range AS id, TIMESTAMPTZ '2026-01-01 12:00:00Z' + to_days(range::INTEGER) AS seen_at FROM range(${n})`
  await home.add('bronze.seen', seen(6))
  const define = (p: PipelineBuilder) =>
    p.model('silver.seen', 'SELECT id, seen_at, run_time() AS made_at FROM incoming', {
      ...{ incoming: 'bronze.seen', materialize: merge({ key: ['id'] }), backfillBy: 'seen_at' },
    })
  await home.run(define)
  const again = { range: { from: '2026-01-02', to: '2026-01-03' }, logicalMs: Date.UTC(2026, 5, 1) }
  expect((await home.run(define, again))['silver.seen']!.facts).toMatchObject({
    build: 'range',
    rows_in: 2,
    rows_changed: 2,
  })
  const changed = 'SELECT id FROM rows WHERE month(made_at) = 6 ORDER BY id'
  expect(await home.rows('silver.seen', changed)).toEqual([[1], [2]])
  const unsaid = (p: PipelineBuilder) =>
    p.model('silver.seen', 'SELECT id, seen_at, run_time() AS made_at FROM incoming', {
      ...{ incoming: 'bronze.seen', materialize: merge({ key: ['id'] }) },
    })
  await expect(home.run(unsaid, again)).rejects.toMatchObject({ code: 'MODEL_INVALID' })
})

test.each([
  ['SELECT * FROM bronze.n AT (VERSION => 1)', 'as it was'],
  ["SELECT * FROM read_csv('x.csv')", 'read_csv'],
  ['SELECT * FROM numbers', 'numbers'],
  ['SELECT * FROM incoming', 'incoming'],
])('%s is no model', async (sql, word) => {
  await using home = await openModelHome()
  await expect(home.tasks((p) => p.model('gold.m', sql))).rejects.toMatchObject({
    code: 'MODEL_INVALID',
    message: expect.stringContaining(word) as string,
  })
})

test('a nested column of an Iceberg table keeps its values when it is renamed', async () => {
  await using home = await openModelHome('iceberg')
  const source = await home.add('bronze.places', "SELECT 1 AS id, {'at': {'lat': 16.5}} AS place")
  const renamed: SchemaChange = { kind: 'rename', path: ['place', 'at', 'lat'], name: 'latitude' }
  await (source as IcebergTable).changeColumns([renamed])
  await home.run((p) => {
    p.model('silver.all', 'SELECT id, place.at.latitude AS latitude FROM bronze.places')
    p.model('silver.new', 'SELECT id, place.at.latitude AS latitude FROM incoming', {
      ...{ incoming: 'bronze.places', materialize: 'append' },
    })
  })
  expect(await home.rows('silver.all')).toEqual([[1, 16.5]])
  expect(await home.rows('silver.new')).toEqual([[1, 16.5]])
})
