import type { Columns } from './column.ts'

/** A page of charts that a pipeline brings. */
export interface Dashboard {
  readonly title: string
  readonly about?: string
  /** What is kept and pushed as it changes; shown above the charts. */
  readonly live: readonly LiveBlock[]
  readonly charts: readonly Chart[]
  /** Its texts in other languages: by language, then by the text itself. */
  readonly words: Readonly<Record<string, Readonly<Record<string, string>>>>
}

/**
 * A part of a dashboard that is not asked in SQL, but reads what the platform keeps: aggregates and documents. The page asks for them
 * itself, over the HTTP API.
 */
export type LiveBlock =
  | {
      /** Measures of kept aggregates, each beside the same stretch of the period before. */
      readonly kind: 'measures'
      readonly aggregates: string
      readonly measures: readonly { readonly name: string; readonly title: string }[]
    }
  | {
      /** A series of kept aggregates over time, by label. */
      readonly kind: 'series'
      readonly title: string
      readonly about?: string
      readonly aggregates: string
      readonly series: string
      /** Labels shown; the others are summed up. */
      readonly top: number
    }
  | {
      /** Documents of one thing that people look for by its id or name. */
      readonly kind: 'find'
      readonly title: string
      readonly about?: string
      readonly collection: string
      /** The field that holds the id. */
      readonly by: string
      /** Field to order by, with - for the other way round. */
      readonly order: string
      /** SQL that yields `value` and `label`: what can be found. */
      readonly suggest: string
      readonly columns: readonly string[]
      /** How elements of a list are written, by column: text with `{field}` in it. */
      readonly each?: Readonly<Record<string, string>>
      /** Text of the empty box: what to type. */
      readonly hint: string
    }
  | {
      /** A document each: a name, its history as a small line, and numbers beside it. */
      readonly kind: 'sparklines'
      readonly title: string
      readonly about?: string
      readonly collection: string
      /** Fields tried in order; the first that is there is the name. */
      readonly label: readonly string[]
      /** A list of numbers, oldest first. */
      readonly history: string
      readonly value: string
      /** Drawn as a line to cross. */
      readonly threshold?: string
      /** A task after which the documents are new. */
      readonly task?: string
      /** Said while there are none. */
      readonly empty: string
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
