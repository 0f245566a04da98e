import type { Writable } from 'node:stream'

/** Where a command speaks: results to `out`, everything about the work to `err`, so that pipes stay clean. */
export interface Terminal {
  print(text: string): void
  printJson(value: unknown): void
  note(text: string): void
  /** A line that replaces itself on a terminal and is silent in a pipe. An empty text clears it. */
  progress(text: string): void
  table(headings: readonly string[], rows: readonly (readonly unknown[])[]): void
  readonly interactive: boolean
}

export function openTerminal(
  out: Writable & { isTTY?: boolean },
  err: Writable & { isTTY?: boolean; columns?: number },
): Terminal {
  let progressShown = false
  const clear = () => {
    if (progressShown) err.write('\r\x1b[2K')
    progressShown = false
  }
  const print = (text: string) => {
    clear()
    out.write(`${text}\n`)
  }
  return {
    interactive: err.isTTY === true,
    print,
    printJson: (value) => print(JSON.stringify(value, jsonSafe)),
    note(text) {
      clear()
      err.write(`${text}\n`)
    },
    progress(text) {
      if (err.isTTY !== true) return
      clear()
      if (text === '') return
      err.write(text.slice(0, (err.columns ?? 80) - 1))
      progressShown = true
    },
    table: (headings, rows) => print(tableText(headings, rows)),
  }
}

/** Whole numbers of 64 bits as JSON numbers where those are exact, as text where not. */
function jsonSafe(_key: string, value: unknown): unknown {
  if (typeof value !== 'bigint') return value
  return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER
    ? Number(value)
    : String(value)
}

/** A plain table: numbers to the right with separators, everything else to the left, nulls as a dot. */
export function tableText(
  headings: readonly string[],
  rows: readonly (readonly unknown[])[],
): string {
  const numeric = headings.map(
    (_, column) =>
      rows.length > 0 &&
      rows.every(
        (row) =>
          row[column] === null ||
          typeof row[column] === 'number' ||
          typeof row[column] === 'bigint',
      ),
  )
  const cells = rows.map((row) => row.map((value) => cellText(value)))
  const widths = headings.map((heading, column) =>
    Math.max(displayWidth(heading), ...cells.map((row) => displayWidth(row[column] ?? ''))),
  )
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => {
        const space = ' '.repeat(Math.max(0, widths[column]! - displayWidth(cell)))
        return numeric[column] ? space + cell : cell + space
      })
      .join('  ')
      .trimEnd()
  const rule = widths.map((width) => '─'.repeat(width)).join('  ')
  return [line(headings), rule, ...cells.map(line)].join('\n')
}

const CELL_WIDTH_MAX = 80

function cellText(value: unknown): string {
  if (value === null || value === undefined) return '·'
  if (typeof value === 'number')
    return Number.isInteger(value) ? grouped(String(value)) : String(value)
  if (typeof value === 'bigint') return grouped(String(value))
  const text = (typeof value === 'string' ? value : JSON.stringify(value)).replaceAll(
    /[\r\n\t]+/g,
    ' ',
  )
  return text.length > CELL_WIDTH_MAX ? `${text.slice(0, CELL_WIDTH_MAX - 1)}…` : text
}

const grouped = (digits: string) => digits.replaceAll(/\B(?=(\d{3})+(?!\d))/g, ',')

const displayWidth = (text: string) => [...text].length
