import type { LedgerLine } from '../../model/ledger.ts'
import type { RunDetail } from '../../state/run-store.ts'
import type { Alert, Trouble } from './alert.ts'

// What is trouble, and what has changed since the last look. Pure.

/** Records that are missing, or counts that disagree. */
export const unbalanced = (lines: readonly LedgerLine[]): readonly Trouble[] =>
  lines
    .filter(({ balanced }) => !balanced)
    .map(({ pipeline, hop, missing, disagreement }) => ({
      key: `ledger/${pipeline}/${hop}`,
      kind: 'ledger_unbalanced',
      pipeline,
      summary: `The ledger of ${pipeline} does not balance at ${hop}: ${missing} missing${disagreement === undefined ? '' : `, ${disagreement}`}. See "mekong ledger".`,
      facts: { hop, missing, disagreement: disagreement ?? null },
    }))

export interface TableAge {
  readonly pipeline: string
  readonly table: string
  /** Of the newest commit; `undefined` when it is not known. */
  readonly committedMs: number | undefined
}

/** Tables that have had no commit for too long. */
export const staleTables = (
  tables: readonly TableAge[],
  { nowMs, staleMs }: { readonly nowMs: number; readonly staleMs: number },
): readonly Trouble[] =>
  tables.flatMap(({ pipeline, table, committedMs }) => {
    if (committedMs === undefined || nowMs - committedMs <= staleMs) return []
    const minutes = Math.floor((nowMs - committedMs) / 60_000)
    return [
      {
        ...({ key: `stale/${table}`, kind: 'table_stale', pipeline } as const),
        summary: `${table} has had no new rows for ${minutes} minutes. See "mekong status".`,
        facts: { table, committed_at: new Date(committedMs).toISOString() },
      },
    ]
  })

/** Dead letters by pipeline and hop. */
export type LetterCounts = ReadonlyMap<string, number>

/** Hops whose dead letters have grown by so many since the look before; each growth is an alert of its own. */
export function letterGrowth(
  before: LetterCounts,
  now: LetterCounts,
  growthMin: number,
): readonly Alert[] {
  return [...now].flatMap(([place, count]) => {
    const grown = count - (before.get(place) ?? 0)
    if (grown < growthMin) return []
    const [pipeline = '', hop = ''] = place.split('\n')
    return [
      {
        ...({
          key: `letters/${pipeline}/${hop}`,
          kind: 'dead_letters',
          status: 'raised',
          pipeline,
        } as const),
        summary: `${grown} new dead letters at ${hop} of ${pipeline}, ${count} in all. See "mekong dlq list".`,
        facts: { hop, grown, count },
      },
    ]
  })
}

/** What the end of a run says: tasks that failed, and tasks that had failed before and are well again. */
export function runAlerts(
  { run, tasks }: RunDetail,
  failing: ReadonlySet<string>,
): readonly Alert[] {
  return tasks.flatMap((task): Alert[] => {
    const { id, pipeline, status, error, errorCode, attempt } = task
    const key = `task/${id}`
    const facts = { task: id, run: run.id, attempts: attempt, error_code: errorCode, error }
    const alert = { ...{ key, pipeline, facts }, kind: 'task_failed' } as const
    if (status === 'failed') {
      const summary = `${id} failed after ${attempt} attempts: ${error} See "mekong runs show ${run.id}".`
      return [{ ...alert, status: 'raised', summary }]
    }
    if (failing.has(key) && (status === 'done' || status === 'nothing_new'))
      return [{ ...alert, status: 'resolved', summary: `${id} is well again.` }]
    return []
  })
}

/** Trouble that is new, and trouble that is over. */
export function changesOf(
  before: ReadonlyMap<string, Trouble>,
  now: readonly Trouble[],
): readonly Alert[] {
  const keys = new Set(now.map(({ key }) => key))
  return [
    ...now
      .filter(({ key }) => !before.has(key))
      .map((trouble): Alert => ({ ...trouble, status: 'raised' })),
    ...[...before.values()]
      .filter(({ key }) => !keys.has(key))
      .map((trouble): Alert => ({ ...trouble, status: 'resolved' })),
  ]
}
