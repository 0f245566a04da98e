-- The days to make anew: those with new events, and all later days of the same users, whose totals so far and averages count them in.
SELECT DISTINCT events.event_date AS activity_date
FROM silver.github_events AS events
JOIN (SELECT actor_id, min(event_date) AS since FROM incoming GROUP BY actor_id) AS changed
  ON changed.actor_id = events.actor_id AND events.event_date >= changed.since
