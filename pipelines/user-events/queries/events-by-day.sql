-- Events of each day and type, from the lake.
SELECT event_date, event_type, count(*) AS events, count(DISTINCT user_id) AS users
FROM bronze.user_events
GROUP BY ALL
ORDER BY ALL
