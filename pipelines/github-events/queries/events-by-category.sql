-- What kind of work was done, by day.
SELECT event_date, event_category, count(*) AS events, sum(activity_score) AS score
FROM silver.github_events
GROUP BY ALL
ORDER BY event_date, events DESC
