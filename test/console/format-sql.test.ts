import { expect, test } from 'vitest'
import { formatSql } from '../../console/src/sql/format-sql.ts'

test('clauses begin lines, lists stay together while they are short', () => {
  expect(
    formatSql(
      `select event_type,count(*) as events from bronze.user_events where user_id=1 and "timestamp">now()-interval 1 day group by event_type order by events desc limit 10`,
    ),
  ).toBe(`SELECT event_type, count(*) AS events
FROM bronze.user_events
WHERE user_id = 1
  AND "timestamp" > now() - INTERVAL 1 day
GROUP BY event_type
ORDER BY events DESC
LIMIT 10`)
})

test('queries within queries are set in', () => {
  expect(
    formatSql(
      `with days as (select day, sum(n)::bigint as n from t group by all) select d.day from days d left join (select 1 as x) e on d.n=e.x where d.n between 1 and 2 or exists (select 1)`,
    ),
  ).toBe(`WITH days AS (
  SELECT day, sum(n)::bigint AS n
  FROM t
  GROUP BY ALL
)
SELECT d.day
FROM days d
LEFT JOIN (
  SELECT 1 AS x
) e ON d.n = e.x
WHERE d.n BETWEEN 1 AND 2
  OR EXISTS (
    SELECT 1
  )`)
})

const QUESTIONS = [
  `-- what is new\nSELECT 'it''s -- no comment' AS "a ""b""", x -> '$.y' FROM t AT (VERSION => 3) /* here */ WHERE a IS NOT DISTINCT FROM b`,
  `SELECT a[1], -2, 1 - 2, $$from$$, {'k': 1}, list_transform([1], x -> x + 1), count(*) FILTER (WHERE x > 0) OVER (PARTITION BY y ORDER BY z) FROM range(3) t(x)`,
  `FROM serve.user_events UNION ALL SELECT * EXCLUDE (a) REPLACE (b AS c) FROM x, y;`,
]

test.each(QUESTIONS)('nothing is lost, and what is set stays as it is: %s', (sql) => {
  const bare = (text: string) => text.replaceAll(/\s+/g, '').toLowerCase()
  const formatted = formatSql(sql)
  expect(bare(formatted)).toBe(bare(sql))
  expect(formatSql(formatted)).toBe(formatted)
})
