import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ComputeEngine, openComputeEngine } from '../../../src/sql/duckdb/engine.ts'
import { quoteText } from '../../../src/sql/duckdb/quote-identifier.ts'
import { sparkSql } from '../../../src/sql/spark/dialect.ts'

// What DuckDB parses, said in Spark's dialect. Whether Spark answers the same is for `test/interop/models-on-spark.test.ts`.

let engine: ComputeEngine
let spillDirectory: string
beforeAll(async () => {
  spillDirectory = await mkdtemp(path.join(tmpdir(), 'mekong-dialect-'))
  engine = await openComputeEngine({ spillDirectory })
})
afterAll(async () => {
  engine.close()
  await rm(spillDirectory, { recursive: true, force: true })
})

async function said(sql: string): Promise<string> {
  const connection = await engine.connection()
  try {
    const [[json]] = (await connection.rows(`SELECT json_serialize_sql(${quoteText(sql)})`)) as [
      [string],
    ]
    const { statements } = JSON.parse(json) as { statements: unknown[] }
    return sparkSql(statements[0], {
      runTime: '2026-01-02T03:04:05.000Z',
      parameters: { first: "it's", second: null },
    }).replaceAll('`', '')
  } finally {
    connection.close()
  }
}

describe("Spark's dialect", () => {
  test.each<[string, string]>([
    [
      "select a as \"b c\", 1.50, 'it''s \\', NULL from silver.y",
      "SELECT a AS b c, 1.50, 'it\\'s \\\\', NULL FROM silver__y AS y",
    ],
    [
      'from incoming select * exclude (x) order by a desc limit 3',
      'SELECT * EXCEPT (x) FROM incoming AS incoming ORDER BY a DESC NULLS LAST LIMIT 3',
    ],
    [
      'select a from t qualify row_number() over (partition by b order by c) = 1',
      'SELECT * EXCEPT (_qualified) FROM (SELECT a, (row_number() OVER (PARTITION BY b ORDER BY c ASC NULLS LAST) = 1) AS _qualified FROM t AS t) WHERE _qualified',
    ],
    [
      'select sum(a) over (order by d range between interval 6 days preceding and current row) from t',
      "SELECT sum(a) OVER (ORDER BY d ASC NULLS LAST RANGE BETWEEN INTERVAL '6' DAY PRECEDING AND CURRENT ROW) FROM t AS t",
    ],
    [
      'select count(*) filter (a > 1), count(distinct b) from t group by all',
      'SELECT count(*) FILTER (WHERE (a > 1)), count(DISTINCT b) FROM t AS t GROUP BY ALL',
    ],
    ["select parameter('first'), parameter('second')", "SELECT 'it\\'s', CAST(NULL AS STRING)"],
    [
      'select a / b, arg_max(x, (c, d)) from t',
      "SELECT (CAST(a AS DOUBLE) / CAST(b AS DOUBLE)), max_by(x, named_struct('f1', c, 'f2', d)) FROM t AS t",
    ],
    [
      'select t.a from t semi join u using (k) full join v on t.a is not distinct from v.a',
      'SELECT t.a FROM t AS t LEFT SEMI JOIN u AS u USING (k) FULL OUTER JOIN v AS v ON (t.a <=> v.a)',
    ],
    [
      'with c as (select 1 as n union all select 2) select * from c where n not in (select k from u)',
      'WITH c AS ((SELECT 1 AS n) UNION ALL (SELECT 2)) SELECT * FROM c AS c WHERE (NOT (n IN (SELECT k FROM u AS u)))',
    ],
    [
      "select run_time(), a at time zone 'UTC', strftime(d, '%Y-%m'), try_cast(a as timestamptz) from t",
      "SELECT TIMESTAMP '2026-01-02T03:04:05.000Z', CAST(a AS TIMESTAMP_NTZ), date_format(d, 'yyyy-MM'), TRY_CAST(a AS TIMESTAMP) FROM t AS t",
    ],
    [
      'select list_transform(l, lambda x: x + 1), l[1], s.f from t',
      'SELECT transform(l, x -> (x + 1)), try_element_at(l, nullif(CAST(1 AS INT), 0)), s.f FROM t AS t',
    ],
    [
      'select case when a between 1 and 2 and b is not null then 1 end from (values (1, 2)) v(a, b)',
      'SELECT CASE WHEN ((a BETWEEN 1 AND 2) AND (b IS NOT NULL)) THEN 1 ELSE NULL END FROM (SELECT * FROM VALUES (1, 2) AS valueslist) AS v (a, b)',
    ],
    [
      'select list_filter(l, lambda x, i: i = list_position(m, x)), [e.a for e in l if e.b] from t',
      "SELECT filter(l, (x, i) -> ((i + 1) = nullif(array_position(m, x), 0))), transform(filter(transform(l, e -> named_struct('filter', e.b, 'result', e.a)), elem -> elem.filter), elem -> elem.result) FROM t AS t",
    ],
    [
      "select ('0x' || md5(a)[1:13])::bigint, date_diff('day', a, b) from t",
      'SELECT CAST(conv(substring(md5(a), 1, 13), 16, 10) AS BIGINT), CAST(datediff(b, a) AS BIGINT) FROM t AS t',
    ],
    [
      "select list_aggregate(l, 'string_agg', ','), to_json(s)::varchar, 1::bigint << n from t",
      "SELECT CASE WHEN exists(l, x -> x IS NOT NULL) THEN array_join(l, ',') END, CAST(to_json(s, map('ignoreNullFields', 'false')) AS STRING), shiftleft(CAST(1 AS BIGINT), CAST(n AS INT)) FROM t AS t",
    ],
  ])('%s', async (sql, expected) => {
    expect(await said(sql)).toBe(expected)
  })

  test.each([
    'select strip_accents(a) from t',
    'select l[1:2] from t',
    "select list_aggregate(l, 'sum') from t",
    "select date_diff('hour', a, b) from t",
    "select a at time zone 'Asia/Saigon' from t",
    "select regexp_replace(a, 'x', 'y') from t",
    'select * replace (a + 1 as a) from t',
    'select distinct on (a) b from t',
    'select * from t asof join u using (a, b)',
  ])('has no guess for %s', async (sql) => {
    await expect(said(sql)).rejects.toMatchObject({ code: 'SPARK_DIALECT' })
  })
})
