-- Events, users and movies for each event type.
-- on: postgres
SELECT * FROM user_events_stats ORDER BY total_events DESC
