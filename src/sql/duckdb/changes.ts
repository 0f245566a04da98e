import type { ChangePart, ChangePlan } from '../../model/change-plan.ts'
import type { ScanPlan } from '../../model/scan-plan.ts'
import { quoteIdentifier, quoteText } from './quote-identifier.ts'
import { compileScan } from './scan-by-id.ts'
import { duckdbType } from './type-mapping.ts'

/**
 * A change plan as one query, whatever its format; `rows` runs the statements that look at footers, where they are needed. Rows come in
 * no particular order; a version's rows of one kind are together by no means.
 */
export async function compileChanges(
  plan: ChangePlan,
  rows: (sql: string) => Promise<readonly (readonly unknown[])[]>,
): Promise<string> {
  const compiled = new Map<ScanPlan, string>()
  for (const { plan: own, except, pairs } of plan.parts)
    for (const each of [own, except, pairs?.plan, pairs?.except])
      if (each !== undefined && !compiled.has(each))
        compiled.set(each, await compileScan(each, rows))
  return changesSql(plan, (each) => compiled.get(each)!)
}

function changesSql({ columns, parts }: ChangePlan, sqlOf: (plan: ScanPlan) => string): string {
  if (parts.length === 0) {
    const nulls = columns.map((c) => `NULL::${duckdbType(c.type)} AS ${quoteIdentifier(c.name)}`)
    return `SELECT ${nulls.join(', ')} WHERE false`
  }
  const own = columns.slice(0, -3).map((column) => quoteIdentifier(column.name))
  return parts.map((part) => partSql(part, own, sqlOf)).join(' UNION ALL ')
}

function partSql(part: ChangePart, own: readonly string[], sqlOf: (plan: ScanPlan) => string) {
  const { version, timestampMs } = part
  const net = ({ plan, except }: Pick<ChangePart, 'plan' | 'except'>) =>
    except === undefined ? sqlOf(plan) : `(${sqlOf(plan)}) EXCEPT ALL (${sqlOf(except)})`
  const kind = `${typeSql(part, net)} AS _change_type`
  const commit = `${version}::BIGINT AS _commit_version, make_timestamptz(${timestampMs * 1000}::BIGINT) AS _commit_timestamp`
  return `SELECT ${[...own, kind, commit].join(', ')} FROM (${net(part)})`
}

function typeSql(
  { type, pairs }: ChangePart,
  net: (rows: Pick<ChangePart, 'plan' | 'except'>) => string,
): string {
  if (type === 'files') return '_change_type'
  if (pairs === undefined) return quoteText(type)
  const key = `struct_pack(${pairs.keys.map((name, index) => `k${index} := ${quoteIdentifier(name)}`).join(', ')})`
  const paired = type === 'delete' ? 'update_preimage' : 'update_postimage'
  return `CASE WHEN ${key} IN (SELECT ${key} FROM (${net(pairs)})) THEN ${quoteText(paired)} ELSE ${quoteText(type)} END`
}
