-- Every surge there was, by product and period.
SELECT
  strftime(s.period_start, '%Y-%m-%d') || '/' || s.product_id AS surge_id,
  s.product_id,
  p.product_name,
  p.product_category,
  s.period_start,
  s.demand,
  s.threshold
FROM gold.product_surges s
LEFT JOIN silver.products p ON p.product_id = s.product_id AND p.valid_to IS NULL
WHERE s.period_start < (SELECT logical_date FROM run.moment)
