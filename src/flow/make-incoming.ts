import type { Predicate } from '../model/predicate.ts'
import { ModelInvalidError, ModelSourceError } from '../sql/models/errors.ts'
import {
  cameSql,
  goneSql,
  type NetChanges,
  onlyGrows,
  plansOf,
  wholeTable,
} from '../sql/models/net-changes.ts'
import { INCOMING } from '../sql/models/read-model.ts'
import { withinDays } from '../sql/models/touched-partitions.ts'
import type { ModelTable } from './model-lake.ts'
import type { ModelRun, Scans } from './model-run.ts'

/** Rows that went, where some did. */
export const GONE = 'incoming_gone'

/** The relation `incoming` of a run. */
export interface Incoming {
  /** `undefined` for a model that has none. */
  readonly rowsIn: number | undefined
  /** Rows of `GONE`, which is there when this is not 0. */
  readonly rowsGone: number
  /** Of `incoming`, where nothing but scans is behind it. */
  readonly scans: Scans
}

/**
 * Make the relation `incoming`: what came to its table since the version that was read, or the whole table, or what a backfill asks for.
 * @throws ModelSourceError when that can no longer be told, or when rows went that an `append` has read
 */
export async function makeIncoming(run: ModelRun): Promise<Incoming> {
  const { model, session, sources } = run
  if (model.incoming === undefined) return { rowsIn: undefined, rowsGone: 0, scans: new Map() }
  const changes = await changesFor(run, sources.get(model.incoming)!)
  const grows = onlyGrows(changes)
  let rowsGone = 0
  if (grows) {
    await session.scan(INCOMING, changes.plus, changes.columns)
  } else {
    const scanOf = await session.compile(plansOf(changes))
    await session.table(INCOMING, cameSql(changes, scanOf))
    await session.table(GONE, goneSql(changes, scanOf))
    rowsGone = await session.count(GONE)
  }
  if (model.materialize.kind === 'append' && rowsGone > 0)
    throw new ModelSourceError(
      `${model.name} takes the rows added to ${model.incoming}, and ${rowsGone} rows that it has read went from there. ` +
        'Nothing was written. Materialize it by merge or partitions, or run it with --full-refresh.',
    )
  return {
    rowsIn: await session.count(INCOMING),
    rowsGone,
    scans: new Map([[INCOMING, plansOf(changes)]]),
  }
}

async function changesFor(run: ModelRun, source: ModelTable): Promise<NetChanges> {
  const { model, decision, context } = run
  const { versions } = context
  if (decision.kind === 'increment') return changesOf(model.name, source, decision.fromVersion)
  if (decision.kind === 'range' && versions !== undefined)
    return changesOf(model.name, source, versions.from - 1, Math.min(versions.to, source.version))
  return wholeTable(await source.plan(backfillBounds(run, source)))
}

async function changesOf(
  model: string,
  source: ModelTable,
  fromVersion: number,
  upTo?: number,
): Promise<NetChanges> {
  const changes = await source.changesSince(fromVersion, upTo)
  if (changes !== undefined) return changes
  throw new ModelSourceError(
    `What came to ${source.name} after version ${fromVersion} can no longer be told: its commits or files were cleaned up before ${model} read them. ` +
      `Nothing was written. Make the model anew: mekong run ${model} --full-refresh.`,
  )
}

/** Which rows of the incoming table a backfill is for; `undefined` for all. */
function backfillBounds(
  { model, decision, context }: ModelRun,
  { columns, name: table }: ModelTable,
): Predicate | undefined {
  const { backfillBy, materialize, name } = model
  const { range } = context
  if (decision.kind !== 'range' || range === undefined || materialize.kind === 'partitions')
    return undefined
  const type = columns.find((column) => column.name === backfillBy)?.type
  if (backfillBy === undefined || (type !== 'date' && type !== 'timestamp'))
    throw new ModelInvalidError(
      `${name} cannot be made anew for some days: ${backfillBy === undefined ? 'it does not say by which column of' : `${backfillBy} is no day and no instant of`} ${table}. Say backfillBy, or run it with --full-refresh.`,
    )
  return withinDays({ column: backfillBy, type }, range)
}
