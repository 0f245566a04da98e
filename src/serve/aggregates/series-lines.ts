import type { DatabaseSync } from 'node:sqlite'
import { assert } from '../../model/errors.ts'
import type { StepRange } from './aggregate-rows.ts'

export interface SeriesLinesRequest extends StepRange {
  /** Minutes of a step. */
  readonly width: number
  /** Labels with a line of their own; the others share one. */
  readonly top: number
  /** Only this label. */
  readonly label?: string
}

export interface SeriesLine {
  readonly label: string
  /** One for each step. */
  readonly values: readonly number[]
}

/** Most first; `other` last, when there is one. Made where the rows are read: there may be ten times as many as what is shown. */
export function seriesLines(
  database: DatabaseSync,
  { counter, from, to, width, top, label: only }: SeriesLinesRequest,
): readonly SeriesLine[] {
  const rows = rowsOf(database, { counter, from, to, ...(only === undefined ? {} : { only }) })
  const totals = new Map<number, number>()
  for (const [, label, value] of rows) totals.set(label, (totals.get(label) ?? 0) + value)
  const name = database.prepare('SELECT label FROM labels WHERE id = ?')
  // Equal totals are ordered by name, so that a line does not jump.
  const ranked = [...totals]
    .map(([id, total]) => ({ id, total, label: String(name.get(id)!.label) }))
    .sort((a, b) => b.total - a.total || (a.label < b.label ? -1 : 1))
  const count = Math.max(0, Math.round((to - from) / width))
  const lines = new Map(
    ranked.slice(0, top).map(({ id, label }) => [id, { label, values: zeros(count) }]),
  )
  const other = ranked.length > top ? { label: 'other', values: zeros(count) } : undefined
  for (const [step, label, value] of rows) {
    const line = lines.get(label) ?? other
    assert(line !== undefined, 'every label is shown or among the others')
    line.values[(step - from) / width]! += value
  }
  return [...lines.values(), ...(other === undefined ? [] : [other])]
}

const zeros = (count: number) => new Array<number>(count).fill(0)

/** Step, label, value; zeros left out. A sum may be past what a whole number of JavaScript holds; as a fraction it comes to the nearest. */
function rowsOf(
  database: DatabaseSync,
  { counter, from, to, only }: StepRange & { readonly only?: string },
): readonly (readonly [number, number, number])[] {
  const label = only === undefined ? '' : ' AND label = (SELECT id FROM labels WHERE label = ?)'
  const statement = database.prepare(
    `SELECT step, label, CAST(value AS REAL) FROM counts WHERE counter = ? AND step >= ? AND step < ?${label} AND value <> 0`,
  )
  statement.setReturnArrays(true)
  const rows = statement.all(counter, from, to, ...(only === undefined ? [] : [only]))
  return rows as unknown as [number, number, number][]
}
