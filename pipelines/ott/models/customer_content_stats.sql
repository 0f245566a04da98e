-- The profile of each contract over the 30 days that end with the newest day there is. Categories are in one order everywhere: as columns, in
-- `Taste`, and where two tie for `MostWatch`. Another window: `queries/content-profile.sql`.
WITH newest AS (SELECT max(event_date) AS day FROM silver.content_days),
totals AS (
  SELECT
    contract,
    sum("Truyen Hinh")::BIGINT AS truyen_hinh,
    sum("Phim Truyen")::BIGINT AS phim_truyen,
    sum("Giai Tri")::BIGINT AS giai_tri,
    sum("Thieu Nhi")::BIGINT AS thieu_nhi,
    sum("The Thao")::BIGINT AS the_thao,
    count(*)::INTEGER AS active
  FROM silver.content_days
  WHERE event_date > (SELECT day FROM newest) - 30
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
