-- The ten users with the most events.
-- on: postgres
SELECT user_id, count(*) AS events FROM user_events GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 10
