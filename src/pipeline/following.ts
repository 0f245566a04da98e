import type { AggregatesShape } from '../model/aggregates.ts'
import { columnsOf, type RecordSchema } from '../model/schema.ts'
import type { WarehousePlan } from './plan.ts'

// What a pipeline may say about everything that follows its lake tables: documents, collections, aggregates, a warehouse.

export interface DocumentsOptions {
  readonly from: string
  /** Column whose value names the document. */
  readonly id: string
  readonly columns: readonly string[]
  /** Fields to look documents up by. */
  readonly indexes?: readonly (readonly string[])[]
}

export interface AggregatesOptions extends AggregatesShape {
  readonly from: string
  /** Keep the measures in a collection of documents too: one document for each period that is running, and one for all time. */
  readonly collection?: string
}

export interface WarehouseOptions {
  /** A table of this pipeline whose commits say which days have changed. */
  readonly from: string
  /** Its column of days, such as `event_date`. */
  readonly day: string
  readonly reads?: readonly string[]
  readonly tables: Readonly<Record<string, WarehouseTableOptions>>
  /** By name, in SQL that all warehouses share; made anew with each load. */
  readonly views?: Readonly<Record<string, string>>
  readonly tags?: readonly string[]
}

export interface WarehouseTableOptions {
  /** Over tables of the lake, and `run.days` with the days to load as `day`. Yields the columns in their order. */
  readonly sql: URL | string
  readonly columns: RecordSchema
  /** Replace the rows of the days loaded: a column of days. */
  readonly day?: string
  /** Or replace rows by key. */
  readonly key?: string
}

export interface CollectionOptions {
  /** What the documents are, with `run.moment` as a relation of one row: `logical_time`, `logical_date`. */
  readonly sql: URL | string
  /** Column whose value names the document. */
  readonly id: string
  /** Tables that it reads: whatever writes them runs before. */
  readonly reads: readonly string[]
  readonly indexes?: readonly (readonly string[])[]
  readonly tags?: readonly string[]
}

/** A warehouse with its tables and views in order. */
export const warehousePlan = (
  name: string,
  { from, day: dayColumn, reads = [], tables, views = {}, tags = [] }: WarehouseOptions,
): WarehousePlan => ({
  ...{ name, from, day: dayColumn, reads, tags },
  tables: Object.entries(tables).map(([table, { sql, columns, day: by, key }]) => ({
    ...{ name: table, sql, columns: columnsOf(columns) },
    load: key === undefined ? { by: 'day', day: by ?? dayColumn } : { by: 'key', key },
  })),
  views: Object.entries(views).map(([view, sql]) => ({ name: view, sql })),
})
