import { setTimeout as sleep } from 'node:timers/promises'
import { openDeltaTable } from '../lake/delta/table.ts'
import type { DeltaDeps } from '../lake/delta/table-log.ts'
import { PlatformError } from '../model/errors.ts'
import { type LedgerLine, ledgerLine } from '../model/ledger.ts'
import type { AggregatesPlan, DocumentsPlan } from '../pipeline/plan.ts'
import type { AggregateStore } from '../serve/aggregates/aggregate-store.ts'
import type { DocumentStore } from '../serve/document-store.ts'
import { tableKey } from './lake-home.ts'
import { documentConsumer } from './table-consumers.ts'

/** What is kept from a table's rows, as the ledger sees it. */
export interface LedgerFollower {
  readonly pipeline: string
  /** `documents.orders`, `aggregates.orders`. */
  readonly hop: string
  /** The lake table that is followed. */
  readonly table: string
  /** Version of the table that it has come to; -1 for a beginner. */
  version(): Promise<number>
  /** Whether it holds what its version says and no more. */
  isAtRest(): boolean
  /** How many of the table's rows are in it, counted there; `undefined` where that cannot be said. */
  rowsFound(): Promise<number | undefined>
}

export function documentsFollower(
  pipeline: string,
  plan: DocumentsPlan,
  store: DocumentStore,
  isAtRest: () => boolean,
): LedgerFollower {
  const { name } = plan.collection
  const { version } = documentConsumer(pipeline, plan, store)
  const rowsFound = () => store.count(name)
  return { pipeline, hop: `documents.${name}`, table: plan.from, version, isAtRest, rowsFound }
}

/** Where a measure counts rows, it says how many there are. */
export function aggregatesFollower(
  pipeline: string,
  { name, from: table, shape }: AggregatesPlan,
  store: AggregateStore,
  isAtRest: () => boolean,
): LedgerFollower {
  const count = Object.entries(shape.measures).find(([, { kind }]) => kind === 'count')?.[0]
  const rowsFound = async () => (count === undefined ? undefined : (await store.totals())[count])
  const { version } = store
  return { pipeline, hop: `aggregates.${name}`, table, version, isAtRest, rowsFound }
}

/** One that is at work is rarely at rest for as long as a look takes; this often we try, and then leave out what could not be compared. */
const LOOK_COUNT_MAX = 5
const LOOK_PAUSE_MS = 20

/**
 * A line for each: in are the rows of the table as it is now, in flight those of versions that were not taken yet, out those that are there. A
 * row that changes is one row before and after; so the line says whether each row of the version has its document, and is counted.
 */
export function followerLedger(
  lake: DeltaDeps,
  followers: readonly LedgerFollower[],
): Promise<readonly LedgerLine[]> {
  return Promise.all(followers.map((follower) => lineOf(lake, follower)))
}

async function lineOf(lake: DeltaDeps, follower: LedgerFollower): Promise<LedgerLine> {
  const { pipeline, hop } = follower
  const table = await openDeltaTable(lake, tableKey(follower.table))
  for (let look = 1; ; look += 1) {
    const version = await follower.version()
    const isQuiet = follower.isAtRest()
    const found = isQuiet && version >= 0 ? await follower.rowsFound() : undefined
    const moved = (await follower.version()) !== version || !follower.isAtRest()
    if ((!isQuiet || moved) && look < LOOK_COUNT_MAX) {
      await sleep(LOOK_PAUSE_MS)
      continue
    }
    const snapshot = await table.snapshot()
    const rows = (await snapshot.rowCount()) ?? 0
    const taken =
      version === snapshot.version ? rows : version < 0 ? 0 : await rowsAt(table, version)
    // A version that the lake no longer keeps is taken anew as a whole.
    const reached = taken ?? rows
    const disagreement =
      !isQuiet || moved || found === undefined || taken === undefined || found === taken
        ? {}
        : { disagreement: `${taken} rows were taken and ${found} are there` }
    const counts = { in: Math.max(rows, reached), out: reached }
    return ledgerLine(pipeline, hop, { ...counts, inFlight: counts.in - reached, ...disagreement })
  }
}

async function rowsAt(
  table: Awaited<ReturnType<typeof openDeltaTable>>,
  version: number,
): Promise<number | undefined> {
  try {
    return await (await table.snapshot({ version })).rowCount()
  } catch (error) {
    if (error instanceof PlatformError) return undefined
    throw error
  }
}
