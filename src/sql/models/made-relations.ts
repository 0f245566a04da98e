import type { WindowMaterialization } from '../../model/sql-model.ts'
import { quoteIdentifier } from '../duckdb/quote-identifier.ts'
import type { ModelSession } from './model-session.ts'
import { INCOMING, type ReadModel, TOTALS, TOUCHED } from './read-model.ts'
import { touchedSql } from './touched-partitions.ts'
import {
  daySql,
  saidLastDay,
  type TotalsSql,
  wholeTotalsSql,
  windowColumns,
  windowUpTo,
} from './window-totals.ts'

/** How a window's rows are summed, by what its SQL yields over the session's `incoming`. @throws ModelInvalidError */
export async function totalsOf(
  session: ModelSession,
  { model, rowsSql }: ReadModel,
  how: WindowMaterialization,
): Promise<TotalsSql> {
  const { columns } = await session.describe(rowsSql!)
  // Spark has no whole numbers of so many bits.
  const hasDayBits = model.engine === 'duckdb'
  return { ...windowColumns(model.name, how, columns), how, hasDayBits }
}

/** Make the relations that a model's SQL finds beside tables and `incoming`, all of them, over what the session has under these names. @throws ModelInvalidError */
export async function madeRelations(session: ModelSession, read: ReadModel): Promise<void> {
  const { materialize } = read.model
  if (materialize.kind === 'partitions')
    await session.table(TOUCHED, touchedSql(materialize, read.touchedSql))
  if (materialize.kind === 'window') await viewTotals(session, read, materialize)
}

/** Make the relation `totals` over the session's `incoming`, of the window that ends with its newest day, or with the one that was said. */
async function viewTotals(
  session: ModelSession,
  read: ReadModel,
  how: WindowMaterialization,
): Promise<void> {
  const of = await totalsOf(session, read, how)
  const newest = `SELECT ${daySql(`max(${quoteIdentifier(how.day)})`)} FROM ${INCOMING}`
  const last = saidLastDay(how) ?? Number((await session.read(newest))[0]?.[0] ?? 0)
  const window = windowUpTo(last, how.days)
  const day = daySql(quoteIdentifier(how.day))
  const scan = `SELECT * FROM main.${INCOMING} WHERE ${day} BETWEEN ${window.first} AND ${window.last}`
  await session.view(TOTALS, wholeTotalsSql(of, { rowsSql: read.rowsSql!, scan, window }))
}
