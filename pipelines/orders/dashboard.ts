import {
  chart,
  dashboard,
  date,
  float64,
  int64,
  liveFind,
  liveMeasures,
  liveSeries,
  liveSparklines,
  record,
  text,
  timestamp,
} from 'mekong'

/** What is sold, to whom, and what is suddenly wanted: pushed as orders come in. */
export const ordersDashboard = dashboard(
  'Orders',
  [
    chart('Sales by day', {
      sql: `SELECT event_date, sum(total)::DOUBLE AS sales FROM silver.orders GROUP BY event_date ORDER BY event_date`,
      rows: record({ event_date: date(), sales: float64() }),
      show: { kind: 'area', x: 'event_date', y: 'sales' },
      width: 8,
    }),
    chart('Categories of all time', {
      sql: `SELECT coalesce(line.product_category, 'unknown') AS category, sum(line.quantity * line.price)::DOUBLE AS sales
      FROM (SELECT unnest(order_list) AS line FROM silver.orders) GROUP BY category ORDER BY sales DESC NULLS LAST, category LIMIT 10`,
      rows: record({ category: text(), sales: float64() }),
      show: { kind: 'bar', x: 'category', y: 'sales', lies: true },
      width: 4,
    }),
    chart('Newest orders', {
      sql: `SELECT order_timestamp AS at, customer_name AS customer, len(order_list) AS lines, total::DOUBLE AS total
      FROM silver.orders ORDER BY order_timestamp DESC, order_id LIMIT 12`,
      rows: record({ at: timestamp(), customer: text(), lines: int64(), total: float64() }),
      show: { kind: 'table' },
      width: 8,
    }),
    chart('Waiting for a customer or product', {
      about:
        'Orders that name what the reference data does not have yet. They are completed when it comes.',
      sql: `SELECT missing, count(*) AS orders FROM (SELECT unnest(missing_refs) AS missing FROM silver.orders)
      GROUP BY missing ORDER BY orders DESC, missing LIMIT 12`,
      rows: record({ missing: text(), orders: int64() }),
      show: { kind: 'bar', x: 'missing', y: 'orders', lies: true },
      width: 4,
    }),
  ],
  {
    live: [
      liveMeasures('orders', { sales: 'Sales', orders: 'Orders', customers: 'Customers' }),
      liveSeries('Value by category', { aggregates: 'orders', series: 'category_value', top: 10 }),
      liveSparklines('Suddenly wanted', {
        about:
          'Products whose demand of the last day that has ended was above the 95th percentile of the 90 days before it.',
        collection: 'surging',
        label: ['product_name', 'product_id'],
        history: 'historical_counts',
        value: 'demand',
        threshold: 'threshold',
        task: 'publish/orders/surging',
        empty:
          'No product was asked for unusually often yesterday. The list is made anew every hour by the schedule “surges”.',
      }),
      liveFind('Orders of a customer', {
        collection: 'orders',
        by: 'customer_id',
        order: '-order_timestamp',
        suggest:
          'SELECT customer_id AS value, customer_name AS label FROM silver.customers WHERE valid_to IS NULL',
        columns: ['order_timestamp', 'order_id', 'order_list', 'missing_refs', 'total'],
        each: { order_list: '{quantity} × {product_category} ({product_id}) {price}' },
        hint: 'Name or number of a customer',
      }),
    ],
    words: {
      en: {
        order_timestamp: 'at',
        order_id: 'order',
        order_list: 'lines',
        missing_refs: 'still missing',
        total: 'total',
        event_date: 'day',
      },
      vi: {
        Orders: 'Đơn hàng',
        Sales: 'Doanh số',
        Customers: 'Khách hàng',
        'Value by category': 'Giá trị theo ngành hàng',
        'Suddenly wanted': 'Bỗng dưng đắt hàng',
        'Products whose demand of the last day that has ended was above the 95th percentile of the 90 days before it.':
          'Những mặt hàng mà nhu cầu trong ngày gần nhất vừa kết thúc vượt bách phân vị 95 của 90 ngày trước đó.',
        'No product was asked for unusually often yesterday. The list is made anew every hour by the schedule “surges”.':
          'Hôm qua không có mặt hàng nào được mua nhiều bất thường. Danh sách được lập lại mỗi giờ theo lịch “surges”.',
        'Orders of a customer': 'Đơn hàng của một khách',
        'Name or number of a customer': 'Tên hoặc mã khách hàng',
        order_timestamp: 'lúc đặt',
        order_id: 'mã đơn',
        order_list: 'các dòng hàng',
        missing_refs: 'còn thiếu',
        total: 'tổng',
        'Sales by day': 'Doanh số theo ngày',
        'Categories of all time': 'Ngành hàng từ trước đến nay',
        'Newest orders': 'Đơn hàng mới nhất',
        'Waiting for a customer or product': 'Đang chờ thông tin khách hoặc hàng',
        'Orders that name what the reference data does not have yet. They are completed when it comes.':
          'Những đơn nhắc đến khách hoặc mặt hàng mà dữ liệu tham chiếu chưa có. Khi có, đơn sẽ được bổ sung.',
        at: 'lúc',
        customer: 'khách',
        lines: 'số dòng',
        category: 'ngành hàng',
        sales: 'doanh số',
        orders: 'đơn hàng',
        event_date: 'ngày',
      },
    },
  },
)
