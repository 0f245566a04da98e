import path from 'node:path'
import type { EngineConnection } from '../sql/duckdb/engine.ts'
import { type DeadLine, pathList } from '../sql/duckdb/stage-day.ts'
import type { DayUnit } from './day-unit.ts'
import { sourceLines } from './source-lines.ts'

/** A line that is not kept, with its bytes, its place and what is wrong with it. */
export interface FoundDeadLine {
  readonly index: number
  readonly file: string
  /** From 1. In Parquet it is the number of the row among all of the day. */
  readonly lineNumber: number
  readonly reason: string
  readonly message: string
  readonly bytes: Uint8Array
}

/** The dead lines of a day, read again from its files, where they are whole. */
export async function* deadLines(
  connection: EngineConnection,
  { unit, dead, signal }: { unit: DayUnit; dead: readonly DeadLine[]; signal: AbortSignal },
): AsyncGenerator<FoundDeadLine> {
  if (dead.length === 0) return
  const { files, paths } = unit
  const facts = new Map(dead.map((line) => [line.index, line]))
  const indexes = dead.map(({ index }) => index)
  const lines =
    files.format === 'ndjson'
      ? sourceLines(paths, indexes)
      : parquetLines(connection, paths, indexes, signal)
  for await (const { index, file, lineNumber, bytes } of lines) {
    const line = facts.get(index)!
    const judged = (line.isEmpty ? unreadable(bytes) : undefined) ?? {
      reason: line.reason ?? 'missing_field',
      message: line.message ?? `has none of the fields ${files.reads.join(', ')}`,
    }
    const message = `${path.basename(file)}, line ${lineNumber}: ${judged.message}`
    yield { index, file, lineNumber, reason: judged.reason, message, bytes }
  }
}

/** Why nothing can be read of a line, if that is so. */
export function unreadable(bytes: Uint8Array): { reason: string; message: string } | undefined {
  let value: unknown
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    value = JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError)
      return { reason: 'malformed_json', message: `is no JSON: ${error.message}` }
    return { reason: 'invalid_utf8', message: 'is no UTF-8' }
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { reason: 'not_an_object', message: 'is JSON, but no object' }
  return undefined
}

/** Rows of Parquet as JSON, since they have no bytes of their own. */
async function* parquetLines(
  connection: EngineConnection,
  paths: readonly string[],
  indexes: readonly number[],
  signal: AbortSignal,
) {
  const from = `read_parquet(${pathList(paths)}, union_by_name=true, hive_partitioning=false, filename='source file')`
  const rows = connection.stream(
    `SELECT n, "source file", to_json(p)::VARCHAR FROM (SELECT row_number() OVER () - 1 AS n, "source file", ` +
      `p FROM (SELECT "source file", COLUMNS(* EXCLUDE "source file") FROM ${from}) AS p) ` +
      `WHERE n IN (${indexes.join(', ')}) ORDER BY n`,
    signal,
  )
  for await (const chunk of rows)
    for (const [n, file, json] of chunk.getRows())
      yield {
        index: Number(n),
        file: String(file),
        lineNumber: Number(n) + 1,
        bytes: Buffer.from(String(json)),
      }
}
