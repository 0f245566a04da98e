import { assert } from '../../model/errors.ts'
import type { PostgresConnection } from './client.ts'
import { type PostgresConfig, postgresName } from './config.ts'
import { quoteIdentifier, quoteTable } from './encode.ts'
import { isServerError, sinkError } from './errors.ts'

// What must be on a server before a table can be followed by replication: a publication, which says what is sent, and a slot, which remembers how far we
// are and keeps what we have not confirmed. https://www.postgresql.org/docs/current/logicaldecoding-explanation.html

export interface ReplicationSource {
  readonly table: string
  /** The column by which rows are told apart. */
  readonly key: string
  /** Shared by all who follow the table; a person may make it beforehand. */
  readonly publication: string
  /** Ours alone: lower-case letters, digits and `_`, at most 63. */
  readonly slot: string
}

/** Whether a server lets a table be followed; `unasked` when it is just not set up for that, which is nothing to tell a person. */
export type ReplicationOffer =
  | { readonly status: 'offered' }
  | { readonly status: 'refused' | 'unasked'; readonly reason: string }

/**
 * Look whether a table can be followed by replication. Deletes and changes must say which row they are of, so the table's identity must hold
 * the key: publishing a table without would make the deletes of its applications fail.
 */
export async function replicationOffer(
  connection: PostgresConnection,
  { table, key }: ReplicationSource,
): Promise<ReplicationOffer> {
  const [level] = (await connection.run('SHOW wal_level')).rows
  if (level?.[0] !== 'logical')
    return { status: 'unasked', reason: `its wal_level is ${level?.[0]}, not logical` }
  const { rows } = await connection.run(
    `SELECT c.relkind, c.relreplident, ARRAY(
  SELECT a.attname::text FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
  WHERE i.indrelid = c.oid AND CASE c.relreplident WHEN 'd' THEN i.indisprimary WHEN 'i' THEN i.indisreplident ELSE false END
)::text[] @> ARRAY[$2::text], (SELECT rolsuper OR rolreplication FROM pg_roles WHERE rolname = current_user)
FROM pg_class c WHERE c.oid = to_regclass($1)`,
    [quoteTable(table), key],
  )
  const [found] = rows
  if (found === undefined) return { status: 'refused', reason: `there is no table ${table}` }
  const [kind, identity, holdsKey] = found
  if (kind !== 'r' && kind !== 'p')
    return { status: 'refused', reason: `${table} is not a table, and only tables are published` }
  if (identity !== 'f' && holdsKey !== 't')
    return {
      status: 'refused',
      reason: `its changes would not say which ${key} they are of: make ${key} the primary key, or set the table's REPLICA IDENTITY`,
    }
  return { status: 'offered' }
}

/** Rights, a standby that cannot, and no free slot: what a person may settle, and polling does without. */
const REFUSALS: ReadonlySet<string> = new Set(['42501', '0A000', '53400', '55000', '28000'])

/** The server's words when it refuses replication to us; `undefined` for any other error. */
export function replicationRefusal(error: unknown): string | undefined {
  const said = (error as { readonly cause?: unknown }).cause ?? error
  return isServerError(said) && REFUSALS.has(said.code)
    ? `${said.message} (SQLSTATE ${said.code})`
    : undefined
}

/** Make the publication say that it has the table. Returns whether it did already: what happened before it did is not sent. */
export async function publishTable(
  connection: PostgresConnection,
  { table, publication }: ReplicationSource,
): Promise<boolean> {
  const { rows } = await connection.run(
    `SELECT EXISTS (SELECT FROM pg_publication_rel r WHERE r.prpubid = p.oid AND r.prrelid = to_regclass($2)) OR p.puballtables
FROM pg_publication p WHERE p.pubname = $1`,
    [publication, quoteTable(table)],
  )
  if (rows[0]?.[0] === 't') return true
  const name = quoteIdentifier(publication)
  const sql =
    rows.length === 0
      ? `CREATE PUBLICATION ${name} FOR TABLE ${quoteTable(table)} WITH (publish = 'insert, update, delete, truncate', publish_via_partition_root = true)`
      : `ALTER PUBLICATION ${name} ADD TABLE ${quoteTable(table)}`
  try {
    await connection.run(sql)
  } catch (error) {
    // Somebody else was quicker.
    if (!(isServerError(error) && error.code === '42710')) throw error
  }
  return false
}

export interface FoundSlot {
  /** Somebody reads from it. */
  readonly isActive: boolean
  /** The server has thrown away what we have not read. */
  readonly isLost: boolean
  /** Everything before it was confirmed. */
  readonly confirmedLsn: bigint
  /** End of what the server has written at all. */
  readonly serverLsn: bigint
}

export async function findSlot(
  connection: PostgresConnection,
  slot: string,
): Promise<FoundSlot | undefined> {
  const { rows } = await connection.run(
    `SELECT active, coalesce(wal_status, '') = 'lost', confirmed_flush_lsn - '0/0'::pg_lsn, pg_current_wal_flush_lsn() - '0/0'::pg_lsn
FROM pg_replication_slots WHERE slot_name = $1 AND database = current_database()`,
    [slot],
  )
  const [row] = rows
  if (row === undefined) return undefined
  const lsn = (text: string | null) => BigInt(text ?? '0')
  return {
    ...{ isActive: row[0] === 't', isLost: row[1] === 't' },
    ...{ confirmedLsn: lsn(row[2]!), serverLsn: lsn(row[3]!) },
  }
}

/** Whatever it still holds is gone with it. */
export async function dropSlot(connection: PostgresConnection, slot: string): Promise<void> {
  await connection.run('SELECT pg_drop_replication_slot($1)', [slot])
}

export interface NewSlot {
  /** Everything committed before it is in the snapshot, everything after comes through the slot. */
  readonly startLsn: bigint
  /** For `SET TRANSACTION SNAPSHOT`, until the connection does something else. */
  readonly snapshot: string
}

/**
 * Make the slot. The server waits until the transactions that run now have ended. `connection` is one for replication.
 * @throws SinkUnavailableError and its kin, with the server's error as the cause
 */
export async function createSlot(
  connection: PostgresConnection,
  config: PostgresConfig,
  slot: string,
): Promise<NewSlot> {
  assert(/^[a-z0-9_]{1,63}$/.test(slot), 'a slot is named with letters, digits and _')
  try {
    // The older of two spellings, which all versions take.
    const { rows } = await connection.run(
      `CREATE_REPLICATION_SLOT ${slot} LOGICAL pgoutput EXPORT_SNAPSHOT`,
    )
    const [, startLsn, snapshot] = rows[0]!
    return { startLsn: lsnOf(startLsn!), snapshot: snapshot! }
  } catch (error) {
    throw sinkError(`make the replication slot ${slot} in ${postgresName(config)}`, error)
  }
}

/** `16/B374D848` as a number of bytes. */
export function lsnOf(text: string): bigint {
  const [high, low] = text.split('/')
  return (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`)
}

export const lsnText = (lsn: bigint): string =>
  `${(lsn >> 32n).toString(16).toUpperCase()}/${(lsn & 0xffff_ffffn).toString(16).toUpperCase()}`
