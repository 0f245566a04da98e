import type { ChangePart, ChangePlan } from '../../model/change-plan.ts'
import type { ScanPlan } from '../../model/scan-plan.ts'
import { quoteIdentifier, quoteText } from './quote-identifier.ts'
import { scanSql } from './scan.ts'
import { compileScan } from './scan-by-id.ts'
import { duckdbType } from './type-mapping.ts'

/**
 * A change plan as one query, for plans that need no look at footers. Rows come in no particular order; a version's rows of one kind are
 * together by no means.
 */
export function changesSql(plan: ChangePlan): string {
  return changesOf(plan, scanSql)
}

/** The same for any plan; `rows` runs the statements that look at footers, where some are needed. */
export async function compileChanges(
  plan: ChangePlan,
  rows: (sql: string) => Promise<readonly (readonly unknown[])[]>,
): Promise<string> {
  const compiled = new Map<ScanPlan, string>()
  for (const part of plan.parts)
    for (const scan of [part.plan, ...(part.except === undefined ? [] : [part.except])])
      compiled.set(scan, await compileScan(scan, rows))
  return changesOf(plan, (scan) => compiled.get(scan)!)
}

type Compiled = (plan: ScanPlan) => string

function changesOf({ columns, parts }: ChangePlan, compiled: Compiled): string {
  if (parts.length === 0) {
    const nulls = columns.map((c) => `NULL::${duckdbType(c.type)} AS ${quoteIdentifier(c.name)}`)
    return `SELECT ${nulls.join(', ')} WHERE false`
  }
  const own = columns.slice(0, -3).map((column) => quoteIdentifier(column.name))
  return parts.map((part) => partSql(part, own, compiled)).join(' UNION ALL ')
}

function partSql(part: ChangePart, own: readonly string[], compiled: Compiled): string {
  const { plan, type, version, timestampMs, except } = part
  const rows = compiled(plan)
  const net = except === undefined ? rows : `(${rows}) EXCEPT ALL (${compiled(except)})`
  const kind = type === 'files' ? '_change_type' : `${quoteText(type)} AS _change_type`
  const commit = `${version}::BIGINT AS _commit_version, make_timestamptz(${timestampMs * 1000}::BIGINT) AS _commit_timestamp`
  return `SELECT ${[...own, kind, commit].join(', ')} FROM (${net})`
}
