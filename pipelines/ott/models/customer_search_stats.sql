-- The favourite search of each user in two months, its category, and whether the taste changed. The months are the newest two there are:
-- (or those that the parameters say, as YYYY-MM). `_m6` is the first of them and `_m7` the second, as dashboards know them since June and July 2022. Null and blank keywords never win; of keywords searched equally often the first in the alphabet does.
WITH searches AS (
  SELECT
    user_id,
    strftime(event_date, '%Y-%m') AS month,
    keyword,
    lower(trim(nfc_normalize(keyword))) AS folded
  FROM bronze.search_log
  WHERE trim(user_id) <> '' AND upper(trim(user_id)) <> 'NULL'
    AND trim(keyword) <> '' AND upper(trim(keyword)) <> 'NULL'
),
months AS (
  SELECT
    any_value(newest) AS second,
    coalesce(parameter('first_month'), max(month) FILTER (WHERE month < newest)) AS first
  FROM (
    SELECT month, coalesce(parameter('second_month'), max(month) OVER ()) AS newest
    FROM (SELECT DISTINCT month FROM searches)
  )
),
counted AS (
  SELECT user_id, month, keyword, min(folded) AS folded, count(*) AS searches
  FROM searches, months
  WHERE month IN (months.first, months.second)
  GROUP BY user_id, month, keyword
),
favourites AS (
  SELECT user_id, month, ranked.keyword, coalesce(label, 'Other') AS category
  FROM (
    SELECT *, row_number() OVER (PARTITION BY user_id, month ORDER BY searches DESC, keyword) AS place
    FROM counted
  ) AS ranked
  LEFT JOIN silver.search_labels AS labels ON labels.keyword = ranked.folded
  WHERE place = 1
),
one AS (SELECT favourites.* FROM favourites, months WHERE month = months.first),
two AS (SELECT favourites.* FROM favourites, months WHERE month = months.second)
SELECT
  coalesce(one.user_id, two.user_id) AS user_id,
  one.keyword AS "mostWatch_m6",
  two.keyword AS "mostWatch_m7",
  one.category AS category_m6,
  two.category AS category_m7,
  CASE
    WHEN one.user_id IS NULL THEN 'New'
    WHEN two.user_id IS NULL THEN 'Churned'
    WHEN one.category = two.category THEN 'Unchanged'
    ELSE 'Changed'
  END AS taste
FROM one FULL OUTER JOIN two ON one.user_id = two.user_id
