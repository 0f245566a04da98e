import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../model/clock.ts'
import type { ReferencePlan } from '../pipeline/plan.ts'
import type { PostgresConfig } from '../serve/postgres/config.ts'
import { referencePages } from '../serve/postgres/reference-rows.ts'
import type { ComputeEngine } from '../sql/duckdb/engine.ts'
import { quoteIdentifier } from '../sql/duckdb/quote-identifier.ts'
import type { ReferenceTable } from '../sql/duckdb/reference-store.ts'
import { duckdbType } from '../sql/duckdb/type-mapping.ts'
import type { ReferenceHistory } from './reference-history.ts'
import type { ReferenceWay } from './reference-way.ts'

// A table in PostgreSQL is asked for what changed: all of it at the start and now and then, and in between what has a new `changedAt`.

export interface PollOptions {
  readonly plan: ReferencePlan
  readonly postgres: PostgresConfig
  readonly engine: ComputeEngine
  readonly table: ReferenceTable
  readonly clock: Clock
}

/** The source's transactions may be this long; a change that becomes visible later than that is found by the next whole look. */
const OVERLAP_MICROS = 60_000_000n
/** Rows that were deleted leave no `changedAt`; only a whole look finds them. */
const WHOLE_LOOK_INTERVAL_MS = 10 * 60_000

export function pollReference(options: PollOptions, history: ReferenceHistory): ReferenceWay {
  const { plan, table, engine, clock } = options
  /** Newest `changedAt` seen. */
  let lastMicros = 0n
  /** When all rows were last looked at. */
  let wholeMs = Number.NEGATIVE_INFINITY
  return {
    async look({ signal }) {
      const nowMs = clock.nowMs()
      const isWhole = nowMs - wholeMs >= WHOLE_LOOK_INTERVAL_MS
      const only = isWhole ? {} : { afterMicros: lastMicros - OVERLAP_MICROS }
      const polled = await layRows(options, { ...only, signal })
      const nowMicros = await history.momentMicros(nowMs)
      const versions = await table.compare(polled.name, { isWhole, nowMicros })
      try {
        // Whoever asks does not know a place in the source's log.
        await history.take(versions, 0n)
        if (isWhole) wholeMs = nowMs
        if (polled.newestMicros > lastMicros) lastMicros = polled.newestMicros
      } finally {
        await dropTables(engine, [polled.name, versions.name])
      }
      await history.amend()
    },
    wait: (signal) => sleep(plan.pollIntervalMs, undefined, { signal }).catch(() => {}),
    close: async () => {},
  }
}

/** All rows as a snapshot has them, against the history. */
export async function loadSnapshot(
  options: PollOptions,
  history: ReferenceHistory,
  { snapshot, lsn, signal }: { snapshot: string; lsn: bigint; signal: AbortSignal },
): Promise<void> {
  const { table, engine, clock } = options
  const loaded = await layRows(options, { snapshot, signal })
  const nowMicros = await history.momentMicros(clock.nowMs())
  const versions = await table.compare(loaded.name, { isWhole: true, nowMicros })
  try {
    await history.take(versions, lsn)
  } finally {
    await dropTables(engine, [loaded.name, versions.name])
  }
  await history.amend()
}

interface LaidRows {
  readonly name: string
  readonly newestMicros: bigint
}

/** Rows of the source, laid down in the engine with the types of the reference. */
async function layRows(
  { plan, postgres, engine }: PollOptions,
  which: Parameters<typeof referencePages>[2],
): Promise<LaidRows> {
  const text = engine.relationName('polled_text')
  const name = engine.relationName('polled')
  const names = plan.columns.map((column) => column.name)
  const connection = await engine.connection()
  try {
    const cells = [...names, 'changed_at'].map((column) => `${quoteIdentifier(column)} VARCHAR`)
    await connection.run(`CREATE TABLE ${text} (${cells.join(', ')})`)
    const appender = await connection.driver.createAppender(text)
    for await (const page of referencePages(postgres, { ...plan, columns: names }, which)) {
      for (const row of page) {
        for (const cell of row) cell === null ? appender.appendNull() : appender.appendVarchar(cell)
        appender.endRow()
      }
      appender.flushSync()
    }
    appender.closeSync()
    const typed = plan.columns.map(
      (column) =>
        `${quoteIdentifier(column.name)}::${duckdbType(column.type)} AS ${quoteIdentifier(column.name)}`,
    )
    await connection.run(
      `CREATE TABLE ${name} AS SELECT ${typed.join(', ')}, changed_at::TIMESTAMPTZ AS changed_at FROM ${text}`,
    )
    const [row] = await connection.rows(`SELECT epoch_us(max(changed_at)) FROM ${name}`)
    return { name, newestMicros: (row![0] as bigint | null) ?? 0n }
  } finally {
    await connection.run(`DROP TABLE IF EXISTS ${text}`)
    connection.close()
  }
}

export async function dropTables(engine: ComputeEngine, names: readonly string[]): Promise<void> {
  const connection = await engine.connection()
  try {
    for (const name of names) await connection.run(`DROP TABLE IF EXISTS ${name}`)
  } finally {
    connection.close()
  }
}
