-- A row of a search log. The day is that of the folder; `datetime` is kept as it is, and as an instant where it is one: some clients count
-- years from the Buddha, 543 before the common era.
SELECT
  eventID AS event_id,
  user_id,
  keyword,
  category,
  platform,
  "networkType" AS network_type,
  action,
  datetime AS searched_at_text,
  CASE
    WHEN TRY_CAST(datetime AS TIMESTAMP) >= TIMESTAMP '2400-01-01' THEN (TRY_CAST(datetime AS TIMESTAMP) - INTERVAL 543 YEAR)
    ELSE TRY_CAST(datetime AS TIMESTAMP)
  END AT TIME ZONE 'UTC' AS searched_at,
  NULL AS dead_reason,
  NULL AS dead_message,
  CASE WHEN user_id IS NULL THEN '(none)' WHEN trim(user_id) = '' OR upper(trim(user_id)) = 'NULL' THEN user_id END AS invalid_user,
  CASE WHEN keyword IS NULL THEN '(none)' WHEN trim(keyword) = '' OR upper(trim(keyword)) = 'NULL' THEN keyword END AS invalid_keyword
FROM lines
