import { rm } from 'node:fs/promises'
import path from 'node:path'
import { assert } from '../../model/errors.ts'
import type { Relation } from '../../model/relation.ts'
import { type ArrivedChanges, openArrivedChanges } from './arrived-changes.ts'
import type { ComputeEngine, EngineConnection } from './engine.ts'
import { quoteIdentifier, quoteText } from './quote-identifier.ts'
import {
  BEGINNING_SQL,
  OPEN_SQL,
  type ReferenceFacts,
  VERSION_COLUMNS,
} from './reference-version.ts'
import { duckdbType } from './type-mapping.ts'

// References inside the engine: all versions of all rows, in a file of the spill folder, so that what does not fit into the engine's
// memory is read when it is needed. In: rows as their source has them now. Out: relations that joins read, and what changed. Nothing
// survives: the lake keeps the history, and the file is filled from there when it is opened.

/** One reference in the engine. */
export interface ReferenceTable {
  /** What joins read. */
  readonly relation: string
  /** Take a history as it is, instead of what is there; `select` yields the reference's columns and `VERSION_COLUMNS`. */
  fill(select: string): Promise<void>
  /** A place for changes that come one by one. */
  arrivals(): Promise<ArrivedChanges>
  /**
   * What rows from the source change, as versions for the history: new ones, and old ones with their end. `polled` has the reference's columns
   * and `changed_at`. When it `isWhole`, rows that are not among them are gone. Nothing is applied yet.
   */
  compare(
    polled: string,
    options: { readonly isWhole: boolean; readonly nowMicros: bigint },
  ): Promise<Relation>
  /** Take over what `compare` found. */
  apply(changes: Relation): Promise<void>
  /** Newest `known_at`, microseconds; 0 when there is nothing. */
  knownMicros(): Promise<bigint>
  /** SQL for the keys written after an instant, as `key`, each with `since`, from when on its rows look different. */
  touchedSql(afterMicros: bigint): string
}

export interface ReferenceStore {
  table(facts: ReferenceFacts): Promise<ReferenceTable>
}

/** Open an empty store in the engine's spill folder. One for each engine. */
export async function openReferenceStore(engine: ComputeEngine): Promise<ReferenceStore> {
  const file = path.join(engine.spillDirectory, 'references.duckdb')
  await Promise.all([rm(file, { force: true }), rm(`${file}.wal`, { force: true })])
  const catalog = engine.relationName('references')
  await withConnection(engine, (c) => c.run(`ATTACH ${quoteText(file)} AS ${catalog}`))
  return {
    async table(facts) {
      const relation = `${catalog}.main.${quoteIdentifier(facts.name)}`
      const columns = [...facts.columns, ...VERSION_COLUMNS]
        .map(({ name, type }) => `${quoteIdentifier(name)} ${duckdbType(type)}`)
        .join(', ')
      await withConnection(engine, (c) => c.run(`CREATE TABLE ${relation} (${columns})`))
      return referenceTable(engine, relation, facts)
    },
  }
}

async function withConnection<T>(
  engine: ComputeEngine,
  work: (connection: EngineConnection) => Promise<T>,
): Promise<T> {
  const connection = await engine.connection()
  try {
    return await work(connection)
  } finally {
    connection.close()
  }
}

function referenceTable(
  engine: ComputeEngine,
  relation: string,
  facts: ReferenceFacts,
): ReferenceTable {
  const names = facts.columns.map(({ name }) => quoteIdentifier(name)).join(', ')
  const key = quoteIdentifier(facts.key)
  return Object.freeze({
    relation,
    fill: (select: string) =>
      withConnection(engine, async (c) => {
        await c.run('BEGIN')
        try {
          await c.run(`DELETE FROM ${relation}`)
          await c.run(
            `INSERT INTO ${relation} SELECT ${names}, valid_from, coalesce(valid_to, ${OPEN_SQL}), known_at FROM (${select})`,
          )
          await c.run('COMMIT')
        } catch (error) {
          await c.run('ROLLBACK')
          throw error
        }
      }),
    arrivals: () => openArrivedChanges(engine, relation, facts),
    compare: (polled: string, options: { isWhole: boolean; nowMicros: bigint }) =>
      withConnection(engine, async (c) => {
        const name = engine.relationName('changes')
        await c.run(`CREATE TABLE ${name} AS ${compareSql(relation, facts, polled, options)}`)
        const [row] = await c.rows(`SELECT count(*) FROM ${name}`)
        return {
          name,
          columns: [...facts.columns, ...VERSION_COLUMNS],
          rowCount: Number(row![0]),
        }
      }),
    apply: (changes: Relation) =>
      withConnection(engine, async (c) => {
        await c.run('BEGIN')
        try {
          await c.run(
            `DELETE FROM ${relation} r USING ${changes.name} c WHERE r.${key} = c.${key} AND r.valid_from = c.valid_from`,
          )
          await c.run(
            `INSERT INTO ${relation} SELECT ${names}, valid_from, coalesce(valid_to, ${OPEN_SQL}), known_at FROM ${changes.name}`,
          )
          await c.run('COMMIT')
        } catch (error) {
          await c.run('ROLLBACK')
          throw error
        }
      }),
    knownMicros: () =>
      withConnection(engine, async (c) => {
        const [row] = await c.rows(`SELECT epoch_us(max(known_at)) FROM ${relation}`)
        return (row![0] as bigint | null) ?? 0n
      }),
    touchedSql: (afterMicros: bigint) =>
      `SELECT ${key} AS key, min(CASE WHEN valid_to = ${OPEN_SQL} THEN valid_from ELSE valid_to END) AS since ` +
      `FROM ${relation} WHERE known_at > make_timestamptz(${afterMicros}) GROUP BY ${key}`,
  })
}

/**
 * A row's change begins when its source says so, yet after the version before it. A row that was gone and is back begins when it came back.
 */
function compareSql(
  relation: string,
  { key: keyName, columns }: ReferenceFacts,
  polled: string,
  { isWhole, nowMicros }: { readonly isWhole: boolean; readonly nowMicros: bigint },
): string {
  assert(columns.length > 0, 'a reference has columns')
  const key = quoteIdentifier(keyName)
  const names = columns.map(({ name }) => quoteIdentifier(name))
  const side = (of: string) => names.map((name) => `${of}.${name}`).join(', ')
  const differs = names.map((name) => `p.${name} IS DISTINCT FROM c.${name}`).join(' OR ')
  const now = `make_timestamptz(${nowMicros})`
  const after = (instant: string) => `make_timestamptz(epoch_us(${instant}) + 1)`
  const begins =
    `CASE WHEN c.valid_from IS NOT NULL THEN greatest(p.changed_at, ${after('c.valid_from')}) ` +
    `WHEN e.ended IS NOT NULL THEN greatest(p.changed_at, e.ended) ELSE ${BEGINNING_SQL} END`
  const gone = isWhole
    ? ` UNION ALL SELECT ${side('c')}, c.valid_from, greatest(${now}, ${after('c.valid_from')}), ${now} ` +
      `FROM holding c ANTI JOIN ${polled} p ON p.${key} = c.${key}`
    : ''
  return (
    `WITH holding AS (SELECT * FROM ${relation} WHERE valid_to = ${OPEN_SQL}), ` +
    `ended AS (SELECT ${key}, max(valid_to) AS ended FROM ${relation} GROUP BY ALL), ` +
    `changed AS (SELECT ${side('p')}, ${begins} AS begins, ${names.map((n, i) => `c.${n} AS old_${i}`).join(', ')}, c.valid_from AS old_from ` +
    `FROM ${polled} p LEFT JOIN holding c ON c.${key} = p.${key} LEFT JOIN ended e ON e.${key} = p.${key} ` +
    `WHERE c.valid_from IS NULL OR ${differs}) ` +
    `SELECT ${names.join(', ')}, begins AS valid_from, NULL::TIMESTAMPTZ AS valid_to, ${now} AS known_at FROM changed ` +
    `UNION ALL SELECT ${names.map((_, i) => `old_${i}`).join(', ')}, old_from, begins, ${now} FROM changed WHERE old_from IS NOT NULL${gone}`
  )
}
