import { setTimeout as sleep } from 'node:timers/promises'
import { type LedgerLine, ledgerLine } from '../model/ledger.ts'
import type { PipelinePlan } from '../pipeline/plan.ts'
import type { PublishPlan } from '../pipeline/publish.ts'
import { SinkConfigError, SinkUnavailableError } from '../serve/errors.ts'
import type { TablePublisher, TableVersion } from '../serve/table-publisher.ts'
import type { ModelLake, ModelTable } from './model-lake.ts'

export interface PublishLedgerOptions {
  readonly plan: PipelinePlan
  readonly lake: Pick<ModelLake, 'open'>
  readonly publisher: () => TablePublisher | Promise<TablePublisher>
}

/**
 * A line for each table that a store shows, `publish.TABLE`: in are the rows of the lake's table as it is now, out those of the version that the store
 * says it holds, in flight what is left of a version that was not published yet; the store's own count has to agree. A table that the lake does
 * not have yet has no line, and while the store cannot be reached none has. A store that is set up wrongly is a disagreement of each.
 */
export async function publishLedger({
  plan,
  lake,
  publisher,
}: PublishLedgerOptions): Promise<readonly LedgerLine[]> {
  if (plan.publishes.length === 0) return []
  const lines: LedgerLine[] = []
  let store: TablePublisher | undefined
  try {
    for (const publish of plan.publishes) {
      const table = await lake.open(publish.from)
      if (table === undefined) continue
      store ??= await publisher()
      lines.push(await lineOf(plan.name, publish, { store, lake, table }))
    }
    return lines
  } catch (error) {
    if (error instanceof SinkUnavailableError) return []
    if (!(error instanceof SinkConfigError)) throw error
    // The other lines of the ledger are true all the same.
    return plan.publishes.map(({ target }) =>
      ledgerLine(plan.name, `publish.${target.table}`, {
        ...{ in: 0, out: 0, inFlight: 0 },
        disagreement: `the store could not be asked: ${error.message}`,
      }),
    )
  } finally {
    await store?.close()
  }
}

/** A table is seldom replaced while it is counted, and then once; after so many looks its count is left out. */
const LOOK_COUNT_MAX = 3
const LOOK_PAUSE_MS = 20

interface PublishedTable {
  readonly store: TablePublisher
  readonly lake: Pick<ModelLake, 'open'>
  /** As it was before the store was asked. */
  readonly table: ModelTable
}

async function lineOf(
  pipeline: string,
  { from, target }: PublishPlan,
  { store, lake, table }: PublishedTable,
): Promise<LedgerLine> {
  const { there, found } = await lookAt(store, target.table)
  // Looked at after the store, so that no version is published that the lake does not have.
  const now = (await lake.open(from)) ?? table
  const kept = (await now.size()).rows
  const reached = there?.rows ?? 0
  const rows = kept ?? reached
  const isNewest = there?.id === now.id && there.version === now.version
  const disagreements = [
    isNewest && reached !== rows ? `version ${now.version} has ${rows} rows, not ${reached}` : [],
    found === undefined || found === reached
      ? []
      : `${reached} rows were published and ${found} are there`,
  ].flat()
  const total = isNewest ? reached : Math.max(rows, reached)
  return ledgerLine(pipeline, `publish.${target.table}`, {
    in: total,
    out: reached,
    inFlight: total - reached,
    ...(disagreements.length === 0 ? {} : { disagreement: disagreements.join('; ') }),
  })
}

/** What the store holds, and how many rows it has by its own count where it held the same before and after. */
async function lookAt(
  store: TablePublisher,
  table: string,
): Promise<{ readonly there: TableVersion | undefined; readonly found?: number }> {
  for (let look = 1; ; look += 1) {
    const there = await store.published(table)
    if (there === undefined) return { there }
    const found = await store.count(table)
    const after = await store.published(table)
    if (after?.id === there.id && after.version === there.version) return { there, found }
    if (look === LOOK_COUNT_MAX) return { there: after }
    await sleep(LOOK_PAUSE_MS)
  }
}
