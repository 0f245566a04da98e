-- Events processed in the last hour.
-- on: postgres
SELECT count(*) AS events FROM user_events WHERE processed_at > now() - interval '1 hour'
