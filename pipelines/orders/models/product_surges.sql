-- A product surges in a period when its demand there is above the 95th percentile (linear interpolation) of the periods before: at most 90
-- of them, at least 5, none before the product was first ordered, those without orders counted as zero. The period itself is not among them.
-- The percentile stands between two of the sorted values, at 95 % of the way from the first to the last. All in whole numbers, so that nothing
-- is rounded: the place is `hundredths` / 100.
-- The period that is still running is here as far as it has come.
WITH history AS (
  SELECT
    period_start,
    product_id,
    demand,
    least(90, date_diff('day', min(period_start) OVER (PARTITION BY product_id), period_start)) AS periods_before,
    list_sort(coalesce(
      list(demand) OVER (
        PARTITION BY product_id ORDER BY period_start
        RANGE BETWEEN INTERVAL 90 DAY PRECEDING AND INTERVAL 1 DAY PRECEDING
      ), [])) AS sold
  FROM gold.product_demand
), placed AS (
  SELECT
    *,
    periods_before - len(sold) AS without_orders,
    95 * (periods_before - 1) AS hundredths
  FROM history
  WHERE periods_before >= 5
), bounds AS (
  SELECT
    *,
    coalesce(sold[hundredths // 100 - without_orders + 1], 0) * (hundredths // 100 >= without_orders)::BIGINT AS below,
    coalesce(sold[least(hundredths // 100 + 1, periods_before - 1) - without_orders + 1], 0)
      * (least(hundredths // 100 + 1, periods_before - 1) >= without_orders)::BIGINT AS above
  FROM placed
)
SELECT
  date_trunc('month', period_start)::DATE AS period_month,
  period_start,
  product_id,
  demand,
  ((below * 100 + (above - below) * (hundredths % 100)) / 100.0)::DECIMAL(18,2) AS threshold,
  periods_before
FROM bounds
WHERE demand * 100 > below * 100 + (above - below) * (hundredths % 100)
