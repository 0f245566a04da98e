import { type LedgerLine, ledgerLine } from '../model/ledger.ts'
import type { LabelPlan } from '../pipeline/label.ts'
import type { PipelinePlan } from '../pipeline/plan.ts'
import type { StateStore } from '../state/state-store.ts'
import { labelCountsOf, labelsConsumer } from './label-counts.ts'
import type { LakeCatalog } from './lake-catalog.ts'

export interface LabelLedgerOptions {
  readonly plan: PipelinePlan
  readonly lake: LakeCatalog
  readonly state: Pick<StateStore, 'counts'>
}

/**
 * A line for each table of labels: in are the keywords that its newest run found, out those with a label, dead those that got none, in flight those that
 * wait for a run. A table that the lake does not have yet has no line.
 */
export async function labelLedger(options: LabelLedgerOptions): Promise<readonly LedgerLine[]> {
  if (options.plan.labels.length === 0) return []
  const tables = await options.lake.names()
  const there = options.plan.labels.filter(({ name }) => tables.includes(name))
  return Promise.all(there.map((label) => lineOf(options, label)))
}

async function lineOf(
  { plan, lake, state }: LabelLedgerOptions,
  { name }: LabelPlan,
): Promise<LedgerLine> {
  // Dead letters before the table: a keyword's letter is closed before its label is committed, so none is counted twice.
  const kept = await state.counts({ pipeline: plan.name, hop: name })
  const table = await lake.state(name)
  const found = (await table.size()).rows
  const counts = labelCountsOf(labelsConsumer(plan.name, name), table.transactions())
  // Labels from before runs were counted.
  if (counts === undefined) return ledgerLine(plan.name, name, { in: found ?? 0, out: found ?? 0 })
  const { asked, labelled, rows, ended, left } = counts
  const open = kept.reduce((sum, one) => sum + (one.status === 'replayed' ? 0 : one.letters), 0)
  const unlabelled = asked - labelled
  // Until a run has looked them through, letters of keywords that nobody searches for any more may be among them.
  const dead = ended === 1 ? open : Math.min(open, unlabelled)
  return ledgerLine(plan.name, name, {
    ...{ in: asked, out: labelled, dead, inFlight: ended === 1 ? left : unlabelled - dead },
    ...(found === undefined || found === rows
      ? {}
      : { disagreement: `${rows} labels were committed and ${found} are there` }),
  })
}
