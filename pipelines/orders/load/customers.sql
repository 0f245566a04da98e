SELECT CustomerKey::INTEGER AS customer_id, concat_ws(' ', FirstName, LastName) AS customer_name
FROM customers
ORDER BY customer_id
