import type { Columns, ColumnType } from '../src/model/column.ts'
import type { IndexRange, RowSet } from '../src/serve/sink.ts'

/** JavaScript values in the form `RowSet.chunks` promises. */
export type MemoryRow = readonly unknown[]

const CHUNK_ROWS = 1_000

/** A row set over rows in memory. */
export function memoryRowSet(columns: Columns, rows: readonly MemoryRow[]): RowSet {
  const within = ({ start, end }: IndexRange = { start: 0, end: rows.length }) =>
    rows.slice(start, end)
  return {
    columns,
    count: rows.length,
    async *csv(range) {
      const chosen = within(range)
      for (let at = 0; at < chosen.length; at += CHUNK_ROWS) {
        const lines = chosen.slice(at, at + CHUNK_ROWS).map((row) => csvLine(columns, row))
        yield Buffer.from(lines.join(''), 'utf8')
      }
    },
    async *chunks(range) {
      const chosen = within(range)
      for (let at = 0; at < chosen.length; at += CHUNK_ROWS) yield chosen.slice(at, at + CHUNK_ROWS)
    },
  }
}

function csvLine(columns: Columns, row: MemoryRow): string {
  return `${columns.map((column, index) => csvCell(row[index], column.type)).join(',')}\n`
}

function csvCell(value: unknown, type: ColumnType): string {
  if (value === null) return '\\N'
  if (value instanceof Uint8Array) return `\\x${Buffer.from(value).toString('hex')}`
  if (type === 'timestamp') return `${isoMicros(value as bigint)}+00`
  if (type === 'timestamp_ntz') return isoMicros(value as bigint)
  const text = String(value)
  // Quoted when it must be, and when it is a word that would mean something bare: a null, or the end of the data.
  return /[",\r\n]|^\\[N.]$|^$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/** `2023-11-29 05:09:27.890123`, from microseconds since 1970. */
function isoMicros(micros: bigint): string {
  const second = micros >= 0n ? micros / 1_000_000n : (micros - 999_999n) / 1_000_000n
  const fraction = String(micros - second * 1_000_000n).padStart(6, '0')
  const text = new Date(Number(second) * 1000).toISOString()
  return `${text.slice(0, 19).replace('T', ' ')}.${fraction}`
}
