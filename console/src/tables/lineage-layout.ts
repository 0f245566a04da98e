import type { ColumnPlace, Lineage } from './answers.ts'

// Where the tables of a lineage stand, and which columns are shown in them. Pure.

export interface LineageBox {
  readonly table: Lineage['tables'][number]
  readonly columns: readonly string[]
  readonly ends: Lineage['ends']
  readonly x: number
  readonly y: number
  readonly height: number
}

export const BOX_WIDTH = 198
export const LINE_HEIGHT = 22
const HEAD_HEIGHT = 42
const GAP_X = 46
const GAP_Y = 18

export const keyOf = ({ table, column }: ColumnPlace) => `${table}.${column}`

/** Columns that one column is made of, and that it goes into, over any number of models; itself among them. */
export function chainOf({ columns }: Lineage, start: ColumnPlace): ReadonlySet<string> {
  const found = new Set([keyOf(start)])
  const follow = (side: 'from' | 'to', other: 'from' | 'to') => {
    const seen = new Set<string>()
    const walk = (place: ColumnPlace) => {
      if (seen.has(keyOf(place))) return
      seen.add(keyOf(place))
      found.add(keyOf(place))
      for (const edge of columns) if (keyOf(edge[side]) === keyOf(place)) walk(edge[other])
    }
    walk(start)
  }
  follow('to', 'from')
  follow('from', 'to')
  return found
}

/** Tables by their distance, left to right; `shown` says which columns. */
export function lineageLayout(
  lineage: Lineage,
  shown: (table: string) => readonly string[],
): { readonly boxes: readonly LineageBox[]; readonly width: number; readonly height: number } {
  const depths = [...new Set(lineage.tables.map(({ depth }) => depth))].sort((a, b) => a - b)
  const boxes: LineageBox[] = []
  for (const [place, depth] of depths.entries()) {
    let y = 0
    for (const table of lineage.tables.filter((each) => each.depth === depth)) {
      const columns = shown(table.name)
      const ends = lineage.ends.filter((end) => end.table === table.name)
      const height = HEAD_HEIGHT + (columns.length + ends.length) * LINE_HEIGHT
      boxes.push({ table, columns, ends, x: place * (BOX_WIDTH + GAP_X), y, height })
      y += height + GAP_Y
    }
  }
  const width = depths.length * (BOX_WIDTH + GAP_X) - GAP_X
  const height = Math.max(0, ...boxes.map((box) => box.y + box.height))
  return { boxes, width, height }
}

/** Where edges meet a box: at the line of a column, or at its head. */
export function heightOf(box: LineageBox, column: string | undefined): number {
  const line = column === undefined ? -1 : box.columns.indexOf(column)
  return box.y + (line < 0 ? HEAD_HEIGHT / 2 : HEAD_HEIGHT + (line + 0.5) * LINE_HEIGHT)
}
