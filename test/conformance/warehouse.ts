import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { TableLoad, Warehouse, WarehouseTable } from '../../src/serve/warehouse.ts'

// What every warehouse must do, embedded or real.

export interface WarehouseUnderTest {
  readonly warehouse: Warehouse
  /** Cells as text. */
  rows(sql: string): Promise<readonly (readonly (string | null)[])[]>
  /** Why an empty text comes back as null, where it does. */
  readonly emptyTextIsNull?: string
  close(): Promise<void>
}

const ORDERS: WarehouseTable = {
  name: 'raw.orders',
  columns: [
    { name: 'order_id', type: 'string', nullable: false },
    { name: 'order_date', type: 'date', nullable: false },
    { name: 'ordered_at', type: 'timestamp', nullable: true },
    { name: 'price', type: { kind: 'decimal', precision: 18, scale: 4 }, nullable: true },
    { name: 'document', type: 'string', nullable: true },
  ],
  load: { by: 'day', day: 'order_date' },
}
const CUSTOMERS: WarehouseTable = {
  name: 'raw.customers',
  columns: [
    { name: 'customer_id', type: 'int32', nullable: false },
    { name: 'customer_name', type: 'string', nullable: true },
    { name: 'is_gone', type: 'boolean', nullable: false },
  ],
  load: { by: 'key', key: 'customer_id' },
}
const VIEW = {
  name: 'analytics.daily',
  sql: 'SELECT order_date, COUNT(*) AS orders, SUM(price) AS sales FROM raw.orders GROUP BY order_date',
}

export function describeWarehouse(
  name: string,
  open: () => Promise<WarehouseUnderTest | undefined>,
): void {
  describe(`warehouse in ${name}`, { timeout: 120_000 }, () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'mekong-warehouse-'))
    const consumer = `t${Date.now()}`
    let held: WarehouseUnderTest | undefined
    beforeAll(async () => {
      held = await open()
    }, 300_000)
    afterAll(async () => {
      await held?.close()
      rmSync(folder, { recursive: true })
    })
    const it = (what: string, work: (to: WarehouseUnderTest) => Promise<void>) =>
      test(what, async (context) => {
        if (held === undefined) return context.skip()
        await work(held)
      })
    let fileCount = 0
    const csv = (table: WarehouseTable, days: string[], lines: string[]): TableLoad => {
      fileCount += 1
      const file = path.join(folder, `${fileCount}.csv`)
      const header = table.columns.map((column) => column.name).join(',')
      writeFileSync(file, `${[header, ...lines].join('\n')}\n`)
      return { table, file, rowCount: lines.length, days }
    }
    const orders = (...lines: string[]) => lines
    const first = () => [
      csv(
        ORDERS,
        ['2024-01-01', '2024-01-02'],
        orders(
          'a,2024-01-01,2024-01-01 10:00:00+00,1.5000,"{""x"":1}"',
          'b,2024-01-01,,2.2500,""',
          '"c, d",2024-01-02,2024-01-02 23:59:59.123456+00,,',
        ),
      ),
      csv(CUSTOMERS, [], ['1,Ann,false', '2,"Ben ""B""",false']),
    ]
    const ORDER_ROWS = `SELECT order_id, CAST(order_date AS VARCHAR), CAST(price AS VARCHAR), document FROM raw.orders ORDER BY order_id`

    it('tables and views are made, and making them again changes nothing', async ({
      warehouse,
    }) => {
      await warehouse.open([ORDERS, CUSTOMERS], [VIEW])
      await warehouse.open([ORDERS, CUSTOMERS], [VIEW])
      expect(await warehouse.cursor(consumer)).toBeUndefined()
    })

    it('a load brings every cell, and loading it again changes nothing', async ({
      warehouse,
      rows,
      emptyTextIsNull,
    }) => {
      if (emptyTextIsNull !== undefined) console.log(emptyTextIsNull)
      for (const _ of [1, 2]) {
        await warehouse.load(consumer, first(), { version: 4, day: '2024-01-02' })
        expect(await rows(ORDER_ROWS)).toEqual([
          ['a', '2024-01-01', '1.5000', '{"x":1}'],
          ['b', '2024-01-01', '2.2500', emptyTextIsNull === undefined ? '' : null],
          ['c, d', '2024-01-02', null, null],
        ])
        expect(await warehouse.cursor(consumer)).toEqual({ version: 4, day: '2024-01-02' })
      }
      expect(
        await rows(
          'SELECT CAST(order_date AS VARCHAR), CAST(orders AS VARCHAR) FROM analytics.daily ORDER BY 1',
        ),
      ).toEqual([
        ['2024-01-01', '2'],
        ['2024-01-02', '1'],
      ])
    })

    it('a day that is loaded again is replaced as a whole, the others stay', async ({
      warehouse,
      rows,
    }) => {
      const again = csv(ORDERS, ['2024-01-01'], ['e,2024-01-01,,9.0000,'])
      await warehouse.load(consumer, [again, csv(CUSTOMERS, [], [])], {
        version: 5,
        day: '2024-01-03',
      })
      expect((await rows(ORDER_ROWS)).map(([id]) => id)).toEqual(['c, d', 'e'])
      const emptied = csv(ORDERS, ['2024-01-02'], [])
      await warehouse.load(consumer, [emptied], { version: 6, day: '2024-01-03' })
      expect((await rows(ORDER_ROWS)).map(([id]) => id)).toEqual(['e'])
    })

    it('rows by key take the place of older ones', async ({ warehouse, rows }) => {
      const changed = csv(CUSTOMERS, [], ['2,Bea,false', '3,,true'])
      await warehouse.load(consumer, [changed], { version: 7, day: '2024-01-03' })
      expect(
        await rows(
          'SELECT CAST(customer_id AS VARCHAR), customer_name FROM raw.customers ORDER BY 1',
        ),
      ).toEqual([
        ['1', 'Ann'],
        ['2', 'Bea'],
        ['3', null],
      ])
    })

    it('a load that fails leaves everything as it was', async ({ warehouse, rows }) => {
      const good = csv(CUSTOMERS, [], ['1,Zoe,false'])
      const bad = csv(ORDERS, ['2024-01-01'], ['f,not a day,,1,'])
      await expect(
        warehouse.load(consumer, [good, bad], { version: 8, day: '2024-01-04' }),
      ).rejects.toThrow()
      expect((await rows(ORDER_ROWS)).map(([id]) => id)).toEqual(['e'])
      expect(await rows('SELECT customer_name FROM raw.customers WHERE customer_id = 1')).toEqual([
        ['Ann'],
      ])
      expect(await warehouse.cursor(consumer)).toEqual({ version: 7, day: '2024-01-03' })
    })
  })
}
