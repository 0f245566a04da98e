import type { ChangePart, ChangePlan } from '../../model/change-plan.ts'
import type { Columns } from '../../model/column.ts'
import { CHANGE_TYPE_COLUMN } from '../../model/row-edit.ts'
import type { ScanPlan } from '../../model/scan-plan.ts'
import { quoteIdentifier } from '../duckdb/quote-identifier.ts'
import { duckdbType } from '../duckdb/type-mapping.ts'

/**
 * How the rows of a table at one version differ from those at another, as bags: `plus` less `minus` came, `minus` less `plus` went. A row
 * that was written and taken away in between, or only moved from file to file, is in neither. Needs no key.
 */
export interface NetChanges {
  readonly columns: Columns
  readonly plus: readonly ScanPlan[]
  readonly minus: readonly ScanPlan[]
  /** Files that say in `_change_type` of each row what happened to it. */
  readonly feed: readonly ScanPlan[]
}

/** All rows of one snapshot, as if the table had been empty before. */
export const wholeTable = (plan: ScanPlan): NetChanges => ({
  columns: plan.columns.map(({ name, type, nullable }) => ({ name, type, nullable })),
  ...{ plus: [plan], minus: [], feed: [] },
})

/** Commits one after another as one difference. Pure. */
export function netChanges({ columns, parts }: ChangePlan): NetChanges {
  const plus: ScanPlan[] = []
  const minus: ScanPlan[] = []
  const feed: ScanPlan[] = []
  for (const part of parts) {
    if (part.type === 'files') {
      feed.push(part.plan)
      continue
    }
    // Rows that a commit only wrote back are on both sides, and count for nothing there: `except` needs no look.
    if (comes(part)) plus.push(part.plan)
    else minus.push(part.plan)
  }
  return {
    columns: columns.slice(0, -3),
    plus: inOnePlan(plus),
    minus: inOnePlan(minus),
    feed: inOnePlan(feed),
  }
}

const comes = ({ type }: ChangePart) => type === 'insert' || type === 'update_postimage'

/** Scans that differ in their files alone, as one: an hour of small commits is one list of files to read. */
function inOnePlan(plans: readonly ScanPlan[]): readonly ScanPlan[] {
  const groups = new Map<string, ScanPlan[]>()
  for (const plan of plans) {
    const { columns, residualColumns, matchBy, equalityDeletes, residual } = plan
    const isPlain = (equalityDeletes ?? []).length === 0 && residual === undefined
    const key = isPlain
      ? JSON.stringify([columns, residualColumns, matchBy], (_, value: unknown) =>
          typeof value === 'bigint' ? String(value) : value,
        )
      : `${groups.size}`
    groups.set(key, [...(groups.get(key) ?? []), plan])
  }
  return [...groups.values()].map((group) =>
    group.length === 1 ? group[0]! : { ...group[0]!, files: group.flatMap(({ files }) => files) },
  )
}

/** Whether no row can have gone. */
export const onlyGrows = ({ minus, feed }: NetChanges): boolean =>
  minus.length === 0 && feed.length === 0

/** SQL that yields the rows of a scan plan. */
export type ScanText = (plan: ScanPlan) => string

/** All that is looked at to tell what changed. */
export const plansOf = ({ plus, minus, feed }: NetChanges): readonly ScanPlan[] => [
  ...plus,
  ...minus,
  ...feed,
]

/** Rows that came, each as often as it did. */
export function cameSql(changes: NetChanges, scanOf: ScanText): string {
  return onlyGrows(changes)
    ? sideSql(changes, 'plus', scanOf)
    : `(${sideSql(changes, 'plus', scanOf)}) EXCEPT ALL (${sideSql(changes, 'minus', scanOf)})`
}

/** Rows that went. */
export function goneSql(changes: NetChanges, scanOf: ScanText): string {
  return onlyGrows(changes)
    ? emptyRowsSql(changes.columns)
    : `(${sideSql(changes, 'minus', scanOf)}) EXCEPT ALL (${sideSql(changes, 'plus', scanOf)})`
}

function sideSql(
  { columns, plus, minus, feed }: NetChanges,
  side: 'plus' | 'minus',
  scanOf: ScanText,
): string {
  const names = columns.map(({ name }) => quoteIdentifier(name)).join(', ')
  const types = side === 'plus' ? "'insert', 'update_postimage'" : "'delete', 'update_preimage'"
  const scans = [
    ...(side === 'plus' ? plus : minus).map((plan) => `SELECT ${names} FROM (${scanOf(plan)})`),
    ...feed.map(
      (plan) => `SELECT ${names} FROM (${scanOf(plan)}) WHERE ${CHANGE_TYPE_COLUMN} IN (${types})`,
    ),
  ]
  return scans.length === 0 ? emptyRowsSql(columns) : scans.join(' UNION ALL ')
}

/** No rows, with these columns. */
export function emptyRowsSql(columns: Columns): string {
  const nulls = columns.map(
    ({ name, type }) => `NULL::${duckdbType(type)} AS ${quoteIdentifier(name)}`,
  )
  return `SELECT ${nulls.join(', ')} WHERE false`
}

/** Files that a reader of these looks into, and their bytes. */
export function readSize(plans: readonly ScanPlan[]): { files: number; bytes: number } {
  const files = plans.flatMap((plan) => plan.files)
  return { files: files.length, bytes: files.reduce((sum, { bytes }) => sum + bytes, 0) }
}
