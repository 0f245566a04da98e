import type { LastTask, LedgerLine, Now, RiverNode, TableLine } from '../api.ts'
import { ago, compact } from '../format.ts'
import type { Word } from '../text.ts'

// What a node of the river says of itself. Pure.

export interface NodeFacts {
  /** How much there is. */
  readonly main: string
  /** How fast it comes, how much waits, or when it last changed: the first of these that there is to say. */
  readonly side: string
  /** Records a second; something positive while a task is at work. */
  readonly rate: number
  /** What is wrong; empty when nothing is. */
  readonly trouble: string
  readonly state: string
  readonly lag: number | undefined
  readonly changedAt: string | undefined
  readonly refused: number
  readonly task: LastTask | undefined
  readonly ledger: LedgerLine | undefined
}

export interface RiverMoment {
  readonly now: Now
  readonly rates: ReadonlyMap<string, number>
  readonly ledger: readonly LedgerLine[]
  readonly tables: readonly TableLine[]
  readonly words: (word: Word) => string
}

/** The facts of every node, by its id. */
export function factsOfAll(
  nodes: readonly RiverNode[],
  { now, rates, ledger, tables, words }: RiverMoment,
): ReadonlyMap<string, NodeFacts> {
  const hops = new Map(now.hops.map((hop) => [`${hop.pipeline} ${hop.hop}`, hop]))
  const lines = new Map(ledger.map((line) => [`${line.pipeline} ${line.hop}`, line]))
  const topics = new Map(now.topics.map((topic) => [topic.name, topic]))
  const tasks = new Map(now.tasks.map((task) => [task.id, task]))
  const committed = new Map(tables.map((table) => [table.name, table]))

  const factsOf = (node: RiverNode): NodeFacts => {
    const line = lines.get(`${node.pipeline} ${node.hop}`)
    const topic = node.kind === 'topic' ? topics.get(node.name) : undefined
    const hop = node.hop === undefined ? undefined : hops.get(`${node.pipeline} ${node.hop}`)
    const task = node.task === undefined ? undefined : tasks.get(node.task)
    const table = committed.get(node.id)
    const isAtWork = task?.status === 'running' || task?.status === 'retrying'
    const rate = isAtWork ? 1 : (rates.get(node.hop ?? node.id) ?? 0)
    const isStuck = hop?.state === 'failed' || hop?.state === 'retrying'
    const trouble =
      (isStuck ? (hop.reason ?? hop.state) : '') ||
      (task?.status === 'failed' ? (task.error ?? words('failed')) : '') ||
      (table?.problem ?? '') ||
      (line === undefined || line.balanced ? '' : words('ledgerOff'))
    // What follows a table has no hop of its own; the ledger counts it all the same.
    const lag = hop?.lag_records ?? line?.in_flight
    const changedAt = table?.committed_at ?? task?.ended_at ?? undefined
    const refused = topic?.rejected ?? 0
    const total = topic?.total ?? hop?.rows ?? table?.rows ?? rowsOf(task) ?? line?.out
    return {
      main: total === undefined ? (node.kind === 'door' ? 'POST' : '') : compact(total),
      side: isAtWork
        ? words('running')
        : rate >= 0.5
          ? `${compact(rate)}${words('perSecond')}`
          : (lag ?? 0) > 0
            ? `${compact(lag!)} ${words('behind')}`
            : refused > 0
              ? `${compact(refused)} ${words('refused')}`
              : changedAt === undefined
                ? ''
                : ago(changedAt),
      ...{ rate, trouble, lag, changedAt, refused, task, ledger: line },
      state: hop?.state ?? task?.status ?? '',
    }
  }
  return new Map(nodes.map((node) => [node.id, factsOf(node)]))
}

/** How many rows a task's target has, or how many items it dealt with: whatever it tells. That it dealt with none says nothing of what there is. */
function rowsOf(task: LastTask | undefined): number | undefined {
  const { facts } = task ?? {}
  const told = (names: readonly string[]) =>
    names
      .map((name) => facts?.[name])
      .filter((value): value is number => typeof value === 'number')[0]
  return told(['rows_made', 'rows', 'documents']) ?? (told(['seen', 'sent']) || undefined)
}

/** A name without what the lane of its pipeline says already. */
export const shortName = ({ name, pipeline }: RiverNode): string =>
  name.replace(new RegExp(`^(sync|publish|warehouse)/${pipeline}/`), '').replace(/^warehouse\//, '')
