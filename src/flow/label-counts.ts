import type { ProgressStep } from '../sql/models/run-decision.ts'

/**
 * What became of the keywords of a label plan, as the newest run left it. Committed to the table of labels, with the labels. The dead are counted where
 * they lie, and are not in here.
 */
export interface LabelCounts {
  /** Keywords that the plan's SELECT named when the run began. */
  readonly asked: number
  /** Those of them that have the label of who labels now. */
  readonly labelled: number
  /** Rows of the table, whoever labelled them and whether or not anybody still searches for them. */
  readonly rows: number
  /** The run came to its end: 1; it is under way or was killed: 0. */
  readonly ended: number
  /** Keywords that an ended run did not ask: its budget was spent, or the service was away. */
  readonly left: number
}

const NAMES = ['asked', 'labelled', 'rows', 'ended', 'left'] as const

/** Name under which a table of labels keeps its counts. */
export const labelsConsumer = (pipeline: string, name: string) =>
  `mekong/${pipeline}/labels/${name}`

/** The counts that a table holds, from its `txn` actions; `undefined` before the first run. */
export function labelCountsOf(
  consumer: string,
  transactions: Iterable<readonly [appId: string, version: number]>,
): LabelCounts | undefined {
  const versions = new Map(transactions)
  if (!versions.has(`${consumer}/asked`)) return undefined
  const count = (name: (typeof NAMES)[number]) => versions.get(`${consumer}/${name}`) ?? 0
  return Object.fromEntries(NAMES.map((name) => [name, count(name)])) as unknown as LabelCounts
}

/** Counts as steps of a commit, which conflicts with anybody else who labelled meanwhile. Pure. */
export function labelSteps(
  consumer: string,
  before: LabelCounts | undefined,
  after: LabelCounts,
): readonly ProgressStep[] {
  return NAMES.map((name) => ({
    ...{ appId: `${consumer}/${name}`, version: after[name] },
    expected: before?.[name] ?? null,
  }))
}
