-- The ten events processed last.
-- on: postgres
SELECT * FROM get_recent_events(10)
