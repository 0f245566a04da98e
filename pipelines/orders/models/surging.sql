-- Products that surged in the last period that has ended, each with its last 90 periods, oldest first.
WITH surged AS (
  SELECT * FROM gold.product_surges WHERE period_start = (SELECT logical_date - 1 FROM run.moment)
)
SELECT
  s.product_id,
  any_value(p.product_name) AS product_name,
  any_value(p.product_category) AS product_category,
  any_value(p.price) AS price,
  any_value(s.period_start) AS period_start,
  any_value(s.demand) AS demand,
  any_value(s.threshold) AS threshold,
  list(coalesce(d.demand, 0) ORDER BY n) AS historical_counts
FROM surged s
CROSS JOIN range(0, 90) r(n)
LEFT JOIN gold.product_demand d ON d.product_id = s.product_id AND d.period_start = s.period_start - (89 - n)::INTEGER
LEFT JOIN silver.products p ON p.product_id = s.product_id AND p.valid_to IS NULL
GROUP BY s.product_id
