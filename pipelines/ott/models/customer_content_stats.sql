-- The profile of each contract over the 30 days that end with the newest day there is. Categories are in one order everywhere: as columns, in
-- `Taste`, and where two tie for `MostWatch`. It says the same as sums over silver.content_days, and reads the log itself, because one pass over it is
-- cheaper than a group for every contract and day: each day is a bit, and `Active` counts the bits.
WITH newest AS (
  SELECT max(event_date) AS day FROM bronze.content_log
),
views AS (
  SELECT
    contract,
    duration_s,
    1::BIGINT << date_diff('day', event_date, newest.day) AS day_bit,
    CASE
      WHEN app_name IN ('CHANNEL', 'DSHD', 'KPLUS', 'KPlus') THEN 1
      WHEN app_name IN ('VOD', 'FIMS_RES', 'BHD_RES', 'VOD_RES', 'FIMS', 'BHD', 'DANET') THEN 2
      WHEN app_name = 'RELAX' THEN 3
      WHEN app_name = 'CHILD' THEN 4
      WHEN app_name = 'SPORT' THEN 5
    END AS category
  FROM bronze.content_log, newest
  WHERE event_date > newest.day - 30
    AND contract NOT IN ('0', '', 'NULL')
),
totals AS (
  SELECT
    contract,
    coalesce(sum(duration_s) FILTER (category = 1), 0)::BIGINT AS truyen_hinh,
    coalesce(sum(duration_s) FILTER (category = 2), 0)::BIGINT AS phim_truyen,
    coalesce(sum(duration_s) FILTER (category = 3), 0)::BIGINT AS giai_tri,
    coalesce(sum(duration_s) FILTER (category = 4), 0)::BIGINT AS thieu_nhi,
    coalesce(sum(duration_s) FILTER (category = 5), 0)::BIGINT AS the_thao,
    bit_count(bit_or(day_bit))::INTEGER AS active
  FROM views
  WHERE category IS NOT NULL
  GROUP BY contract
)
SELECT
  contract AS "Contract",
  truyen_hinh AS "Truyen Hinh",
  phim_truyen AS "Phim Truyen",
  giai_tri AS "Giai Tri",
  thieu_nhi AS "Thieu Nhi",
  the_thao AS "The Thao",
  active AS "Active",
  CASE greatest(truyen_hinh, phim_truyen, giai_tri, thieu_nhi, the_thao)
    WHEN 0 THEN NULL
    WHEN truyen_hinh THEN 'Truyen Hinh'
    WHEN phim_truyen THEN 'Phim Truyen'
    WHEN giai_tri THEN 'Giai Tri'
    WHEN thieu_nhi THEN 'Thieu Nhi'
    ELSE 'The Thao'
  END AS "MostWatch",
  nullif(
    concat_ws(
      '-',
      CASE WHEN truyen_hinh > 0 THEN 'Truyen Hinh' END,
      CASE WHEN phim_truyen > 0 THEN 'Phim Truyen' END,
      CASE WHEN giai_tri > 0 THEN 'Giai Tri' END,
      CASE WHEN thieu_nhi > 0 THEN 'Thieu Nhi' END,
      CASE WHEN the_thao > 0 THEN 'The Thao' END
    ),
    ''
  ) AS "Taste"
FROM totals
