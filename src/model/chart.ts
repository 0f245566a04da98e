import type { Columns } from './column.ts'

/** A page of charts that a pipeline brings. */
export interface Dashboard {
  readonly title: string
  readonly about?: string
  readonly charts: readonly Chart[]
}

/** A question and how its answer is shown. */
export interface Chart {
  readonly title: string
  readonly about?: string
  /** One statement that reads, over any table of the platform. */
  readonly sql: string
  /** What the answer's columns must be; checked when it comes. */
  readonly columns: Columns
  readonly show: ChartShape
  /** Of the page's twelve columns. */
  readonly width: number
}

export type ChartShape =
  /** The first row's value, large. `compare` is a column to compare it with. */
  | {
      readonly kind: 'number'
      readonly value: string
      readonly unit?: string
      readonly compare?: string
    }
  | {
      readonly kind: 'line' | 'area' | 'bar'
      readonly x: string
      readonly y: readonly string[]
      /** A column whose values are lines of their own. */
      readonly series?: string
      readonly unit?: string
      /** Bars lie, for long labels. */
      readonly lies?: boolean
    }
  | { readonly kind: 'table' }
