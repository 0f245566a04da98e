-- The profile of each contract over a window of days that ends with the newest day there is: `totals` are sums of content_views.sql. Categories are in one
-- order everywhere: as columns, in `Taste`, and where two tie for `MostWatch`.
SELECT
  "Contract",
  "Truyen Hinh",
  "Phim Truyen",
  "Giai Tri",
  "Thieu Nhi",
  "The Thao",
  "Active",
  CASE greatest("Truyen Hinh", "Phim Truyen", "Giai Tri", "Thieu Nhi", "The Thao")
    WHEN 0 THEN NULL
    WHEN "Truyen Hinh" THEN 'Truyen Hinh'
    WHEN "Phim Truyen" THEN 'Phim Truyen'
    WHEN "Giai Tri" THEN 'Giai Tri'
    WHEN "Thieu Nhi" THEN 'Thieu Nhi'
    ELSE 'The Thao'
  END AS "MostWatch",
  nullif(
    concat_ws(
      '-',
      CASE WHEN "Truyen Hinh" > 0 THEN 'Truyen Hinh' END,
      CASE WHEN "Phim Truyen" > 0 THEN 'Phim Truyen' END,
      CASE WHEN "Giai Tri" > 0 THEN 'Giai Tri' END,
      CASE WHEN "Thieu Nhi" > 0 THEN 'Thieu Nhi' END,
      CASE WHEN "The Thao" > 0 THEN 'The Thao' END
    ),
    ''
  ) AS "Taste"
FROM totals
