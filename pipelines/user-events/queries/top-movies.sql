-- The ten movies with the most events.
-- on: postgres
SELECT movie_id, count(*) AS events, count(DISTINCT user_id) AS users
FROM user_events GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 10
