import type { DuckDBValue } from '@duckdb/node-api'
import type { Columns } from '../../model/column.ts'
import type { ComputeEngine } from './engine.ts'
import { quoteIdentifier } from './quote-identifier.ts'
import { csvCell } from './row-set.ts'
import { cellReader, nullable } from './row-values.ts'

// The rows of a SELECT on their way to a store that takes whole tables. In any order; in bounded memory.

export interface SelectRows {
  csv(signal?: AbortSignal): AsyncIterable<Uint8Array>
  chunks(signal?: AbortSignal): AsyncIterable<readonly (readonly unknown[])[]>
}

/** Rows of `select`, which yields `columns`, read anew by each call. */
export function selectRows(engine: ComputeEngine, select: string, columns: Columns): SelectRows {
  const names = columns.map(({ name }) => quoteIdentifier(name)).join(', ')
  async function* rowsOf(sql: string, signal?: AbortSignal): AsyncGenerator<DuckDBValue[][]> {
    const connection = await engine.connection()
    try {
      for await (const chunk of connection.stream(sql, signal)) yield chunk.getRows()
    } finally {
      connection.close()
    }
  }
  return {
    async *csv(signal) {
      const cells = columns.map(({ name, type }) => csvCell(quoteIdentifier(name), type))
      const line = `${cells.join(` || ',' || `)} || chr(10)`
      for await (const rows of rowsOf(`SELECT ${line} FROM (${select})`, signal))
        yield Buffer.from(rows.map(([text]) => text as string).join(''))
    },
    async *chunks(signal) {
      const readers = columns.map(({ type }) => nullable(cellReader(type)))
      for await (const rows of rowsOf(`SELECT ${names} FROM (${select})`, signal))
        yield rows.map((row) => readers.map((read, index) => read(row[index]!)))
    },
  }
}

/** How many rows `select` yields, and the longest text in each of its text columns, in characters. */
export async function measureRows(
  engine: ComputeEngine,
  select: string,
  columns: Columns,
  signal?: AbortSignal,
): Promise<{ readonly count: number; readonly textLengths: Readonly<Record<string, number>> }> {
  const texts = columns.filter(({ type }) => type === 'string').map(({ name }) => name)
  const lengths = texts.map((name) => `max(length(${quoteIdentifier(name)}))`)
  const connection = await engine.connection()
  try {
    const [row] = await connection.rows(
      `SELECT ${['count(*)', ...lengths].join(', ')} FROM (${select})`,
      signal,
    )
    const facts = texts.map((name, index) => [name, Number(row![index + 1] ?? 0)] as const)
    return { count: Number(row![0]), textLengths: Object.fromEntries(facts) }
  } finally {
    connection.close()
  }
}
