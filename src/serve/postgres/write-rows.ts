import { SinkFailedError } from '../errors.ts'
import type { RejectedRow, RowSet } from '../sink.ts'
import type { PostgresConnection } from './client.ts'
import { csvRowGroups, rowOfLine } from './csv-rows.ts'
import { copyRows } from './encode.ts'
import { copyLine, isServerError, rowMessage, rowReason } from './errors.ts'

export interface WriteRows {
  readonly table: string
  readonly rows: RowSet
  /** The savepoint that was set just before the first row. */
  readonly savepoint: string
}

/** After a refusal rows are written in groups of so many, so that each refused row costs a group or two and not the batch. */
const GROUP_ROW_COUNT = 512

/**
 * Write all rows with one COPY. When the server refuses them for what one of them is, go back to the savepoint and write them in groups, within
 * which the refused rows are found and left out; all others are written. Rows go in from first to last, so of two rows with
 * the same unique key the first one stands. The batch is read twice then, however many rows are refused.
 * Throws the driver's error for everything that is not a row's fault.
 */
export async function writeRows(
  connection: PostgresConnection,
  { table, rows, savepoint }: WriteRows,
  signal?: AbortSignal,
): Promise<readonly RejectedRow[]> {
  if (rows.count === 0) return []
  const copyText = copyRows(table, rows.columns)
  const copy = async (source: AsyncIterable<Uint8Array>, count: number) => {
    signal?.throwIfAborted()
    const written = await connection.copyIn(copyText, source)
    if (written !== count)
      throw new SinkFailedError(
        `PostgreSQL took ${written} rows for ${table} where ${count} were meant, so the CSV of the batch is not what its count says. Nothing was committed.`,
      )
  }
  try {
    await copy(rows.csv(), rows.count)
    return []
  } catch (error) {
    if (rowReason(error) === undefined) throw error
    await connection.run(`ROLLBACK TO SAVEPOINT ${savepoint}`)
  }
  const rejected: RejectedRow[] = []
  await connection.run('SAVEPOINT part')
  /** Returns the refusal, or `undefined` when the rows stand. */
  const attempt = async (part: readonly Uint8Array[]): Promise<unknown> => {
    try {
      await copy(joined(part), part.length)
      await connection.run('RELEASE SAVEPOINT part; SAVEPOINT part')
      return undefined
    } catch (error) {
      if (rowReason(error) === undefined) throw error
      await connection.run('ROLLBACK TO SAVEPOINT part')
      return error
    }
  }
  let index = 0
  for await (const group of csvRowGroups(rows.csv(), GROUP_ROW_COUNT)) {
    for (const refused of await writePart(attempt, group))
      rejected.push({ ...refused, index: index + refused.index })
    index += group.length
  }
  await connection.run('RELEASE SAVEPOINT part')
  return rejected
}

/**
 * Write some rows without those that are refused, and return these. The server usually says which line it refused: that is where we
 * look first. It is a hint and no more; a row is refused when it is refused alone, and where there is no hint, halving finds it.
 */
async function writePart(
  attempt: (part: readonly Uint8Array[]) => Promise<unknown>,
  part: readonly Uint8Array[],
): Promise<readonly RejectedRow[]> {
  const rejected: RejectedRow[] = []
  /** Parts still to be written, the next one last. */
  const left = [{ start: 0, end: part.length }]
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const { start, end } = next
    const rows = part.slice(start, end)
    const refusal = await attempt(rows)
    if (refusal === undefined) continue
    if (rows.length === 1) {
      const message = isServerError(refusal) ? rowMessage(refusal) : String(refusal)
      rejected.push({ index: start, reason: rowReason(refusal)!, message })
      continue
    }
    const line = copyLine(refusal)
    const hinted = line === undefined ? undefined : rowOfLine(rows, line)
    const middle = start + (hinted ?? Math.floor(rows.length / 2))
    const after = hinted === undefined ? middle : middle + 1
    left.push(
      ...[
        { start: after, end },
        { start: middle, end: after },
        { start, end: middle },
      ].filter((piece) => piece.end > piece.start),
    )
  }
  return rejected
}

async function* joined(rows: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield Buffer.concat(rows)
}
