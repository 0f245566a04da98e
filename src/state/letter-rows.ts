import { createHash } from 'node:crypto'
import type { DatabaseSync, SQLInputValue } from 'node:sqlite'
import type { DeadLetter } from '../model/dead-letter.ts'
import { DeadLetterMissingError, DeadLetterStateError } from './errors.ts'
import { type LetterEvent, type LetterStatus, letterTransition } from './letter-status.ts'

// Dead letters as rows. Every function runs on the state's thread, inside a transaction of its caller where it writes.

/** A dead letter as it is kept. */
export interface StoredLetter extends DeadLetter {
  /** Short enough to type; the first characters are enough where they are unambiguous. */
  readonly id: string
  readonly firstSeenMs: number
  readonly lastSeenMs: number
  /** How often the same record was turned away. */
  readonly attempts: number
  readonly status: LetterStatus
  /** The mended bytes, once there are some. */
  readonly fixed: Uint8Array | null
  /** `topic/partition/offset`, once replayed. */
  readonly replayedTo: string | null
  readonly note: string | null
}

export interface LetterFilter {
  readonly pipeline?: string
  readonly hop?: string
  readonly reason?: string
  readonly status?: LetterStatus
  /** Any of these; beside `status`, both must hold. */
  readonly statuses?: readonly LetterStatus[]
}

export interface LetterPage extends LetterFilter {
  /** Default 100, at most 10,000. */
  readonly limit?: number
  /** Id of the last letter of the page before. */
  readonly after?: string
  /** Default false: oldest first. */
  readonly newestFirst?: boolean
}

export interface LetterCount {
  readonly pipeline: string
  readonly hop: string
  readonly reason: string
  readonly status: LetterStatus
  readonly letters: number
  readonly attempts: number
}

const PAGE_SIZE_MAX = 10_000
const BASE32 = '0123456789abcdefghjkmnpqrstvwxyz'
/** 60 bits: a million letters meet by chance once in two million platforms. */
const ID_LENGTH = 12

/** The gateway's letters have no place in the log: what makes them the same is their bytes. */
const GATEWAY_PARTITION = -1

/** Keep letters. The same letter again changes nothing; the same bytes at the gateway again are one more attempt. */
export function recordLetters(
  database: DatabaseSync,
  letters: readonly DeadLetter[],
  nowMs: number,
): void {
  for (const letter of letters) {
    if (letter.partition >= 0) insertLetter(database, letter, letter.offset, nowMs)
    else recordAtGateway(database, letter, nowMs)
  }
}

function recordAtGateway(database: DatabaseSync, letter: DeadLetter, nowMs: number): void {
  const { pipeline, hop, topic, value } = letter
  addToCounter(database, rejectedCounter(topic), 1)
  const known = database
    .prepare(
      'SELECT id FROM letters WHERE pipeline = ? AND hop = ? AND topic = ? AND value_hash = ? AND partition < 0',
    )
    .get(pipeline, hop, topic, hashOf(value)) as { id: string } | undefined
  if (known !== undefined) {
    database
      .prepare('UPDATE letters SET attempts = attempts + 1, last_seen_ms = ? WHERE id = ?')
      .run(nowMs, known.id)
    return
  }
  const { next } = database
    .prepare(
      'SELECT coalesce(max("offset") + 1, 0) AS next FROM letters WHERE pipeline = ? AND hop = ? AND topic = ? AND partition = ?',
    )
    .get(pipeline, hop, topic, GATEWAY_PARTITION) as { next: number }
  insertLetter(database, { ...letter, partition: GATEWAY_PARTITION }, next, nowMs)
}

function insertLetter(
  database: DatabaseSync,
  letter: DeadLetter,
  offset: number,
  nowMs: number,
): void {
  const { pipeline, hop, topic, partition } = letter
  database
    .prepare(
      `INSERT OR IGNORE INTO letters (id, pipeline, hop, topic, partition, "offset", record_id, key, reason, message, value,
         value_hash, headers, arrived_ms, first_seen_ms, last_seen_ms, attempts, status)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, 'open')`,
    )
    .run(
      letterId([pipeline, hop, topic, partition, offset].join('\0')),
      pipeline,
      hop,
      topic,
      partition,
      offset,
      letter.recordId,
      letter.key,
      letter.reason,
      letter.message,
      letter.value,
      hashOf(letter.value),
      JSON.stringify(letter.headers),
      letter.arrivedMs,
      nowMs,
      nowMs,
    )
}

/** In the order in which they were first seen. */
export function listLetters(database: DatabaseSync, page: LetterPage): readonly StoredLetter[] {
  const { conditions, values } = filterSql(page)
  const [past, order] = page.newestFirst === true ? ['<', 'DESC'] : ['>', 'ASC']
  if (page.after !== undefined) {
    conditions.push(
      `(first_seen_ms, id) ${past} (SELECT first_seen_ms, id FROM letters WHERE id = ?)`,
    )
    values.push(page.after)
  }
  const limit = Math.min(Math.max(1, page.limit ?? 100), PAGE_SIZE_MAX)
  return database
    .prepare(
      `SELECT * FROM letters WHERE ${conditions.join(' AND ')} ORDER BY first_seen_ms ${order}, id ${order} LIMIT ${limit}`,
    )
    .all(...values)
    .map(storedLetter)
}

/** The letter whose id begins so. @throws DeadLetterMissingError when there is none, or more than one */
export function findLetter(database: DatabaseSync, idStart: string): StoredLetter {
  const rows = database
    .prepare('SELECT * FROM letters WHERE id >= ? AND id < ? ORDER BY id LIMIT 2')
    .all(idStart, `${idStart}\uffff`)
  if (rows.length === 1 && idStart.length > 0) return storedLetter(rows[0]!)
  throw new DeadLetterMissingError(
    rows.length === 0
      ? `There is no dead letter "${idStart}". See "mekong dlq list".`
      : `More than one dead letter begins with "${idStart}". Give more of the id.`,
  )
}

/** @throws DeadLetterStateError when the letter is past it */
export function changeLetter(
  database: DatabaseSync,
  idStart: string,
  event: LetterEvent,
  change: { readonly fixed?: Uint8Array; readonly replayedTo?: string; readonly note?: string },
): StoredLetter {
  const letter = findLetter(database, idStart)
  const status = letterTransition(letter.status, event)
  if (status === undefined) {
    throw new DeadLetterStateError(
      `The dead letter ${letter.id} is ${letter.status}, so "${event}" is not possible.${letter.replayedTo === null ? '' : ` It went to ${letter.replayedTo}.`}`,
    )
  }
  database
    .prepare(
      'UPDATE letters SET status = ?, fixed = coalesce(?, fixed), replayed_to = coalesce(?, replayed_to), note = coalesce(?, note) WHERE id = ?',
    )
    .run(status, change.fixed ?? null, change.replayedTo ?? null, change.note ?? null, letter.id)
  return findLetter(database, letter.id)
}

export function countLetters(database: DatabaseSync, filter: LetterFilter): readonly LetterCount[] {
  const { conditions, values } = filterSql(filter)
  return database
    .prepare(
      `SELECT pipeline, hop, reason, status, count(*) AS letters, sum(attempts) AS attempts FROM letters
       WHERE ${conditions.join(' AND ')} GROUP BY ALL_KEYS ORDER BY ALL_KEYS`.replaceAll(
        'ALL_KEYS',
        '1, 2, 3, 4',
      ),
    )
    .all(...values) as unknown as LetterCount[]
}

/** Name of the counter of records that the gateway turned away for a topic, every arrival counted. */
export const rejectedCounter = (topic: string) => `rejected/${topic}`

export function addToCounter(database: DatabaseSync, name: string, amount: number): void {
  database
    .prepare(
      'INSERT INTO counters VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = value + excluded.value',
    )
    .run(name, amount)
}

export function counter(database: DatabaseSync, name: string): number {
  const row = database.prepare('SELECT value FROM counters WHERE name = ?').get(name)
  return (row?.value as number | undefined) ?? 0
}

function filterSql(filter: LetterFilter): { conditions: string[]; values: SQLInputValue[] } {
  const given = (['pipeline', 'hop', 'reason', 'status'] as const).filter(
    (name) => filter[name] !== undefined,
  )
  const { statuses } = filter
  const anyOf = statuses === undefined ? [] : [`status IN (${statuses.map(() => '?').join(', ')})`]
  return {
    conditions: ['true', ...given.map((name) => `${name} = ?`), ...anyOf],
    values: [...given.map((name) => filter[name]!), ...(statuses ?? [])],
  }
}

function storedLetter(row: Record<string, unknown>): StoredLetter {
  return {
    id: row.id as string,
    pipeline: row.pipeline as string,
    hop: row.hop as string,
    topic: row.topic as string,
    partition: row.partition as number,
    offset: row.offset as number,
    recordId: row.record_id as string,
    key: row.key as string | null,
    reason: row.reason as string,
    message: row.message as string,
    value: row.value as Uint8Array,
    headers: JSON.parse(row.headers as string),
    arrivedMs: row.arrived_ms as number,
    firstSeenMs: row.first_seen_ms as number,
    lastSeenMs: row.last_seen_ms as number,
    attempts: row.attempts as number,
    status: row.status as LetterStatus,
    fixed: row.fixed as Uint8Array | null,
    replayedTo: row.replayed_to as string | null,
    note: row.note as string | null,
  }
}

const hashOf = (value: Uint8Array) => createHash('sha256').update(value).digest()

/** Crockford's base 32: no letter that looks like another or like a digit. */
function letterId(name: string): string {
  const digest = createHash('sha256').update(name).digest()
  let bits = digest.readBigUInt64BE() >> 4n
  let id = ''
  for (let index = 0; index < ID_LENGTH; index += 1) {
    id = BASE32[Number(bits & 31n)]! + id
    bits >>= 5n
  }
  return id
}
