import { type LedgerLine, ledgerLine } from '../model/ledger.ts'
import type { DayFilesPlan } from '../pipeline/day-files.ts'
import type { PipelinePlan } from '../pipeline/plan.ts'
import type { StateStore } from '../state/state-store.ts'
import { type DayCounts, dayCountsOf, filesConsumer } from './day-counts.ts'
import { lettersOfTable, letterTopic } from './files-to-lake.ts'
import type { LakeCatalog } from './lake-catalog.ts'

export interface FilesLedgerOptions {
  readonly plan: PipelinePlan
  readonly lake: LakeCatalog
  readonly state: Pick<StateStore, 'list'>
}

/** The ledger of a pipeline's day files: what was committed with each day, against the rows and dead letters that are really there. */
export async function filesLedger(options: FilesLedgerOptions): Promise<readonly LedgerLine[]> {
  return Promise.all(options.plan.files.map((files) => lineOf(options, files)))
}

async function lineOf(
  { plan, lake, state }: FilesLedgerOptions,
  files: DayFilesPlan,
): Promise<LedgerLine> {
  const isThere = (await lake.names()).includes(files.table)
  if (!isThere) return ledgerLine(plan.name, files.table, { in: 0, out: 0 })
  const table = await lake.state(files.table)
  const days = dayCountsOf(filesConsumer(plan.name, files.name), table.transactions())
  const total = (pick: (day: DayCounts) => number) => days.reduce((sum, day) => sum + pick(day), 0)
  const rows = total((day) => day.rows)
  const dead = total((day) => day.dead)
  const rowsFound = (await table.size()).rows
  const deadFound = await lettersOf({ plan, state, files, days })
  const disagreements = [
    rowsFound === undefined || rowsFound === rows
      ? []
      : `${rows} rows were committed and ${rowsFound} are there`,
    deadFound === dead
      ? []
      : `${dead} lines were counted dead and ${deadFound} dead letters are kept`,
  ].flat()
  return ledgerLine(plan.name, files.table, {
    in: total((day) => day.lines),
    out: rows,
    duplicates: total((day) => day.duplicates),
    dead,
    ...(disagreements.length === 0 ? {} : { disagreement: disagreements.join('; ') }),
  })
}

interface LetterQuestion {
  readonly plan: PipelinePlan
  readonly state: Pick<StateStore, 'list'>
  readonly files: DayFilesPlan
  readonly days: readonly DayCounts[]
}

/** Dead letters of the loads that count; those of replaced or never committed loads are passed over. */
async function lettersOf({ plan, state, files, days }: LetterQuestion): Promise<number> {
  const loads = new Map(days.map(({ day, load }) => [letterTopic({ files, day }), load]))
  let count = 0
  for await (const { topic, partition } of lettersOfTable(state, plan.name, files.table))
    if (loads.get(topic) === partition) count += 1
  return count
}
