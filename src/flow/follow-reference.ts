import { setTimeout as sleep } from 'node:timers/promises'
import { createDeltaTable } from '../lake/delta/create.ts'
import { type DeltaTable, openDeltaTable } from '../lake/delta/table.ts'
import type { DeltaDeps } from '../lake/delta/table-log.ts'
import type { Clock } from '../model/clock.ts'
import { messageOf, retryOf } from '../model/errors.ts'
import type { Relation } from '../model/relation.ts'
import type { ReferencePlan } from '../pipeline/plan.ts'
import type { PostgresConfig } from '../serve/postgres/config.ts'
import { migrate } from '../serve/postgres/migrations.ts'
import { referencePages } from '../serve/postgres/reference-rows.ts'
import type { ComputeEngine } from '../sql/duckdb/engine.ts'
import { quoteIdentifier } from '../sql/duckdb/quote-identifier.ts'
import { type ReferenceTable, VERSION_COLUMNS } from '../sql/duckdb/reference-store.ts'
import { scanSql } from '../sql/duckdb/scan.ts'
import { duckdbType } from '../sql/duckdb/type-mapping.ts'
import { ReferenceBusyError } from './errors.ts'
import { tableKey } from './lake-home.ts'
import type { ReferenceGate } from './reference-gate.ts'
import { readMigrations } from './running-hop.ts'

// A reference is followed: a table in PostgreSQL that others change becomes all its versions in the lake, and a relation that joins read.
//
// Comes in: rows, all of them at the start and now and then, and those with a new `changedAt` in between. Goes out: versions with
// `valid_from` and `valid_to` in the lake table, the same in the engine, and the records whose rows they change, sent through their hop again.
// Survives a crash: the lake table, and in it (`txn`) up to which change the rows that were joined before have been sent again. What was not
// is sent again from there; sent twice it changes nothing.

export interface FollowReferenceOptions {
  readonly pipeline: string
  readonly plan: ReferencePlan
  readonly postgres: PostgresConfig
  readonly lake: DeltaDeps
  readonly engine: ComputeEngine
  readonly table: ReferenceTable
  readonly gate: ReferenceGate
  readonly clock: Clock
  /** Sends what was joined with keys that changed after `afterMicros` through its hop again. Returns how many records. */
  readonly amend: (table: ReferenceTable, afterMicros: bigint) => Promise<number>
  /** Told, in one line, what a person should know. */
  readonly onNotice: (line: string) => void
}

export interface FollowedReference {
  readonly name: string
  /** Settles after the first look, whether the source answered or not; joins before it would only miss what is there. */
  readonly ready: Promise<void>
  /** Look for changes now. Returns when what was there at the call is in the lake, in the engine, and sent to the hops. */
  sync(): Promise<void>
  stop(): Promise<void>
}

/** The source's transactions may be this long; a change that becomes visible later than that is found by the next whole look. */
const OVERLAP_MICROS = 60_000_000n
/** Rows that were deleted leave no `changedAt`; only a whole look finds them. */
const WHOLE_LOOK_INTERVAL_MS = 10 * 60_000
const AMENDED = 'mekong/amended'

export function followReference(options: FollowReferenceOptions): FollowedReference {
  const { plan, onNotice, clock } = options
  const stopping = new AbortController()
  const { signal } = stopping
  const state: FollowState = {
    lastMicros: 0n,
    wholeMs: Number.NEGATIVE_INFINITY,
    amendedMicros: 0n,
  }
  let turn: Promise<unknown> = Promise.resolve()
  const sync = () => {
    const mine = turn.then(() => look(options, state, clock.nowMs(), signal))
    turn = mine.catch(() => {})
    return mine
  }
  let trouble: string | undefined
  const tell = (error: unknown) => {
    const now = messageOf(error)
    if (now !== trouble) onNotice(`reference ${plan.name} is waiting: ${now}`)
    trouble = now
  }
  const first = sync().catch(tell)
  const run = async () => {
    await first
    while (!signal.aborted) {
      await sleep(plan.pollIntervalMs, undefined, { signal }).catch(() => {})
      if (signal.aborted) return
      try {
        await sync()
        trouble = undefined
      } catch (error) {
        if (!signal.aborted) tell(error)
        if (retryOf(error) === 'never') return
      }
    }
  }
  const running = run()
  return {
    name: plan.name,
    ready: first,
    sync,
    async stop() {
      stopping.abort()
      await running
      await turn
    },
  }
}

interface FollowState {
  history?: DeltaTable
  migrated?: boolean
  /** Newest `changedAt` seen. */
  lastMicros: bigint
  /** When all rows were last looked at. */
  wholeMs: number
  /** Changes known until then have been sent through the hops. */
  amendedMicros: bigint
}

async function look(
  options: FollowReferenceOptions,
  state: FollowState,
  nowMs: number,
  signal: AbortSignal,
): Promise<void> {
  const { plan, table, gate, engine } = options
  state.history ??= await openHistory(options, state)
  if (!state.migrated) {
    // One folder may make the tables of several references, so it is applied once for the pipeline.
    const target = `references of ${options.pipeline}`
    await migrate(options.postgres, target, readMigrations(plan.migrations), signal)
    state.migrated = true
  }
  const isWhole = nowMs - state.wholeMs >= WHOLE_LOOK_INTERVAL_MS
  const polled = await poll(
    options,
    isWhole ? undefined : state.lastMicros - OVERLAP_MICROS,
    signal,
  )
  const changes = await table.compare(polled.name, {
    isWhole,
    nowMicros: await nextMicros(table, nowMs),
  })
  try {
    if (changes.rowCount > 0) {
      await keep(state.history, changes)
      await gate.alone(() => table.apply(changes))
    }
    if (isWhole) state.wholeMs = nowMs
    if (polled.newestMicros > state.lastMicros) state.lastMicros = polled.newestMicros
  } finally {
    await dropTables(engine, [polled.name, changes.name])
  }
  await amend(options, state)
}

/** Now, and yet after everything known, so that `known_at` tells one look from the next. */
async function nextMicros(table: ReferenceTable, nowMs: number): Promise<bigint> {
  const now = BigInt(nowMs) * 1_000n
  const known = await table.knownMicros()
  return now > known ? now : known + 1n
}

/** The lake's history, made if need be, and in the engine. */
async function openHistory(
  { plan, lake, table }: FollowReferenceOptions,
  state: FollowState,
): Promise<DeltaTable> {
  const location = tableKey(plan.history)
  await createDeltaTable(lake, location, {
    name: plan.history,
    columns: [...plan.columns, ...VERSION_COLUMNS],
  })
  const history = await openDeltaTable(lake, location)
  const snapshot = await history.snapshot()
  await table.fill(scanSql(await snapshot.plan()))
  state.amendedMicros = BigInt(snapshot.transaction(AMENDED) ?? 0)
  return history
}

/** Records joined before a change that their row should show go through their hop again; then we remember having come so far. */
async function amend(
  { table, amend: send }: FollowReferenceOptions,
  state: FollowState,
): Promise<void> {
  const known = await table.knownMicros()
  if (known <= state.amendedMicros) return
  await send(table, state.amendedMicros)
  await state.history!.commitAppend(undefined, {
    transactions: [{ appId: AMENDED, version: Number(known) }],
  })
  state.amendedMicros = known
}

async function keep(history: DeltaTable, changes: Relation): Promise<void> {
  const isFirst = (await (await history.snapshot()).rowCount()) === 0
  const outcome = isFirst
    ? await history.commitAppend(await history.prepareAppend(changes))
    : await history.merge({
        source: changes,
        on: { keys: [changes.columns[0]!.name, 'valid_from'] },
        clauses: [
          { when: 'matched', do: 'update' },
          { when: 'not_matched', do: 'insert' },
        ],
      })
  if (outcome.status === 'conflict' || outcome.status === 'unknown')
    throw new ReferenceBusyError(
      `The history in ${history.location} was changed by somebody else meanwhile. It is looked at again.`,
    )
}

interface Polled {
  readonly name: string
  readonly newestMicros: bigint
}

/** Rows of the source, laid down in the engine with the types of the reference. */
async function poll(
  { plan, postgres, engine }: FollowReferenceOptions,
  afterMicros: bigint | undefined,
  signal: AbortSignal,
): Promise<Polled> {
  const text = engine.relationName('polled_text')
  const name = engine.relationName('polled')
  const names = plan.columns.map((column) => column.name)
  const connection = await engine.connection()
  try {
    const cells = [...names, 'changed_at'].map((column) => `${quoteIdentifier(column)} VARCHAR`)
    await connection.run(`CREATE TABLE ${text} (${cells.join(', ')})`)
    const appender = await connection.driver.createAppender(text)
    const source = { ...plan, columns: names }
    const options = afterMicros === undefined ? { signal } : { afterMicros, signal }
    for await (const page of referencePages(postgres, source, options)) {
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

async function dropTables(engine: ComputeEngine, names: readonly string[]): Promise<void> {
  const connection = await engine.connection()
  try {
    for (const name of names) await connection.run(`DROP TABLE IF EXISTS ${name}`)
  } finally {
    connection.close()
  }
}
