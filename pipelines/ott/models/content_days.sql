-- What each contract watched on each day, in seconds by category: one row for a contract and a day with activity. Lines without a usable contract or
-- of an app that belongs to no category are left out (`mekong load` reports both by value).
SELECT
  contract,
  event_date,
  coalesce(sum(duration_s) FILTER (category = 'Truyen Hinh'), 0)::BIGINT AS "Truyen Hinh",
  coalesce(sum(duration_s) FILTER (category = 'Phim Truyen'), 0)::BIGINT AS "Phim Truyen",
  coalesce(sum(duration_s) FILTER (category = 'Giai Tri'), 0)::BIGINT AS "Giai Tri",
  coalesce(sum(duration_s) FILTER (category = 'Thieu Nhi'), 0)::BIGINT AS "Thieu Nhi",
  coalesce(sum(duration_s) FILTER (category = 'The Thao'), 0)::BIGINT AS "The Thao"
FROM (
  SELECT
    contract,
    event_date,
    duration_s,
    CASE
      WHEN app_name IN ('CHANNEL', 'DSHD', 'KPLUS', 'KPlus') THEN 'Truyen Hinh'
      WHEN app_name IN ('VOD', 'FIMS_RES', 'BHD_RES', 'VOD_RES', 'FIMS', 'BHD', 'DANET') THEN 'Phim Truyen'
      WHEN app_name = 'RELAX' THEN 'Giai Tri'
      WHEN app_name = 'CHILD' THEN 'Thieu Nhi'
      WHEN app_name = 'SPORT' THEN 'The Thao'
    END AS category
  FROM bronze.content_log
  WHERE contract NOT IN ('0', '', 'NULL')
)
WHERE category IS NOT NULL
GROUP BY contract, event_date
