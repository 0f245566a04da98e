import { quoteIdentifier } from '../sql/duckdb/quote-identifier.ts'
import { INCOMING, TOUCHED } from '../sql/models/read-model.ts'
import {
  type TouchedPartitions,
  touchedSql,
  touchedTextSql,
} from '../sql/models/touched-partitions.ts'
import { GONE, type Incoming } from './make-incoming.ts'
import { makeNamedTables } from './make-tables.ts'
import type { ModelRun } from './model-run.ts'

/**
 * Make the relation `touched`: which partitions the run makes anew. `undefined` for all of them, and for models that are kept otherwise.
 * A whole build touches all there is; a model that joins `touched` finds that there.
 */
export async function makeTouched(
  run: ModelRun,
  { rowsGone }: Incoming,
): Promise<TouchedPartitions | undefined> {
  const { session, decision, read, context, target } = run
  const { materialize } = run.model
  if (materialize.kind !== 'partitions') return undefined
  const { touchedSql: own } = read
  const isWhole = decision.kind === 'whole'
  if (isWhole && !read.readsTouched) return undefined
  if (own !== undefined)
    await makeNamedTables(run, { names: read.touchedTables, itself: isWhole ? undefined : target })
  if (isWhole) {
    await session.table('every_partition', touchedSql(materialize, own))
    const by = materialize.by.map(quoteIdentifier).join(', ')
    await session.table(TOUCHED, `SELECT ${by} FROM every_partition`)
    return undefined
  }
  // For this question the rows as they were count too: where a row left is touched as much as where it came.
  if (rowsGone > 0) {
    await session.table('incoming_net', `FROM ${INCOMING}`)
    await session.table(INCOMING, `FROM incoming_net UNION ALL FROM ${GONE}`)
  }
  const within = decision.kind === 'range' ? context.range : undefined
  await session.table(TOUCHED, touchedSql(materialize, own, within))
  if (rowsGone > 0) await session.table(INCOMING, 'FROM incoming_net')
  const rows = await session.read(touchedTextSql(materialize.by))
  return { by: materialize.by, rows: rows as (string | null)[][] }
}
