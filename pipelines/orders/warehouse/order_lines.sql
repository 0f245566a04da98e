SELECT order_id, line_number, item.product_id, item.quantity, order_date
FROM (
  SELECT order_id, event_date AS order_date, unnest(order_list) AS item, generate_subscripts(order_list, 1)::INTEGER AS line_number
  FROM bronze.orders
  WHERE event_date IN (SELECT day FROM run.days)
)
