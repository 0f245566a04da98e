import type { Relation } from '../model/relation.ts'
import type { ScanPlan } from '../model/scan-plan.ts'
import type { MergeMaterialization } from '../model/sql-model.ts'
import { quoteIdentifier } from '../sql/duckdb/quote-identifier.ts'
import { INCOMING } from '../sql/models/read-model.ts'
import { GONE_COLUMN } from '../sql/models/row-versions.ts'
import { checkKeys } from './check-keys.ts'
import { GONE, type Incoming } from './make-incoming.ts'
import type { ModelWrite } from './model-lake.ts'
import type { ModelRun, RunSql } from './model-run.ts'

// A merge that follows deletes. Which keys a row that went had made, only the model's SQL knows, so it is asked: over the rows that went. What
// stands behind these keys, and those of the rows that came, is asked of all rows there are now: keys that it still yields are put in, the
// others are taken away. A key is thus what a full refresh would make of it, as long as a row of the model depends on rows of its own key alone.

const KEYS = 'concerned_keys'

/** How a run's merge follows deletes; `undefined` when nothing went, or the model keeps what it has. */
export function followedBy(
  run: ModelRun,
  { rowsGone }: Incoming,
): MergeMaterialization | undefined {
  const { materialize } = run.model
  const follows = materialize.kind === 'merge' && materialize.deletes === 'follow'
  return follows && rowsGone > 0 && run.decision.kind !== 'whole' ? materialize : undefined
}

export interface FollowedDeletes {
  readonly write: ModelWrite
  /** What was read to know what still stands. */
  readonly scan: ScanPlan
}

/** What to write when rows came, of which the SQL made `made`, and others went. @throws ModelRowsError */
export async function followDeletes(
  run: ModelRun,
  { key, whenMatched }: MergeMaterialization,
  made: Relation,
  runSql: RunSql,
): Promise<FollowedDeletes> {
  const { session, read, sources, model } = run
  await checkKeys(run, made, key)
  const names = key.map(quoteIdentifier).join(', ')
  await session.table(INCOMING, `FROM ${GONE}`)
  const before = await runSql(read.sql)
  await session.table(
    KEYS,
    `SELECT ${names} FROM ${made.name} UNION SELECT ${names} FROM ${before.name}`,
  )
  const scan = await sources.get(model.incoming!)!.plan()
  await session.scan(INCOMING, [scan], scan.columns)
  const now = await runSql(
    `SELECT standing.* FROM (${read.sql}\n) AS standing SEMI JOIN ${KEYS} USING (${names})`,
    [{ name: KEYS }],
  )
  await checkKeys(run, now, key)
  const gone = `SELECT ${names}, true AS ${GONE_COLUMN} FROM ${KEYS} ANTI JOIN ${now.name} USING (${names})`
  const rows = await session.relation(
    `SELECT *, false AS ${GONE_COLUMN} FROM ${now.name} UNION ALL BY NAME ${gone}`,
    [...now.columns, { name: GONE_COLUMN, type: 'boolean', nullable: false }],
  )
  return {
    scan,
    write:
      rows.rowCount === 0
        ? { kind: 'nothing' }
        : { kind: 'merge', rows, key, whenMatched, goneColumn: GONE_COLUMN },
  }
}
