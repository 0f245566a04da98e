// What the models bench asks, once for both programs.

/** Events from `from` on: ids grow with time, one in a hundred is of an earlier event. */
export const eventsSql = (from: number, count: number, perDay: number): string => `
  SELECT (CASE WHEN hash(n) % 100 = 0 AND n > ${perDay} THEN n - ${Math.round(perDay / 2)} ELSE n END)::BIGINT AS event_id,
    TIMESTAMPTZ '2026-01-01' + to_microseconds((n * 86400e6 / ${perDay})::BIGINT) AS created_at,
    (hash(n * 7) % 50000)::BIGINT AS user_id, ['push', 'fork', 'watch', 'issue'][1 + (hash(n * 11) % 4)::INTEGER] AS kind,
    (hash(n * 13) % 1000)::INTEGER AS size, md5(n::VARCHAR) AS payload
  FROM (SELECT ${from} + range AS n FROM range(${count}))`

/** Events once each, with what is derived from them. `more` are columns beside. */
export const silverSql = (from: string, more = ''): string => `
  SELECT event_id, created_at, created_at::DATE AS event_date, user_id, lower(trim(kind)) AS kind, size,
    CASE kind WHEN 'push' THEN 2 * size WHEN 'issue' THEN 3 ELSE 1 END AS score, payload${more}
  FROM ${from} QUALIFY row_number() OVER (PARTITION BY event_id ORDER BY created_at) = 1`

/** What every user did on every day. */
export const daysSql = (from: string, more = ''): string => `
  SELECT user_id, event_date, count(*) AS events, sum(score)::BIGINT AS score, count(DISTINCT kind) AS kinds, max(created_at) AS last_at${more}
  FROM ${from} GROUP BY user_id, event_date`
