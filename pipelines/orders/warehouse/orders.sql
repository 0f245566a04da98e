SELECT order_id, customer_id, order_timestamp, client_timestamp, server_timestamp, event_date AS order_date, _raw AS document
FROM bronze.orders
WHERE event_date IN (SELECT day FROM run.days)
