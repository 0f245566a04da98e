import { expect, test } from 'vitest'
import { lineageOf } from '../../src/flow/model-lineage.ts'
import { partitions, window } from '../../src/pipeline/materialization.ts'
import { type PipelineBuilder, pipeline } from '../../src/pipeline/pipeline.ts'
import { openModelHome } from './model-home.ts'

// Where columns come from, against what a person says of the SQL.

const origins = async (sql: string, more: (p: PipelineBuilder) => void = () => {}) => {
  await using home = await openModelHome()
  await home.add('bronze.y', "SELECT 1 AS a, 2 AS b, 'x' AS c, {'x': 1} AS s, [1] AS l")
  await home.add('bronze.z', "SELECT 1 AS a, 'n' AS name")
  const plan = pipeline('lineage', (p) => {
    more(p)
    p.model('gold.m', sql)
  })
  const all = await lineageOf({ engine: home.engine, lake: home.lake, plans: [plan] })
  const { columns, problem } = all.at(-1)!
  expect(problem).toBeUndefined()
  return Object.fromEntries(
    columns.map(({ name, from }) => [
      name,
      from.map(({ table, column, kind }) => `${table}.${column} ${kind}`).sort(),
    ]),
  )
}

test.each<[string, Record<string, string[]>]>([
  [
    'SELECT * EXCLUDE (s, l), a + b AS d FROM bronze.y',
    {
      a: ['bronze.y.a identity'],
      b: ['bronze.y.b identity'],
      c: ['bronze.y.c identity'],
      d: ['bronze.y.a transformation', 'bronze.y.b transformation'],
    },
  ],
  [
    'WITH t AS (SELECT c, sum(b) AS s FROM bronze.y WHERE a > 1 GROUP BY c) SELECT t.c AS key, s * 2 AS twice, z.name FROM t LEFT JOIN bronze.z AS z ON z.a = s',
    {
      key: ['bronze.y.c identity'],
      twice: ['bronze.y.b aggregation'],
      name: ['bronze.z.name identity'],
    },
  ],
  [
    'SELECT a, (SELECT max(name) FROM bronze.z AS z WHERE z.a = y.a) AS m, EXISTS (FROM bronze.z) AS e FROM bronze.y AS y',
    {
      a: ['bronze.y.a identity'],
      m: ['bronze.z.name aggregation'],
      e: [],
    },
  ],
  [
    'SELECT a, c FROM bronze.y UNION ALL SELECT a, name FROM bronze.z',
    {
      a: ['bronze.y.a identity', 'bronze.z.a identity'],
      c: ['bronze.y.c identity', 'bronze.z.name identity'],
    },
  ],
  [
    'SELECT c, b, sum(b) OVER (PARTITION BY c ORDER BY a) AS r, s.x AS x, 1 AS one FROM bronze.y ORDER BY a LIMIT 3',
    {
      c: ['bronze.y.c identity'],
      b: ['bronze.y.b identity'],
      r: ['bronze.y.b aggregation'],
      x: ['bronze.y.s transformation'],
      one: [],
    },
  ],
  [
    'SELECT a, unnest(l) AS e FROM bronze.y SEMI JOIN bronze.z USING (a) QUALIFY row_number() OVER (PARTITION BY c ORDER BY b) = 1',
    {
      a: ['bronze.y.a identity'],
      e: ['bronze.y.l transformation'],
    },
  ],
  [
    "SELECT a, CASE WHEN b > 1 THEN c ELSE 'none' END AS d FROM (SELECT DISTINCT a, b, c FROM bronze.y) AS q WHERE a IN (SELECT a FROM bronze.z)",
    {
      a: ['bronze.y.a identity'],
      d: ['bronze.y.b transformation', 'bronze.y.c transformation'],
    },
  ],
  [
    'WITH RECURSIVE r AS (SELECT a, 1 AS n FROM bronze.y UNION ALL SELECT a, n + 1 FROM r WHERE n < 3) SELECT * FROM r',
    {
      a: ['bronze.y.a identity'],
      n: [],
    },
  ],
])('%s', async (sql, expected) => {
  expect(await origins(sql)).toEqual(expected)
})

test('through views one step at a time, and incoming is its own table', async () => {
  const view = (p: PipelineBuilder) =>
    p.model('silver.v', 'SELECT a, b AS bb FROM bronze.y', { materialize: 'view' })
  expect(await origins('SELECT bb FROM silver.v', view)).toEqual({ bb: ['silver.v.bb identity'] })
  await using home = await openModelHome()
  await home.add('bronze.y', "SELECT 1 AS a, DATE '2026-01-01' AS day")
  const plan = pipeline('lineage', (p) =>
    p.model(
      'gold.m',
      'SELECT day, max(a) AS a FROM incoming SEMI JOIN touched USING (day) GROUP BY day',
      {
        ...{ incoming: 'bronze.y', materialize: partitions({ by: ['day'] }) },
      },
    ),
  )
  const [m] = await lineageOf({ engine: home.engine, lake: home.lake, plans: [plan] })
  expect(m).toMatchObject({
    reads: ['bronze.y'],
    columns: [
      { name: 'day', from: [{ table: 'bronze.y', column: 'day', kind: 'identity' }] },
      { name: 'a', from: [{ table: 'bronze.y', column: 'a', kind: 'aggregation' }] },
    ],
  })
  const [lost] = await lineageOf({ engine: home.engine, plans: [plan] })
  expect(lost!.problem).toContain('bronze.y')
})

test('of a window: sums and days come from the rows of its table', async () => {
  await using home = await openModelHome()
  await home.add('bronze.seen', "SELECT 'a' AS k, DATE '2026-01-01' AS day, 1 AS v, 2 AS w")
  for (const engine of ['duckdb', 'spark'] as const) {
    const plan = pipeline('lineage', (p) =>
      p.model('gold.sums', 'SELECT *, v > 9 AS is_much FROM totals', {
        ...{ engine, incoming: 'bronze.seen' },
        materialize: window({
          ...{ key: ['k'], day: 'day', daysCount: 'days' },
          rows: 'SELECT upper(k) AS k, day, v * w AS v FROM incoming',
        }),
      }),
    )
    const [model] = await lineageOf({ engine: home.engine, lake: home.lake, plans: [plan] })
    const from = (column: string) => model!.columns.find(({ name }) => name === column)?.from
    expect([model!.problem, from('k')]).toEqual([
      undefined,
      [{ table: 'bronze.seen', column: 'k', kind: 'transformation' }],
    ])
    for (const column of ['v', 'is_much'])
      expect(from(column)).toEqual([
        { table: 'bronze.seen', column: 'v', kind: 'aggregation' },
        { table: 'bronze.seen', column: 'w', kind: 'aggregation' },
      ])
    expect(from('days')?.map((origin) => [origin.column, origin.kind])).toEqual([
      ['day', 'aggregation'],
    ])
  }
})
