-- A line of a content log, nested in an Elasticsearch envelope or flat, as a typed row. Nothing is left out here but what is impossible: a
-- viewing time that is no number, negative, or longer than a day.
SELECT
  _id AS log_id,
  contract,
  mac,
  app_name,
  TRY_CAST(duration AS BIGINT) AS duration_s,
  CASE
    WHEN duration IS NULL THEN 'missing_field'
    WHEN TRY_CAST(duration AS BIGINT) IS NULL THEN 'wrong_type'
    WHEN TRY_CAST(duration AS BIGINT) NOT BETWEEN 0 AND 86400 THEN 'out_of_range'
  END AS dead_reason,
  CASE
    WHEN duration IS NULL THEN 'TotalDuration is missing'
    WHEN TRY_CAST(duration AS BIGINT) IS NULL THEN 'TotalDuration is no whole number of seconds'
    WHEN TRY_CAST(duration AS BIGINT) < 0 THEN 'TotalDuration is negative'
    WHEN TRY_CAST(duration AS BIGINT) > 86400 THEN 'TotalDuration is longer than a day'
  END AS dead_message,
  CASE
    WHEN app_name IS NULL THEN '(none)'
    WHEN app_name NOT IN ('CHANNEL', 'DSHD', 'KPLUS', 'KPlus', 'VOD', 'FIMS_RES', 'BHD_RES', 'VOD_RES', 'FIMS', 'BHD', 'DANET', 'RELAX', 'CHILD', 'SPORT') THEN app_name
  END AS unmapped_app,
  CASE WHEN contract IS NULL THEN '(none)' WHEN contract IN ('0', '', 'NULL') THEN contract END AS invalid_contract,
  CASE WHEN TRY_CAST(duration AS BIGINT) BETWEEN 0 AND 86400 THEN NULL ELSE coalesce(duration, '(none)') END AS impossible_duration
FROM (
  SELECT
    _id,
    coalesce(_source.Contract, Contract) AS contract,
    coalesce(_source.Mac, Mac) AS mac,
    coalesce(_source.AppName, AppName) AS app_name,
    coalesce(_source.TotalDuration, TotalDuration) AS duration
  FROM lines
)
