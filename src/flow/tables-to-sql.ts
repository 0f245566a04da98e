import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { ChangePlan } from '../model/change-plan.ts'
import type { Columns } from '../model/column.ts'
import type { PipelinePlan } from '../pipeline/plan.ts'
import type { PostgresConfig } from '../serve/postgres/config.ts'
import { queryPostgres } from '../serve/postgres/query.ts'
import type { TablePublisher } from '../serve/table-publisher.ts'
import type { ComputeEngine } from '../sql/duckdb/engine.ts'
import { QueryRefusedError } from '../sql/duckdb/errors.ts'
import type { QueryFunction, QueryTable } from '../sql/duckdb/query.ts'
import { quoteText } from '../sql/duckdb/quote-identifier.ts'
import { predicateOfFilter, type RowFilter } from '../sql/duckdb/row-filter.ts'
import { duckdbType } from '../sql/duckdb/type-mapping.ts'
import type { StateStore } from '../state/state-store.ts'
import { compiledChanges, compiledPlan } from './compiled-plans.ts'
import type { LakeCatalog } from './lake-catalog.ts'
import { readModels } from './read-models.ts'
import type { TableFormat, TablePoint, TableState } from './table-door.ts'
import type { TablePlaces } from './table-places.ts'

// Everything that people can ask by name, as tables of the compute engine. A table is only looked at when a question names it.

/** The tables of a lake, as they are or were: `bronze.events`, `bronze.events AT (VERSION => 3)`. */
export async function lakeQueryTables(
  lake: LakeCatalog,
  engine: ComputeEngine,
): Promise<readonly QueryTable[]> {
  return (await lake.names()).map((name) => ({
    ...queryTable(name, async (point, filter) =>
      stateSql(await lake.state(name, point), filter, engine),
    ),
    keepsHistory: true,
  }))
}

/**
 * Tables that a statement names itself: `delta('PATH')`, `iceberg('PATH', at => '2026-01-01')`, and tables of the lake by name. What can
 * be named is up to `places`; without access to paths they are names of the lake alone.
 */
export function lakeFunctions(
  places: TablePlaces,
  engine: ComputeEngine,
): Readonly<Record<TableFormat, QueryFunction>> {
  const read = (format: TableFormat): QueryFunction => {
    return async (place, point, filter) => {
      const door = await places.door(place, format)
      return stateSql(await door.state(point), filter, engine)
    }
  }
  return { delta: read('delta'), iceberg: read('iceberg') }
}

/** What commits changed, as a query of its own, in the order of commits. */
export async function changeQuery(
  plan: ChangePlan,
  engine: ComputeEngine,
): Promise<{ readonly sql: string; readonly tables: readonly QueryTable[] }> {
  const changes = queryTable('system.changes', () => compiledChanges(plan, engine))
  return {
    sql: 'SELECT * FROM system.changes ORDER BY _commit_timestamp, _commit_version',
    tables: [changes],
  }
}

/** The rows of a state, of files that may hold some that the statement asks for; it filters them itself. */
async function stateSql(
  state: TableState,
  filter: RowFilter | undefined,
  engine: ComputeEngine,
): Promise<string> {
  const predicate = filter === undefined ? undefined : predicateOfFilter(filter, state.columns)
  const plan = await state.plan(predicate === undefined ? {} : { predicate })
  return compiledPlan({ ...plan, residual: undefined, residualColumns: [] }, engine)
}

/** The models that are views, by their SQL; they name other tables of the same list. */
export async function viewQueryTables(
  engine: ComputeEngine,
  plans: readonly PipelinePlan[],
): Promise<readonly QueryTable[]> {
  const models = await Promise.all(plans.map((plan) => readModels(engine, plan.models)))
  return models
    .flat()
    .filter(({ model }) => model.materialize.kind === 'view')
    .map(({ model, sql, reads }) => ({
      ...queryTable(model.name, async () => sql),
      reads: reads.map((table) => ({ schema: table.split('.')[0]!, name: table.split('.')[1]! })),
    }))
}

/** The models that are views, by name, with the tables they read. */
export async function viewReads(
  engine: ComputeEngine,
  plans: readonly PipelinePlan[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const models = await Promise.all(plans.map((plan) => readModels(engine, plan.models)))
  return new Map(
    models
      .flat()
      .filter(({ model }) => model.materialize.kind === 'view')
      .map(({ model, reads }) => [model.name, reads]),
  )
}

/** Rows that a question about a serving table fetches at most; larger ones are asked in their own store. */
export const SERVED_ROW_COUNT_MAX = 1_000_000

/** Tables that were published as a whole, as `serve.<table>`, copied when asked for. */
export function publishedQueryTables(
  plans: readonly PipelinePlan[],
  {
    spill,
    publisher,
  }: { readonly spill: RowSpill; readonly publisher: () => Promise<TablePublisher> },
): readonly QueryTable[] {
  return plans.flatMap((plan) =>
    plan.publishes.map(({ target: { table } }) =>
      queryTable(`serve.${table}`, async () => {
        const store = await publisher()
        const { columns, rows, truncated } = await store.read(table, SERVED_ROW_COUNT_MAX)
        if (truncated) throw tooLarge(table, store.name)
        return spill.select(columns, rows)
      }),
    ),
  )
}

export const tooLarge = (table: string, store: string) =>
  new QueryRefusedError(
    `serve.${table} has more than ${SERVED_ROW_COUNT_MAX} rows, too many to copy for one question. Ask the store itself (${store}), or the lake table it was published from.`,
  )

/** The serving tables, as `serve.<table>`, copied when asked for. */
export function servedQueryTables(
  plans: readonly PipelinePlan[],
  {
    spill,
    postgres,
  }: { readonly spill: RowSpill; readonly postgres: () => Promise<PostgresConfig> },
): readonly QueryTable[] {
  return plans.flatMap((plan) =>
    plan.serves.map(({ target }) =>
      queryTable(`serve.${target.table}`, async () => {
        const { columns, rows, truncated } = await queryPostgres(await postgres(), {
          sql: `SELECT * FROM ${target.table}`,
          rowCountMax: SERVED_ROW_COUNT_MAX,
        })
        if (truncated) {
          throw new QueryRefusedError(
            `serve.${target.table} has more than ${SERVED_ROW_COUNT_MAX} rows, too many to copy for one question. Ask PostgreSQL itself: mekong sql --on postgres "…".`,
          )
        }
        return spill.select(columns, rows)
      }),
    ),
  )
}

const LETTER_COLUMNS: Columns = [
  ...(['id', 'pipeline', 'hop', 'topic'] as const).map(
    (name) => ({ name, type: 'string', nullable: false }) as const,
  ),
  { name: 'partition', type: 'int32', nullable: false },
  { name: 'offset', type: 'int64', nullable: false },
  ...(['record_id', 'key', 'reason', 'message', 'value', 'status', 'replayed_to'] as const).map(
    (name) => ({ name, type: 'string', nullable: true }) as const,
  ),
  { name: 'attempts', type: 'int64', nullable: false },
  { name: 'first_seen', type: 'timestamp', nullable: false },
  { name: 'last_seen', type: 'timestamp', nullable: false },
]
const LETTER_PAGE_SIZE = 10_000

/** Each pipeline's dead letters, as `dead_letters.<pipeline>` with underscores. Bytes that are no text show their replacement characters. */
export function deadLetterTables(
  plans: readonly PipelinePlan[],
  {
    spill,
    state,
  }: { readonly spill: RowSpill; readonly state: () => Promise<StateStore | undefined> },
): readonly QueryTable[] {
  return plans.map(({ name: pipeline }) =>
    queryTable(`dead_letters.${pipeline.replaceAll('-', '_')}`, async () => {
      const store = await state()
      const rows: unknown[][] = []
      for (let after: string | undefined; store !== undefined; ) {
        const page = await store.list({
          pipeline,
          limit: LETTER_PAGE_SIZE,
          ...(after === undefined ? {} : { after }),
        })
        for (const l of page) {
          const value = Buffer.from(l.fixed ?? l.value).toString()
          rows.push([
            ...[l.id, l.pipeline, l.hop, l.topic, l.partition, l.offset],
            ...[l.recordId, l.key, l.reason, l.message, value, l.status, l.replayedTo],
            ...[l.attempts, BigInt(l.firstSeenMs) * 1_000n, BigInt(l.lastSeenMs) * 1_000n],
          ])
        }
        after = page.at(-1)?.id
        if (page.length < LETTER_PAGE_SIZE) break
      }
      return spill.select(LETTER_COLUMNS, rows)
    }),
  )
}

const LEDGER_COLUMNS: Columns = [
  ...(['pipeline', 'hop'] as const).map(
    (name) => ({ name, type: 'string', nullable: false }) as const,
  ),
  ...(['in', 'out', 'filtered', 'duplicates', 'dead', 'in_flight', 'missing'] as const).map(
    (name) => ({ name, type: 'int64', nullable: false }) as const,
  ),
  { name: 'balanced', type: 'boolean', nullable: false },
  { name: 'disagreement', type: 'string', nullable: true },
]

/** The ledger, as `system.ledger`. */
export function ledgerTable(
  spill: RowSpill,
  lines: () => Promise<readonly LedgerRow[]>,
): QueryTable {
  return queryTable('system.ledger', async () => {
    const rows = (await lines()).map((line) =>
      LEDGER_COLUMNS.map(({ name }) => line[name as keyof LedgerRow] ?? null),
    )
    return spill.select(LEDGER_COLUMNS, rows)
  })
}

/** A line of the ledger under the names that people see. */
export interface LedgerRow {
  readonly pipeline: string
  readonly hop: string
  readonly in: number
  readonly out: number
  readonly filtered: number
  readonly duplicates: number
  readonly dead: number
  readonly in_flight: number
  readonly missing: number
  readonly balanced: boolean
  readonly disagreement?: string | null
}

/** A table that is only made when a question names it. */
export function queryTable(
  name: string,
  select: (point?: TablePoint, filter?: RowFilter) => Promise<string>,
): QueryTable & { readonly keepsHistory?: boolean } {
  const dot = name.lastIndexOf('.')
  return { schema: name.slice(0, dot), name: name.slice(dot + 1), select }
}

/** Rows made here, laid down where the engine can read them. */
export interface RowSpill {
  /** SQL that yields the rows. */
  select(columns: Columns, rows: readonly (readonly unknown[])[]): Promise<string>
  close(): Promise<void>
}

/** A spill for the rows of one question, in a folder of the engine's. */
export async function openRowSpill(engine: ComputeEngine): Promise<RowSpill> {
  const folder = await mkdtemp(path.join(engine.spillDirectory, 'rows-'))
  let fileCount = 0
  return {
    async select(columns, rows) {
      fileCount += 1
      const file = path.join(folder, `${fileCount}.ndjson`)
      const instants = new Set(
        columns.flatMap(({ type }, index) => (type === 'timestamp' ? [index] : [])),
      )
      const lines = rows.map((row) =>
        JSON.stringify(Object.fromEntries(row.map((cell, index) => [`c${index}`, spilled(cell)]))),
      )
      await writeFile(file, lines.join('\n'))
      const types = columns.map(
        ({ type }, index) =>
          `c${index}: ${quoteText(instants.has(index) ? 'BIGINT' : duckdbType(type))}`,
      )
      const cells = columns.map(({ name }, index) => {
        const cell = instants.has(index) ? `make_timestamptz(c${index})` : `c${index}`
        return `${cell} AS "${name.replaceAll('"', '""')}"`
      })
      return `SELECT ${cells.join(', ')} FROM read_json(${quoteText(file)}, format='newline_delimited', columns={${types.join(', ')}})`
    },
    close: () => rm(folder, { recursive: true, force: true }),
  }
}

const spilled = (cell: unknown) => (typeof cell === 'bigint' ? String(cell) : cell)
