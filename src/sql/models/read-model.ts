import { createHash } from 'node:crypto'
import type { Materialization, SqlModel } from '../../model/sql-model.ts'
import type { EngineConnection } from '../duckdb/engine.ts'
import { readStatement } from '../duckdb/statement.ts'
import { ModelInvalidError } from './errors.ts'

// What a model's SQL says, found by parsing it with DuckDB itself. In: the texts. Out: what it reads, and a fingerprint that
// only a change of meaning moves. Nothing is run, and nothing of a lake is needed.

/** Relations that a model may name beside tables. */
export const INCOMING = 'incoming'
export const TOUCHED = 'touched'
/** What a window model's SQL reads: the sums of its window. */
export const TOTALS = 'totals'

/** A model with the texts of its files. */
export interface ModelText {
  readonly model: SqlModel
  /** Without a semicolon at its end. */
  readonly sql: string
  /** Of `partitions({ touched })`. */
  readonly touchedSql?: string
  /** Of `window({ rows })`. */
  readonly rowsSql?: string
}

export interface ReadModel extends ModelText {
  /** Tables and views, `layer.name`, without itself; `incoming`'s own is among them. */
  readonly reads: readonly string[]
  /** Those its SQL names as tables, not only as `incoming`. */
  readonly namesTables: readonly string[]
  /** Those that the SQL of `touched` names. */
  readonly touchedTables: readonly string[]
  /** The model's own SQL does, as against that of `touched` or `rows`. */
  readonly readsIncoming: boolean
  readonly readsTouched: boolean
  /** Its SQL names the model's own table: the rows that a run leaves as they are. */
  readonly readsItself: boolean
  /** 52 bits of a hash over the normalised SQL and how the rows are kept. */
  readonly fingerprint: number
}

/** @throws ModelInvalidError, SqlError, QueryRefusedError when it is not one SELECT over tables */
export async function readModel(connection: EngineConnection, text: ModelText): Promise<ReadModel> {
  const { model, sql, touchedSql, rowsSql } = text
  const { materialize } = model
  const own = await readText(connection, model, sql, relationsOf(materialize.kind))
  const read = (part: string | undefined, known: readonly string[]) =>
    part === undefined ? undefined : readText(connection, model, part, known)
  const touched = await read(touchedSql, [INCOMING, TOUCHED])
  const rows = await read(rowsSql, [INCOMING])
  if (materialize.kind === 'window') checkReach(model, [...own.tables, ...(rows?.tables ?? [])])
  const touchedTables = touched?.tables ?? new Set<string>()
  const names = new Set([...own.tables, ...touchedTables])
  const { incoming } = model
  if (incoming === undefined && [own, touched, rows].some((part) => part?.relations.has(INCOMING)))
    throw new ModelInvalidError(
      `The SQL of ${model.name} reads "incoming", and the model does not say which table that is. Say incoming: 'layer.name'.`,
    )
  if (materialize.kind === 'merge' && materialize.deletes === 'follow' && names.has(model.name))
    throw new ModelInvalidError(
      `The SQL of ${model.name} reads the model's own table, and the model follows deletes, for which the SQL is asked what it makes of all rows. Leave out deletes: 'follow', or do not read ${model.name}.`,
    )
  const reads = new Set(names)
  reads.delete(model.name)
  if (incoming !== undefined) reads.add(incoming)
  return {
    ...text,
    reads: [...reads].sort(),
    namesTables: [...own.tables].filter((name) => name !== model.name).sort(),
    touchedTables: [...touchedTables].filter((name) => name !== model.name).sort(),
    readsIncoming: own.relations.has(INCOMING),
    readsTouched: own.relations.has(TOUCHED),
    readsItself: names.has(model.name),
    fingerprint: fingerprintOf(model, [own.normal, touched?.normal ?? rows?.normal ?? '']),
  }
}

/** Tables that a statement of a model's test reads. @throws ModelInvalidError, SqlError, QueryRefusedError */
export async function readTables(
  connection: EngineConnection,
  what: string,
  sql: string,
): Promise<readonly string[]> {
  const { tables, reaches } = await readStatement(connection, sql)
  if (reaches.length > 0 || tables.some(({ schema }) => schema === ''))
    throw new ModelInvalidError(
      `The SQL of ${what} reads ${[...reaches, ...tables.filter((t) => t.schema === '').map((t) => t.name)].join(', ')}. It may read tables named layer.name, and nothing else.`,
    )
  return tables.map(({ schema, name }) => `${schema}.${name}`)
}

/** Relations that a model's SQL may name, by how its rows are kept. */
const relationsOf = (kind: Materialization['kind']): readonly string[] =>
  kind === 'window' ? [TOTALS] : kind === 'partitions' ? [INCOMING, TOUCHED] : [INCOMING]

/** What a window is made of must be told by the changes of its incoming table alone. */
function checkReach(model: SqlModel, tables: readonly string[]): void {
  if (tables.length > 0)
    throw new ModelInvalidError(
      `The SQL of ${model.name} reads ${tables.join(', ')}. A window is made of ${model.incoming} alone: its rows read "${INCOMING}", its SQL reads "${TOTALS}". Join in a model that reads ${model.name}.`,
    )
}

interface ReadText {
  readonly tables: ReadonlySet<string>
  readonly relations: ReadonlySet<string>
  /** The statement without what does not matter. */
  readonly normal: string
}

async function readText(
  connection: EngineConnection,
  model: SqlModel,
  sql: string,
  known: readonly string[],
): Promise<ReadText> {
  const { tables, reaches, pastTables, tree } = await readStatement(connection, sql)
  if (pastTables.length > 0)
    throw new ModelInvalidError(
      `The SQL of ${model.name} reads a table as it was (AT). A model reads tables as they are when it runs; what came since is in incoming.`,
    )
  if (reaches.length > 0)
    throw new ModelInvalidError(
      `The SQL of ${model.name} reads ${reaches.join(', ')}. A model reads tables of the lake and nothing else.`,
    )
  const relations = new Set(tables.filter(({ schema }) => schema === '').map(({ name }) => name))
  const unknown = [...relations].filter((name) => !known.includes(name))
  if (unknown.length > 0)
    throw new ModelInvalidError(
      `The SQL of ${model.name} reads ${unknown.join(', ')}. Tables are named layer.name; ${known.join(' and ')} ${known.length > 1 ? 'are' : 'is'} the only other name${known.length > 1 ? 's' : ''}.`,
    )
  return {
    tables: new Set(
      tables.filter(({ schema }) => schema !== '').map(({ schema, name }) => `${schema}.${name}`),
    ),
    relations,
    normal: normalTree(tree),
  }
}

/** The tree without places in the text: two texts that differ in space, comments and brackets are the same. */
const normalTree = (tree: string): string => tree.replaceAll(/"query_location":\d+,?/g, '')

/** A whole number below 2^52, so that a lake can keep it as an application's version. */
function fingerprintOf(model: SqlModel, statements: readonly string[]): number {
  const { materialize, partitionBy, columns, incoming, parameters } = model
  const how =
    materialize.kind === 'partitions'
      ? { ...materialize, touched: undefined }
      : materialize.kind === 'window'
        ? { ...materialize, rows: undefined }
        : materialize
  const said = Object.entries(parameters).filter(([, value]) => value !== null)
  const text = JSON.stringify([
    ...[statements, how, partitionBy, columns, incoming],
    ...(said.length === 0 ? [] : [said]),
  ])
  const digest = createHash('sha256').update(text).digest()
  return digest.readUIntBE(0, 6) * 16 + (digest[6]! >> 4)
}
