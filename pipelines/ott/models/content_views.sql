-- What a line of the content log adds to a customer's profile: seconds of one category. Lines without a usable contract, or of an app that belongs
-- to no category, add nothing and are left out (`mekong load` reports both by value).
SELECT
  contract AS "Contract",
  event_date,
  CASE WHEN category = 'Truyen Hinh' THEN duration_s ELSE 0 END AS "Truyen Hinh",
  CASE WHEN category = 'Phim Truyen' THEN duration_s ELSE 0 END AS "Phim Truyen",
  CASE WHEN category = 'Giai Tri' THEN duration_s ELSE 0 END AS "Giai Tri",
  CASE WHEN category = 'Thieu Nhi' THEN duration_s ELSE 0 END AS "Thieu Nhi",
  CASE WHEN category = 'The Thao' THEN duration_s ELSE 0 END AS "The Thao"
FROM (
  SELECT
    contract,
    event_date,
    duration_s::INTEGER AS duration_s,
    CASE
      WHEN app_name IN ('CHANNEL', 'DSHD', 'KPLUS', 'KPlus') THEN 'Truyen Hinh'
      WHEN app_name IN ('VOD', 'FIMS_RES', 'BHD_RES', 'VOD_RES', 'FIMS', 'BHD', 'DANET') THEN 'Phim Truyen'
      WHEN app_name = 'RELAX' THEN 'Giai Tri'
      WHEN app_name = 'CHILD' THEN 'Thieu Nhi'
      WHEN app_name = 'SPORT' THEN 'The Thao'
    END AS category
  FROM incoming
  WHERE contract NOT IN ('0', '', 'NULL')
)
WHERE category IS NOT NULL
