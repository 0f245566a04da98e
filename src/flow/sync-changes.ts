import type { DeltaTable } from '../lake/delta/table.ts'
import type { EntityRange, SyncRow } from '../model/sync.ts'
import type { SyncSource } from '../pipeline/sync.ts'
import type { ComputeEngine } from '../sql/duckdb/engine.ts'
import { quoteIdentifier } from '../sql/duckdb/quote-identifier.ts'
import { compiledChanges, compiledPlan } from './compiled-plans.ts'

/** One entity that a sync has to look at: what it was and what it is, `null` where there is none. */
export interface EntityChange {
  readonly before: SyncRow | null
  readonly after: SyncRow | null
}

/** The changes of some versions, folded to one for each entity. */
export interface ChangedEntities extends AsyncDisposable {
  /** Entities that some commit touched. */
  readonly seen: number
  /** Those of them that differ in what the sync watches. */
  readonly changed: number
  stream(signal?: AbortSignal): AsyncIterable<EntityChange>
}

const ROW_COUNT = 'row_number() OVER'

const NO_CHANGES: ChangedEntities = Object.freeze({
  seen: 0,
  changed: 0,
  async *stream() {},
  [Symbol.asyncDispose]: async () => {},
})

/**
 * What versions `from` to `to` (both inclusive) did to the entities of a table. What was changed and changed back is no change. Costs what was
 * changed, not what is there; the fold spills like any query. @throws ChangesMissingError
 */
export async function changedEntities(
  engine: ComputeEngine,
  table: DeltaTable,
  source: SyncSource,
  { from, to }: { readonly from: number; readonly to: number },
  signal?: AbortSignal,
): Promise<ChangedEntities> {
  const plan = await table.changes({ from, to }, signal)
  // A model's run commits also when it changed nothing.
  if (plan.parts.length === 0) return NO_CHANGES
  const changes = await compiledChanges(plan, engine, signal)
  const key = quoteIdentifier(source.key)
  const deleted = source.deleted === undefined ? 'false' : quoteIdentifier(source.deleted)
  const names = columnsOf(source)
  const watched = (source.watch ?? source.reads).map(quoteIdentifier)
  const state = (of: string) => `[${watched.map((name) => `md5(${of}.${name}::VARCHAR)`)}]`
  const held = engine.relationName('sync_changes')
  const select = `
WITH changes AS (
  SELECT ${names.map(quoteIdentifier).join(', ')}, _commit_version AS "?version",
    _change_type IN ('insert', 'update_postimage') AS "?is_after", ${deleted} IS TRUE AS "?gone"
  FROM (${changes})
),
firsts AS (
  SELECT * FROM changes
  QUALIFY ${ROW_COUNT} (PARTITION BY ${key} ORDER BY "?version", "?is_after") = 1
),
lasts AS (
  SELECT * FROM changes
  QUALIFY ${ROW_COUNT} (PARTITION BY ${key} ORDER BY "?version" DESC, "?is_after" DESC) = 1
),
ends AS (
  SELECT firsts, lasts,
    NOT firsts."?is_after" AND NOT firsts."?gone" AS was,
    lasts."?is_after" AND NOT lasts."?gone" AS is_there
  FROM firsts JOIN lasts USING (${key})
)
SELECT
  was IS DISTINCT FROM is_there OR (was AND ${state('firsts')} IS DISTINCT FROM ${state('lasts')}) AS changed,
  CASE WHEN changed AND was THEN to_json(firsts)::VARCHAR END AS before,
  CASE WHEN changed AND is_there THEN to_json(lasts)::VARCHAR END AS after
FROM ends`
  return foldedChanges(engine, held, select, signal)
}

/** The entities that a table holds at a version, or those of a range, as changes from nothing. */
export async function allEntities(
  engine: ComputeEngine,
  table: DeltaTable,
  source: SyncSource,
  { version, range }: { readonly version: number; readonly range?: EntityRange },
  signal?: AbortSignal,
): Promise<ChangedEntities> {
  const snapshot = await table.snapshot({ version }, signal)
  const plan = await snapshot.plan({ columns: columnsOf(source) }, signal)
  const deleted = source.deleted === undefined ? 'false' : quoteIdentifier(source.deleted)
  const within =
    range === undefined
      ? ''
      : ` AND ${quoteIdentifier(source.key)} >= ${range.from} AND ${quoteIdentifier(source.key)} < ${range.to}`
  const select = `SELECT true AS changed, NULL::VARCHAR AS before, to_json(entity)::VARCHAR AS after
FROM (${await compiledPlan(plan, engine, signal)}) AS entity WHERE ${deleted} IS NOT TRUE${within}`
  const connection = await engine.connection()
  try {
    const [row] = await connection.rows(`SELECT count(*) FROM (${select})`, signal)
    const count = Number(row![0])
    return {
      seen: count,
      changed: count,
      stream: (abort) => streamOf(engine, select, abort),
      [Symbol.asyncDispose]: async () => {},
    }
  } finally {
    connection.close()
  }
}

/** Every column that a sync needs of a source, each once. */
export function columnsOf(source: SyncSource): readonly string[] {
  const { key, version, deleted, reads, watch = [] } = source
  const flag = deleted === undefined ? [] : [deleted]
  return [...new Set([key, version, ...flag, ...reads, ...watch])]
}

async function foldedChanges(
  engine: ComputeEngine,
  name: string,
  select: string,
  signal?: AbortSignal,
): Promise<ChangedEntities> {
  const connection = await engine.connection()
  try {
    await connection.run(`CREATE TABLE ${name} AS ${select}`, { signal })
    const [row] = await connection.rows(
      `SELECT count(*), count(*) FILTER (WHERE changed) FROM ${name}`,
    )
    return {
      seen: Number(row![0]),
      changed: Number(row![1]),
      stream: (abort) =>
        streamOf(engine, `SELECT changed, before, after FROM ${name} WHERE changed`, abort),
      async [Symbol.asyncDispose]() {
        const dropping = await engine.connection()
        await dropping.run(`DROP TABLE IF EXISTS ${name}`).finally(() => dropping.close())
      },
    }
  } finally {
    connection.close()
  }
}

async function* streamOf(engine: ComputeEngine, select: string, signal?: AbortSignal) {
  const connection = await engine.connection()
  try {
    for await (const chunk of connection.stream(select, signal)) {
      const [, befores, afters] = chunk.getColumns() as [
        unknown,
        (string | null)[],
        (string | null)[],
      ]
      for (let index = 0; index < befores.length; index += 1) {
        yield { before: parsed(befores[index]!), after: parsed(afters[index]!) }
      }
    }
  } finally {
    connection.close()
  }
}

const parsed = (text: string | null): SyncRow | null => (text === null ? null : JSON.parse(text))
