-- What a line of the content log adds to a customer's profile: seconds of one category. Lines without a usable contract, or of an app that belongs
-- to no category, add nothing and are left out (`mekong load` reports both by value).
SELECT
  contract AS "Contract",
  event_date,
  CASE WHEN app_name IN ('CHANNEL', 'DSHD', 'KPLUS', 'KPlus') THEN duration_s ELSE 0 END AS "Truyen Hinh",
  CASE WHEN app_name IN ('VOD', 'FIMS_RES', 'BHD_RES', 'VOD_RES', 'FIMS', 'BHD', 'DANET') THEN duration_s ELSE 0 END AS "Phim Truyen",
  CASE WHEN app_name = 'RELAX' THEN duration_s ELSE 0 END AS "Giai Tri",
  CASE WHEN app_name = 'CHILD' THEN duration_s ELSE 0 END AS "Thieu Nhi",
  CASE WHEN app_name = 'SPORT' THEN duration_s ELSE 0 END AS "The Thao"
FROM (SELECT contract, event_date, app_name, duration_s::INTEGER AS duration_s FROM incoming)
WHERE contract NOT IN ('0', '', 'NULL')
  AND app_name IN (
    'CHANNEL', 'DSHD', 'KPLUS', 'KPlus',
    'VOD', 'FIMS_RES', 'BHD_RES', 'VOD_RES', 'FIMS', 'BHD', 'DANET',
    'RELAX', 'CHILD', 'SPORT'
  )
