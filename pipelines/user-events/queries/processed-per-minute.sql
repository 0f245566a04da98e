-- Events processed in each minute of the last hour, newest first.
-- on: postgres
SELECT date_trunc('minute', processed_at) AS minute, count(*) AS events
FROM user_events
WHERE processed_at > now() - interval '1 hour'
GROUP BY 1
ORDER BY 1 DESC
