-- Average time from an event to its processing, over the last hour.
-- on: postgres
SELECT avg(processed_at - event_timestamp)::text AS average_latency, count(*) AS events
FROM user_events
WHERE processed_at > now() - interval '1 hour'
