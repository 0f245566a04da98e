import type { FolderLoaderPlan } from 'mekong'

/** The AdventureWorks sales of 2015 to 2017: lines become orders, customers and products become reference data. */
export const adventureWorks: FolderLoaderPlan = {
  description:
    'A folder with AdventureWorks in CSV (Sales_*, Customers, Products, Product_Subcategories, Product_Categories)',
  path: '/orders',
  format: 'folder',
  relations: {
    sales: /^Sales_\d{4}\.csv(\.gz)?$/,
    customers: /^Customers\.csv(\.gz)?$/,
    products: /^Products\.csv(\.gz)?$/,
    subcategories: /^Product_Subcategories\.csv(\.gz)?$/,
    categories: /^Product_Categories\.csv(\.gz)?$/,
  },
  references: {
    customers: new URL('./load/customers.sql', import.meta.url),
    products: new URL('./load/products.sql', import.meta.url),
  },
  events: new URL('./load/orders.sql', import.meta.url),
}
