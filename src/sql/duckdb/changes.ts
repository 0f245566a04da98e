import type { ChangePart, ChangePlan } from '../../model/change-plan.ts'
import { quoteIdentifier, quoteText } from './quote-identifier.ts'
import { scanSql } from './scan.ts'
import { duckdbType } from './type-mapping.ts'

/** A change plan as one query. Rows come in no particular order; a version's rows of one kind are together by no means. */
export function changesSql({ columns, parts }: ChangePlan): string {
  if (parts.length === 0) {
    const nulls = columns.map((c) => `NULL::${duckdbType(c.type)} AS ${quoteIdentifier(c.name)}`)
    return `SELECT ${nulls.join(', ')} WHERE false`
  }
  const own = columns.slice(0, -3).map((column) => quoteIdentifier(column.name))
  return parts.map((part) => partSql(part, own)).join(' UNION ALL ')
}

function partSql({ plan, type, version, timestampMs, except }: ChangePart, own: readonly string[]) {
  const rows = scanSql(plan)
  const net = except === undefined ? rows : `(${rows}) EXCEPT ALL (${scanSql(except)})`
  const kind = type === 'files' ? '_change_type' : `${quoteText(type)} AS _change_type`
  const commit = `${version}::BIGINT AS _commit_version, make_timestamptz(${timestampMs * 1000}::BIGINT) AS _commit_timestamp`
  return `SELECT ${[...own, kind, commit].join(', ')} FROM (${net})`
}
