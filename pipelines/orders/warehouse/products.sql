SELECT product_id, product_name, product_category, price, valid_from, valid_to IS NOT NULL AS is_gone
FROM silver.products
QUALIFY row_number() OVER (PARTITION BY product_id ORDER BY valid_from DESC) = 1
