import { chart, dashboard, date, float64, int32, int64, record, text } from 'mekong'

const HOURS = ['Truyen Hinh', 'Phim Truyen', 'Giai Tri', 'Thieu Nhi', 'The Thao']
  .map(
    (name) =>
      `SELECT event_date, '${name}' AS category, sum("${name}") / 3600.0 AS hours FROM silver.content_days GROUP BY event_date`,
  )
  .join(' UNION ALL ')

/** What customers watch, and what they look for. */
export const ottDashboard = dashboard(
  'Television',
  [
    chart('Customers', {
      sql: 'SELECT count(*) AS customers FROM gold.customer_content_stats',
      rows: record({ customers: int64() }),
      show: { kind: 'number', value: 'customers' },
    }),
    chart('Days with somebody watching', {
      sql: 'SELECT count(DISTINCT event_date) AS days FROM silver.content_days',
      rows: record({ days: int64() }),
      show: { kind: 'number', value: 'days' },
    }),
    chart('Hours a customer', {
      sql: 'SELECT avg(("Truyen Hinh" + "Phim Truyen" + "Giai Tri" + "Thieu Nhi" + "The Thao") / 3600.0) AS hours FROM gold.customer_content_stats',
      rows: record({ hours: float64() }),
      show: { kind: 'number', value: 'hours', unit: 'h' },
    }),
    chart('Searchers whose taste changed', {
      sql: "SELECT count(*) FILTER (WHERE taste = 'Changed') * 100.0 / nullif(count(*), 0) AS share FROM gold.customer_search_stats",
      rows: record({ share: float64() }),
      show: { kind: 'number', value: 'share', unit: '%' },
    }),
    chart('Viewing by day', {
      sql: `${HOURS} ORDER BY event_date, category`,
      rows: record({ event_date: date(), category: text(), hours: float64() }),
      show: { kind: 'line', x: 'event_date', y: 'hours', series: 'category', unit: 'h' },
      width: 8,
    }),
    chart('Watched most', {
      sql: 'SELECT "MostWatch" AS category, count(*) AS customers FROM gold.customer_content_stats WHERE "MostWatch" IS NOT NULL GROUP BY category ORDER BY customers DESC',
      rows: record({ category: text(), customers: int64() }),
      show: { kind: 'bar', x: 'category', y: 'customers', lies: true },
      width: 4,
    }),
    chart('Days active', {
      about: 'Customers by how many days of the month they watched.',
      sql: 'SELECT "Active" AS days, count(*) AS customers FROM gold.customer_content_stats GROUP BY days ORDER BY days',
      rows: record({ days: int32(), customers: int64() }),
      show: { kind: 'bar', x: 'days', y: 'customers' },
    }),
    chart('Tastes', {
      sql: 'SELECT "Taste" AS taste, count(*) AS customers FROM gold.customer_content_stats WHERE "Taste" IS NOT NULL GROUP BY taste ORDER BY customers DESC, taste LIMIT 10',
      rows: record({ taste: text(), customers: int64() }),
      show: { kind: 'bar', x: 'taste', y: 'customers', lies: true },
    }),
    chart('Searches, from one month to the next', {
      sql: 'SELECT taste, count(*) AS people FROM gold.customer_search_stats GROUP BY taste ORDER BY people DESC',
      rows: record({ taste: text(), people: int64() }),
      show: { kind: 'bar', x: 'taste', y: 'people', lies: true },
      width: 4,
    }),
    chart('Where tastes went', {
      sql: `SELECT category_m6 AS before, category_m7 AS after, count(*) AS people FROM gold.customer_search_stats
      WHERE taste = 'Changed' GROUP BY ALL ORDER BY people DESC, before, after LIMIT 12`,
      rows: record({ before: text(), after: text(), people: int64() }),
      show: { kind: 'table' },
      width: 8,
    }),
  ],
  {
    words: {
      vi: {
        Television: 'Truyền hình',
        Customers: 'Khách hàng',
        'Days with somebody watching': 'Số ngày có người xem',
        'Hours a customer': 'Số giờ mỗi khách',
        'Searchers whose taste changed': 'Người tìm kiếm đã đổi sở thích',
        'Viewing by day': 'Thời lượng xem theo ngày',
        'Watched most': 'Xem nhiều nhất',
        'Days active': 'Số ngày hoạt động',
        Tastes: 'Khẩu vị',
        'Searches, from one month to the next': 'Tìm kiếm, tháng này so với tháng trước',
        'Where tastes went': 'Sở thích chuyển sang đâu',
        'Customers by how many days of the month they watched.':
          'Khách hàng theo số ngày xem trong tháng.',
        before: 'trước',
        after: 'sau',
        people: 'người',
        customers: 'khách hàng',
        days: 'ngày',
        hours: 'giờ',
        h: 'giờ',
      },
    },
  },
)
