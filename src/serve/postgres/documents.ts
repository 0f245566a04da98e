// Documents in PostgreSQL, embedded or a server: a table of JSONB for each collection in the schema `documents`.
//
// In:   changes of documents with their versions, and whole collections. Out: rows (id, version, document), and the consumer's version, in one
//       transaction. Survives a crash: everything committed; anything else is taken again.
// A document that is gone leaves nothing, so a change older than its end would bring it back until the end comes again; changes always come
// in order from the cursor, so it does.

import type {
  CollectionFacts,
  DocumentChange,
  DocumentStore,
  FindRequest,
  NewDocument,
  TakeTarget,
} from '../document-store.ts'
import { connect, type PostgresConnection } from './client.ts'
import { type PostgresConfig, postgresName } from './config.ts'
import { quoteIdentifier } from './encode.ts'
import { isServerError, sinkError } from './errors.ts'

const SETUP = `CREATE SCHEMA IF NOT EXISTS documents;
CREATE TABLE IF NOT EXISTS documents."?cursors" (consumer text PRIMARY KEY, version bigint NOT NULL);
CREATE TABLE IF NOT EXISTS documents."?replaced" (collection text PRIMARY KEY, version bigint NOT NULL)`

const tableOf = (collection: string) => `documents.${quoteIdentifier(collection)}`

/** Documents in the database of `config`. Nothing is opened before `open`. */
export function postgresDocuments(config: PostgresConfig): DocumentStore {
  let connection: PostgresConnection | undefined
  let turn: Promise<unknown> = Promise.resolve()
  /** One piece of work at a time, since a connection has one transaction at a time. */
  const during = <T>(what: string, work: (to: PostgresConnection) => Promise<T>): Promise<T> => {
    const mine = turn.then(async () => {
      if (connection === undefined || connection.lost) connection = await connect(config)
      try {
        return await work(connection)
      } catch (error) {
        if (!connection.lost) await connection.run('ROLLBACK').catch(() => connection!.destroy())
        throw sinkError(`${what} in ${postgresName(config)}`, error)
      }
    })
    turn = mine.catch(() => {})
    return mine
  }

  return Object.freeze<DocumentStore>({
    notation: 'plain',
    open: (collections) =>
      during('prepare documents', async (to) => {
        await to.run(SETUP)
        for (const collection of collections) await createCollection(to, collection)
      }),
    cursor: (consumer) =>
      during(`read the cursor of ${consumer}`, async (to) => {
        const sql = 'SELECT version FROM documents."?cursors" WHERE consumer = $1'
        const { rows } = await to.run(sql, [consumer])
        return rows.length === 0 ? -1 : Number(rows[0]![0])
      }),
    take: (consumer, changes, target) =>
      during(`write to ${target.collection}`, async (to) => {
        await to.run('BEGIN')
        for await (const some of changes) await putDocuments(to, target.collection, some)
        await moveCursor(to, consumer, target)
        await to.run('COMMIT')
      }),
    replace: (collection, documents, version) =>
      during(`replace ${collection.name}`, (to) => replaceAll(to, collection, documents, version)),
    find: (request) =>
      during(`look into ${request.collection}`, (to) => orWhenMissing([], findIn(to, request))),
    count: (collection) =>
      during(`count ${collection}`, (to) => orWhenMissing(0, countIn(to, collection))),
    close: async () => {
      await turn
      await connection?.close()
    },
  })
}

async function createCollection(
  to: PostgresConnection,
  { name, indexes }: CollectionFacts,
): Promise<void> {
  await to.run(
    `CREATE TABLE IF NOT EXISTS ${tableOf(name)} (id text PRIMARY KEY, version bigint NOT NULL, document jsonb NOT NULL)`,
  )
  for (const fields of indexes) {
    const index = quoteIdentifier(`${name}_${fields.join('_')}`)
    const parts = fields.map((field) => `(document->${literal(field)})`).join(', ')
    await to.run(`CREATE INDEX IF NOT EXISTS ${index} ON ${tableOf(name)} (${parts})`)
  }
}

const literal = (text: string) => `'${text.replaceAll("'", "''")}'`

/** Texts go as one array each, so that a thousand documents are one statement. */
async function putDocuments(
  to: PostgresConnection,
  collection: string,
  changes: readonly DocumentChange[],
): Promise<void> {
  const kept = changes.filter(({ document }) => document !== null)
  const gone = changes.filter(({ document }) => document === null)
  if (kept.length > 0)
    await to.run(
      `INSERT INTO ${tableOf(collection)} AS d SELECT * FROM unnest($1::text[], $2::bigint[], $3::jsonb[])
ON CONFLICT (id) DO UPDATE SET version = excluded.version, document = excluded.document WHERE d.version < excluded.version`,
      [kept.map((c) => c.id), kept.map((c) => c.version), kept.map((c) => c.document)],
    )
  if (gone.length > 0)
    await to.run(
      `DELETE FROM ${tableOf(collection)} d USING unnest($1::text[], $2::bigint[]) AS g(id, version) WHERE d.id = g.id AND d.version < g.version`,
      [gone.map((c) => c.id), gone.map((c) => c.version)],
    )
}

async function moveCursor(
  to: PostgresConnection,
  consumer: string,
  { version }: TakeTarget,
): Promise<void> {
  await to.run(
    `INSERT INTO documents."?cursors" AS c VALUES ($1, $2)
ON CONFLICT (consumer) DO UPDATE SET version = excluded.version WHERE c.version < excluded.version`,
    [consumer, version],
  )
}

/** In one transaction: who reads meanwhile sees the old ones until it commits. */
async function replaceAll(
  to: PostgresConnection,
  collection: CollectionFacts,
  documents: readonly NewDocument[],
  version: number,
): Promise<void> {
  await to.run(SETUP)
  await createCollection(to, collection)
  await to.run('BEGIN')
  const { rows } = await to.run(
    `INSERT INTO documents."?replaced" AS r VALUES ($1, $2)
ON CONFLICT (collection) DO UPDATE SET version = excluded.version WHERE r.version <= excluded.version RETURNING 1`,
    [collection.name, version],
  )
  if (rows.length > 0) {
    await to.run(`DELETE FROM ${tableOf(collection.name)}`)
    await to.run(
      `INSERT INTO ${tableOf(collection.name)} SELECT id, $2, document FROM unnest($1::text[], $3::jsonb[]) AS n(id, document)`,
      [documents.map(({ id }) => id), version, documents.map(({ document }) => document)],
    )
  }
  await to.run('COMMIT')
}

const UNDEFINED_TABLE = '42P01'

/** A collection that nothing has been put into yet is empty, as it is in MongoDB. */
const orWhenMissing = <T>(nothing: T, answer: Promise<T>): Promise<T> =>
  answer.catch((error: unknown) => {
    if (isServerError(error) && error.code === UNDEFINED_TABLE) return nothing
    throw error
  })

async function countIn(to: PostgresConnection, collection: string): Promise<number> {
  const { rows } = await to.run(`SELECT count(*) FROM ${tableOf(collection)}`)
  return Number(rows[0]![0])
}

async function findIn(
  to: PostgresConnection,
  { collection, where = {}, orderBy, limit, skip = 0 }: FindRequest,
): Promise<Readonly<Record<string, unknown>>[]> {
  const values: unknown[] = []
  const conditions = Object.entries(where).map(([field, value]) =>
    field === '_id'
      ? `id = $${values.push(String(value))}`
      : `document->${literal(field)} = $${values.push(JSON.stringify(value))}::jsonb`,
  )
  const filter = conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`
  const order =
    orderBy === undefined
      ? 'id'
      : `document->${literal(orderBy.field)}${orderBy.descending ? ' DESC' : ''}, id`
  const { rows } = await to.run(
    `SELECT id, document::text FROM ${tableOf(collection)}${filter} ORDER BY ${order} LIMIT ${Math.floor(limit)} OFFSET ${Math.floor(skip)}`,
    values,
  )
  return rows.map(([id, document]) => ({ _id: id, ...JSON.parse(document!) }))
}
