import { setTimeout as sleep } from 'node:timers/promises'
import { openDeltaTable } from '../lake/delta/table.ts'
import type { DeltaDeps } from '../lake/delta/table-log.ts'
import { ChangesMissingError } from '../lake/errors.ts'
import type { Columns } from '../model/column.ts'
import { messageOf, retryOf } from '../model/errors.ts'
import type { ComputeEngine, EngineConnection } from '../sql/duckdb/engine.ts'
import { backOffMs, DEFAULT_BACK_OFF } from '../stream/back-off.ts'
import { compiledChanges, compiledPlan } from './compiled-plans.ts'
import { tableKey } from './lake-home.ts'

// A lake table is followed: whatever its commits did to its rows reaches one consumer, which keeps its own place.
//
// Comes in: versions of a Delta table. Goes out: changed rows, some versions at a time, with the version they lead to. Survives a crash: the
// consumer's version, which moves with what it took or after it. What lies between is handed over again. A consumer without a version, or whose
// changes the lake no longer keeps, gets all rows as they are now and begins anew.

export interface TableConsumer {
  readonly name: string
  /** Version up to which it has taken all changes; -1 for a beginner. */
  version(): Promise<number>
  /** Take changes. Durable when it returns; the same again changes nothing. */
  take(changes: TableChanges): Promise<void>
}

export interface TableChanges {
  readonly connection: EngineConnection
  /** A relation with the table's columns and those of `CHANGE_COLUMNS`. */
  readonly relation: string
  readonly columns: Columns
  /** After this version. */
  readonly from: number
  /** Up to this one. */
  readonly to: number
  /** The relation is the whole table; whatever was taken before is not to stand. */
  readonly anew: boolean
}

export interface FollowTableOptions {
  readonly table: string
  readonly lake: DeltaDeps
  readonly engine: ComputeEngine
  readonly consumer: TableConsumer
  /** Told of each version that the consumer has come to. */
  readonly onVersion?: (version: number) => void
  /** In [0, 1). */
  readonly chance: () => number
  readonly onNotice: (line: string) => void
}

export interface FollowedTable {
  readonly name: string
  /** Whether nothing is being handed over. */
  isAtRest(): boolean
  /** Something was committed: look now instead of soon. */
  wake(): void
  /** Returns when the consumer has what the table holds at the call, or when it has failed. */
  settled(signal: AbortSignal): Promise<void>
  stop(): Promise<void>
}

/** Commits that nobody tells us of, such as those of another process, are found after so long. */
const LOOK_INTERVAL_MS = 1_000
/** Versions in one hand-over. A commit has up to as many rows as a micro-batch, and a consumer may hold several values for each. */
const VERSION_COUNT_MAX = 2

export function followTable(options: FollowTableOptions): FollowedTable {
  const { consumer, table, onNotice, chance } = options
  const stopping = new AbortController()
  const { signal } = stopping
  let woken = new AbortController()
  let hasFailed = false
  let attempt = 0
  let isAtRest = false

  const run = async () => {
    while (!signal.aborted) {
      try {
        const came = await handOver(options, signal, () => {
          isAtRest = false
        })
        isAtRest = true
        attempt = 0
        if (came) continue
        await sleep(LOOK_INTERVAL_MS, undefined, {
          signal: AbortSignal.any([signal, woken.signal]),
        }).catch(() => {})
        woken = new AbortController()
      } catch (error) {
        if (signal.aborted) return
        attempt += 1
        if (retryOf(error) === 'never') {
          hasFailed = true
          onNotice(`${consumer.name} has stopped following ${table}: ${messageOf(error)}`)
          return
        }
        if (attempt === 1) onNotice(`${consumer.name} is waiting: ${messageOf(error)}`)
        const waitMs = backOffMs(DEFAULT_BACK_OFF, attempt, chance())
        await sleep(waitMs, undefined, { signal }).catch(() => {})
      }
    }
  }
  const running = run()
  const wake = () => woken.abort()
  return {
    name: consumer.name,
    isAtRest: () => isAtRest,
    wake,
    async settled(abort) {
      const wanted = await newestVersion(options)
      while (!abort.aborted && !hasFailed && (await consumer.version()) < wanted) {
        wake()
        await sleep(20, undefined, { signal: abort }).catch(() => {})
      }
    },
    async stop() {
      stopping.abort()
      await running
    },
  }
}

async function newestVersion({ lake, table }: FollowTableOptions): Promise<number> {
  return (await (await openDeltaTable(lake, tableKey(table))).snapshot()).version
}

/** Hand over what is new, if anything is. */
async function handOver(
  options: FollowTableOptions,
  signal: AbortSignal,
  onBegin: () => void,
): Promise<boolean> {
  const { lake, table: name, engine, consumer, onVersion } = options
  const table = await openDeltaTable(lake, tableKey(name), signal)
  const snapshot = await table.snapshot(undefined, signal)
  const { version: newest, columns } = snapshot
  const from = await consumer.version()
  if (from >= newest) return false
  onBegin()
  const to = from < 0 ? newest : Math.min(newest, from + VERSION_COUNT_MAX)
  const part =
    from < 0
      ? undefined
      : await table.changes({ from: from + 1, to }, signal).catch((error) => {
          if (error instanceof ChangesMissingError) return undefined
          throw error
        })
  const anew = part === undefined
  const reached = anew ? newest : to
  const sql = anew
    ? `SELECT *, 'insert' AS _change_type, ${newest}::BIGINT AS _commit_version, now() AS _commit_timestamp FROM (${await compiledPlan(await snapshot.plan({}, signal), engine, signal)})`
    : await compiledChanges(part, engine, signal)
  const relation = engine.relationName('followed')
  const connection = await engine.connection()
  try {
    // Read once, whatever the consumer asks of it.
    await connection.run(`CREATE TEMP TABLE ${relation} AS ${sql}`, { signal })
    await consumer.take({ connection, relation, columns, from, to: reached, anew })
  } finally {
    connection.close()
  }
  onVersion?.(reached)
  return true
}
