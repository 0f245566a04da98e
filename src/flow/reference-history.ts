import { createDeltaTable } from '../lake/delta/create.ts'
import { type DeltaTable, openDeltaTable } from '../lake/delta/table.ts'
import type { DeltaDeps } from '../lake/delta/table-log.ts'
import { assert } from '../model/errors.ts'
import type { Relation } from '../model/relation.ts'
import type { ReferencePlan } from '../pipeline/plan.ts'
import type { ComputeEngine } from '../sql/duckdb/engine.ts'
import type { ReferenceTable } from '../sql/duckdb/reference-store.ts'
import { VERSION_COLUMNS } from '../sql/duckdb/reference-version.ts'
import { compiledPlan } from './compiled-plans.ts'
import { ReferenceBusyError } from './errors.ts'
import { tableKey } from './lake-home.ts'
import type { ReferenceGate } from './reference-gate.ts'

// All versions of a reference's rows, in the lake and in the engine.
//
// Comes in: versions that a look at the source found, with how far in the source's log they reach. Goes out: both commit together in the lake; then the engine has them; then
// the records whose rows they change are sent through their hop again. Survives a crash: the lake's table, and in it (`txn`) the place in
// the source's log and up to which change records were sent again. What was not is sent again from there; sent twice it changes nothing.

export interface ReferenceHistoryOptions {
  readonly plan: ReferencePlan
  readonly lake: DeltaDeps
  readonly engine: ComputeEngine
  readonly table: ReferenceTable
  readonly gate: ReferenceGate
  /** Sends what was joined with keys that changed after `afterMicros` through its hop again. Returns how many records. */
  readonly amend: (table: ReferenceTable, afterMicros: bigint) => Promise<number>
}

export interface ReferenceHistory {
  /** Of the lake's table, for ever: a UUID. */
  readonly id: string
  /** Everything before it in the source's log is here; 0 when that cannot be said, because rows came by asking for them. */
  readonly sourceLsn: bigint
  /** Now, and yet after everything known, so that one look is told from the next. */
  momentMicros(nowMs: number): Promise<bigint>
  /** Take versions, or none, and remember the place. @throws ReferenceBusyError when somebody else writes the table */
  take(versions: Relation | undefined, sourceLsn: bigint): Promise<void>
  /** Records joined before a change that their row should show go through their hop again; then we remember having come so far. */
  amend(): Promise<void>
}

const AMENDED = 'mekong/amended'
const SOURCE_LSN = 'mekong/source-lsn'

/** Open the history, making the lake's table if need be, and fill the engine from it. */
export async function openReferenceHistory(
  options: ReferenceHistoryOptions,
): Promise<ReferenceHistory> {
  const { plan, lake, engine, table, gate, amend } = options
  const location = tableKey(plan.history)
  await createDeltaTable(lake, location, {
    name: plan.history,
    columns: [...plan.columns, ...VERSION_COLUMNS],
  })
  const history = await openDeltaTable(lake, location)
  const snapshot = await history.snapshot()
  const scan = await compiledPlan(await snapshot.plan(), engine)
  await gate.alone(() => table.fill(scan))
  let amendedMicros = BigInt(snapshot.transaction(AMENDED) ?? 0)
  let isAmended = false
  let sourceLsn = BigInt(snapshot.transaction(SOURCE_LSN) ?? 0)
  return {
    id: snapshot.id,
    get sourceLsn() {
      return sourceLsn
    },
    async momentMicros(nowMs) {
      const now = BigInt(nowMs) * 1_000n
      const known = await table.knownMicros()
      return now > known ? now : known + 1n
    },
    async take(versions, toLsn) {
      await keep(history, plan.key, versions, toLsn === sourceLsn ? undefined : toLsn)
      sourceLsn = toLsn
      if (versions === undefined || versions.rowCount === 0) return
      await gate.alone(() => table.apply(versions))
      isAmended = false
    },
    async amend() {
      if (isAmended) return
      const known = await table.knownMicros()
      if (known > amendedMicros) {
        await amend(table, amendedMicros)
        await history.commitAppend(undefined, {
          transactions: [{ appId: AMENDED, version: Number(known) }],
        })
        amendedMicros = known
      }
      isAmended = true
    },
  }
}

async function keep(
  history: DeltaTable,
  key: string,
  versions: Relation | undefined,
  sourceLsn: bigint | undefined,
): Promise<void> {
  if ((versions?.rowCount ?? 0) === 0 && sourceLsn === undefined) return
  // 9 petabytes of a source's log.
  assert(
    sourceLsn === undefined || sourceLsn <= Number.MAX_SAFE_INTEGER,
    'a place is a safe number',
  )
  const transactions =
    sourceLsn === undefined ? [] : [{ appId: SOURCE_LSN, version: Number(sourceLsn) }]
  const outcome = await write(history, key, versions, { transactions })
  if (outcome.status === 'conflict' || outcome.status === 'unknown')
    throw new ReferenceBusyError(
      `The history in ${history.location} was changed by somebody else meanwhile. It is looked at again.`,
    )
}

async function write(
  history: DeltaTable,
  key: string,
  versions: Relation | undefined,
  options: { readonly transactions: readonly { appId: string; version: number }[] },
) {
  if (versions === undefined || versions.rowCount === 0)
    return history.commitAppend(undefined, options)
  const isFirst = (await (await history.snapshot()).rowCount()) === 0
  if (isFirst) return history.commitAppend(await history.prepareAppend(versions), options)
  return history.merge({
    source: versions,
    on: { keys: [key, 'valid_from'] },
    clauses: [
      { when: 'matched', do: 'update' },
      { when: 'not_matched', do: 'insert' },
    ],
    ...options,
  })
}
