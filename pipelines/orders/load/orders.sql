-- One order for the lines of one order number, oldest day first. The files know the day and not the hour.
SELECT to_json({
  order_id: OrderNumber,
  customer_id: any_value(CustomerKey)::INTEGER,
  order_timestamp: strftime(any_value(strptime(OrderDate, '%m/%d/%Y')), '%Y-%m-%dT%H:%M:%SZ'),
  historic: true,
  order_list: list(
    {product_id: ProductKey::INTEGER, quantity: OrderQuantity::INTEGER}
    ORDER BY OrderLineItem::INTEGER, ProductKey::INTEGER
  )
})::VARCHAR AS event
FROM sales
GROUP BY OrderNumber
ORDER BY any_value(strptime(OrderDate, '%m/%d/%Y')), OrderNumber
