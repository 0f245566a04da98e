SELECT customer_id, customer_name, valid_from, valid_to IS NOT NULL AS is_gone
FROM silver.customers
QUALIFY row_number() OVER (PARTITION BY customer_id ORDER BY valid_from DESC) = 1
