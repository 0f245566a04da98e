SELECT
  ProductKey::INTEGER AS product_id,
  ProductName AS product_name,
  CategoryName AS product_category,
  ProductPrice::DECIMAL(18,4) AS price
FROM products
JOIN subcategories USING (ProductSubcategoryKey)
JOIN categories USING (ProductCategoryKey)
ORDER BY product_id
