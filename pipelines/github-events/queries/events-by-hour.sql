-- When it was done, in UTC.
SELECT event_date, event_hour, count(*) AS events, count(DISTINCT actor_id) AS users
FROM silver.github_events
GROUP BY ALL
ORDER BY event_date, event_hour
