-- How many of each product were ordered in each period: a period is a day of UTC. Days on which a product was not ordered have no row; who
-- reads this counts them as zero.
SELECT
  date_trunc('month', event_date)::DATE AS period_month,
  event_date AS period_start,
  item.product_id AS product_id,
  sum(item.quantity)::BIGINT AS demand
FROM (SELECT event_date, unnest(order_list) AS item FROM silver.orders)
GROUP BY event_date, item.product_id
