-- Each product's demand in the last 90 periods that have ended, oldest first, days without orders as zero.
WITH days AS (
  SELECT logical_date - (90 - n)::INTEGER AS day, n FROM run.moment, range(0, 90) r(n)
), products AS (
  SELECT DISTINCT product_id FROM gold.product_demand
)
SELECT
  i.product_id,
  any_value(p.product_name) AS product_name,
  any_value(p.product_category) AS product_category,
  any_value(p.price) AS price,
  max(days.day) AS last_period,
  list(coalesce(d.demand, 0) ORDER BY n) AS historical_counts
FROM products i
CROSS JOIN days
LEFT JOIN gold.product_demand d ON d.product_id = i.product_id AND d.period_start = days.day
LEFT JOIN silver.products p ON p.product_id = i.product_id AND p.valid_to IS NULL
GROUP BY i.product_id
