import type { Chart, ChartShape, Dashboard, LiveBlock } from '../model/chart.ts'
import { columnsOf, type FieldMap, type RecordSchema, type Row } from '../model/schema.ts'

// Dashboards as code: a question in SQL, the columns of its answer, and how to show them. A chart that names a column which the answer does
// not have does not compile; an answer that is not as declared is said on the page.

type NumberName<R> = {
  [Name in keyof R]: NonNullable<R[Name]> extends number | bigint ? Name : never
}[keyof R] &
  string
type Name<R> = keyof R & string

/** How a chart shows rows of `R`. */
export type Show<R> =
  | {
      readonly kind: 'number'
      readonly value: NumberName<R>
      readonly unit?: string
      readonly compare?: NumberName<R>
    }
  | {
      readonly kind: 'line' | 'area' | 'bar'
      readonly x: Name<R>
      readonly y: NumberName<R> | readonly NumberName<R>[]
      readonly series?: Name<R>
      readonly unit?: string
      readonly lies?: boolean
    }
  | { readonly kind: 'table' }

export interface ChartOptions<Fields extends FieldMap> {
  readonly sql: string
  readonly rows: RecordSchema<Fields>
  readonly show: Show<Row<RecordSchema<Fields>>>
  readonly about?: string
  /** Of twelve columns; default 3 for a number, 6 for others. */
  readonly width?: number
}

/** A chart. Rows are few: what a screen can show. */
export function chart<const Fields extends FieldMap>(
  title: string,
  { sql, rows, show, about, width }: ChartOptions<Fields>,
): Chart {
  return Object.freeze({
    title,
    sql,
    columns: columnsOf(rows),
    show: shapeOf(show as Show<Record<string, number>>),
    width: width ?? (show.kind === 'number' ? 3 : 6),
    ...(about === undefined ? {} : { about }),
  })
}

export interface DashboardOptions {
  readonly about?: string
  /** What is pushed as it changes, above the charts; made by `liveMeasures` and its like. */
  readonly live?: readonly LiveBlock[]
  /** Titles and texts in other languages, by language (`vi`), then by the text as it is said here. */
  readonly words?: Readonly<Record<string, Readonly<Record<string, string>>>>
}

/** A page of charts. */
export const dashboard = (
  title: string,
  charts: readonly Chart[],
  { about, live = [], words = {} }: DashboardOptions = {},
): Dashboard =>
  Object.freeze({ title, live, charts, words, ...(about === undefined ? {} : { about }) })

function shapeOf(show: Show<Record<string, number>>): ChartShape {
  if (show.kind === 'number' || show.kind === 'table') return show
  return { ...show, y: typeof show.y === 'string' ? [show.y] : show.y }
}

type Report = (where: string, what: string, fix: string) => void

/** For callers without types, and for what types cannot say. */
export function checkDashboards(dashboards: readonly Dashboard[], report: Report): void {
  if (dashboards.length > 1)
    report('dashboard', 'is said more than once', 'Keep one dashboard a pipeline')
  for (const page of dashboards) {
    const { charts } = page
    checkWords(page, report)
    const titles = charts.map(({ title }) => title)
    for (const title of new Set(titles.filter((t, index) => titles.indexOf(t) !== index)))
      report(`chart ${title}`, 'is there twice', 'Give each a title of its own')
    for (const { title, show, columns, width } of charts) {
      if (!(Number.isInteger(width) && width >= 1 && width <= 12))
        report(`chart ${title}`, `is ${width} columns wide`, 'Use 1 to 12')
      for (const name of namesIn(show))
        if (!columns.some((column) => column.name === name))
          report(
            `chart ${title}`,
            `shows "${name}", which its rows do not have`,
            `They have ${columns.map((column) => column.name).join(', ')}`,
          )
    }
  }
}

/** A translation of what is not said any more is a mistake, such as a title that was changed on one side. */
function checkWords(page: Dashboard, report: Report): void {
  const said = new Set(textsOf(page))
  for (const [language, texts] of Object.entries(page.words))
    for (const text of Object.keys(texts))
      if (!said.has(text))
        report(
          `dashboard ${page.title}`,
          `translates "${text}" to ${language}, which it does not say`,
          'Take the text out, or say it as the dashboard does',
        )
}

/** Every text of a dashboard that people read. */
function textsOf({ title, about, live, charts }: Dashboard): readonly (string | undefined)[] {
  return [
    ...[title, about],
    ...live.flatMap((block) =>
      block.kind === 'measures'
        ? block.measures.map((measure) => measure.title)
        : [
            ...[block.title, block.about],
            ...(block.kind === 'find' ? [block.hint, ...block.columns] : []),
            ...(block.kind === 'sparklines' ? [block.empty] : []),
          ],
    ),
    ...charts.flatMap((one) => [
      ...[one.title, one.about],
      ...one.columns.map(({ name }) => name),
      ...('unit' in one.show ? [one.show.unit] : []),
    ]),
  ]
}

function namesIn(show: ChartShape): readonly string[] {
  if (show.kind === 'table') return []
  if (show.kind === 'number')
    return [show.value, ...(show.compare === undefined ? [] : [show.compare])]
  return [show.x, ...show.y, ...(show.series === undefined ? [] : [show.series])]
}
