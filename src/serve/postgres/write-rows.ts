import { SinkFailedError } from '../errors.ts'
import type { RejectedRow, RowSet } from '../sink.ts'
import type { PostgresConnection } from './client.ts'
import { copyRows } from './encode.ts'
import { isServerError, rowMessage, rowReason } from './errors.ts'

export interface WriteRows {
  readonly table: string
  readonly rows: RowSet
  /** The savepoint that was set just before the first row. */
  readonly savepoint: string
}

/**
 * Write all rows with one COPY. When the server refuses them for what one of them is, go back to the savepoint and halve
 * until the refused rows stand alone; all others are written. Rows go in from first to last, so of two rows with the same unique
 * key the first one stands. One refused row among n costs about 2 n rows of writing and 2 log n statements.
 * Throws the driver's error for everything that is not a row's fault.
 */
export async function writeRows(
  connection: PostgresConnection,
  { table, rows, savepoint }: WriteRows,
  signal?: AbortSignal,
): Promise<readonly RejectedRow[]> {
  const copyText = copyRows(table, rows.columns)
  const rejected: RejectedRow[] = []

  const copy = async (start: number, end: number) => {
    signal?.throwIfAborted()
    const whole = start === 0 && end === rows.count
    const written = await connection.copyIn(copyText, rows.csv(whole ? undefined : { start, end }))
    if (written !== end - start)
      throw new SinkFailedError(
        `PostgreSQL took ${written} rows for ${table} where ${end - start} were meant, so the CSV of the batch is not what its count says. Nothing was committed.`,
      )
  }

  /** Copy a part behind a savepoint of its own. Returns the refusal, or `undefined` when the rows stand. */
  const attempt = async (start: number, end: number): Promise<unknown> => {
    await connection.run('SAVEPOINT part')
    try {
      await copy(start, end)
      await connection.run('RELEASE SAVEPOINT part')
      return undefined
    } catch (error) {
      if (rowReason(error) === undefined) throw error
      await connection.run('ROLLBACK TO SAVEPOINT part; RELEASE SAVEPOINT part')
      return error
    }
  }

  /** Write a part that is known to contain a refused row. Returns how many rows were refused. */
  const halve = async (start: number, end: number): Promise<void> => {
    const middle = start + Math.floor((end - start) / 2)
    const before = rejected.length
    await write(start, middle, false)
    // A first half that stands whole leaves the fault to the second: no need to try it in one piece.
    await write(middle, end, rejected.length === before)
  }

  const write = async (start: number, end: number, mustFail: boolean): Promise<void> => {
    if (mustFail && end - start > 1) return await halve(start, end)
    const refusal = await attempt(start, end)
    if (refusal === undefined) return
    if (end - start > 1) return await halve(start, end)
    rejected.push({
      index: start,
      reason: rowReason(refusal)!,
      message: isServerError(refusal) ? rowMessage(refusal) : String(refusal),
    })
  }

  if (rows.count === 0) return rejected
  try {
    await copy(0, rows.count)
  } catch (error) {
    if (rowReason(error) === undefined) throw error
    await connection.run(`ROLLBACK TO SAVEPOINT ${savepoint}`)
    if (rows.count === 1) await write(0, 1, false)
    else await halve(0, rows.count)
  }
  return rejected
}
