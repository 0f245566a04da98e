import { createHash } from 'node:crypto'
import type { SQLInputValue } from 'node:sqlite'
import type { Position } from '../model/append.ts'
import type { DeadLetter } from '../model/dead-letter.ts'
import { type DeadLetterEvent, type DeadLetterStatus, transition } from './dead-letter-status.ts'
import {
  DeadLetterAmbiguousError,
  DeadLetterMissingError,
  DeadLetterStatusError,
  StateLimitError,
} from './errors.ts'
import { SHORT_ID_LENGTH, shortId } from './short-id.ts'
import type { Statements } from './statements.ts'

/** A dead letter without its bytes, for lists. */
export interface DeadLetterSummary extends Omit<DeadLetter, 'value' | 'headers'> {
  /** Stable, `SHORT_ID_LENGTH` characters; any beginning that only one letter has may stand for it. */
  readonly id: string
  readonly status: DeadLetterStatus
  readonly valueBytes: number
  readonly firstSeenMs: number
  readonly lastSeenMs: number
  /** How often the record was turned away. */
  readonly attempts: number
  readonly note: string | null
  /** Where the record went when it was replayed. */
  readonly replayPosition: Position | null
}

export interface StoredDeadLetter extends DeadLetterSummary, DeadLetter {
  /** The bytes that a person wrote instead. */
  readonly fixed: Uint8Array | null
}

export interface DeadLetterFilter {
  readonly pipeline?: string
  readonly hop?: string
  readonly topic?: string
  readonly reason?: string
  readonly status?: DeadLetterStatus
}

export interface DeadLetterPage {
  /** Newest first. */
  readonly letters: readonly DeadLetterSummary[]
  /** Hand it in as `before` for the next page; `null` on the last. */
  readonly next: number | null
}

export interface DeadLetterCount {
  readonly pipeline: string
  readonly hop: string
  readonly reason: string
  readonly status: DeadLetterStatus
  readonly count: number
}

/** A page that a person can scroll; no caller needs more at once. */
export const PAGE_COUNT_DEFAULT = 100
export const PAGE_COUNT_MAX = 1000
/** Four times the largest record the gateway takes. */
export const VALUE_BYTES_MAX = 4 * 1024 * 1024
/** A longer message says no more. */
const MESSAGE_CHARACTERS_MAX = 4000

/** The hop whose letters have no place in the log; the store numbers them. */
const GATEWAY = 'gateway'

const SUMMARY = `seq, id, pipeline, hop, topic, partition, "offset", record_id, key, reason, message, arrived_ms, length(value) AS value_bytes,
  first_seen_ms, last_seen_ms, attempts, status, note, replay_partition, replay_offset`

/** Store letters. One that is known already changes nothing, except that the same bytes at the gateway count as one more attempt. */
export function recordLetters(
  sql: Statements,
  letters: readonly DeadLetter[],
  nowMs: number,
): void {
  for (const letter of letters) {
    if (letter.value.length > VALUE_BYTES_MAX)
      throw new StateLimitError(
        `A dead letter of ${letter.value.length} bytes is over the limit of ${VALUE_BYTES_MAX}; none of this call was stored.`,
      )
    const sha256 = createHash('sha256').update(letter.value).digest()
    if (letter.hop !== GATEWAY) {
      insertLetter(sql, letter, letter.offset, sha256, nowMs)
      continue
    }
    sql.run(
      'INSERT INTO gateway_counts (topic, rejected) VALUES (?, 1) ON CONFLICT (topic) DO UPDATE SET rejected = rejected + 1',
      [letter.topic],
    )
    const repeated = sql.run(
      `UPDATE dead_letters SET attempts = attempts + 1, last_seen_ms = max(last_seen_ms, ?)
       WHERE pipeline = ? AND hop = ? AND topic = ? AND sha256 = ? AND partition = -1`,
      [nowMs, letter.pipeline, letter.hop, letter.topic, sha256],
    )
    if (repeated > 0) continue
    const last = sql.get(
      'SELECT max("offset") AS last FROM dead_letters WHERE pipeline = ? AND hop = ? AND topic = ? AND partition = -1',
      [letter.pipeline, letter.hop, letter.topic],
    )
    const offset = Number(last?.last ?? -1) + 1
    insertLetter(sql, { ...letter, partition: -1 }, offset, sha256, nowMs)
  }
}

function insertLetter(
  sql: Statements,
  letter: DeadLetter,
  offset: number,
  sha256: Uint8Array,
  nowMs: number,
): void {
  const { pipeline, hop, topic, partition } = letter
  sql.run(
    `INSERT INTO dead_letters (id, pipeline, hop, topic, partition, "offset", record_id, key, reason, message, value, sha256, headers,
       arrived_ms, first_seen_ms, last_seen_ms, attempts, status)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, 'open')
     ON CONFLICT (pipeline, hop, topic, partition, "offset") DO NOTHING`,
    [
      ...[
        shortId([pipeline, hop, topic, partition, offset]),
        pipeline,
        hop,
        topic,
        partition,
        offset,
      ],
      ...[letter.recordId, letter.key, letter.reason],
      ...[letter.message.slice(0, MESSAGE_CHARACTERS_MAX), letter.value, sha256],
      ...[JSON.stringify(letter.headers), Math.trunc(letter.arrivedMs), nowMs, nowMs],
    ],
  )
}

/** Letters that fit `filter`, newest first, a page at a time. */
export function listLetters(
  sql: Statements,
  filter: DeadLetterFilter,
  page: { readonly before?: number | undefined; readonly count?: number | undefined },
): DeadLetterPage {
  const count = Math.min(Math.max(1, page.count ?? PAGE_COUNT_DEFAULT), PAGE_COUNT_MAX)
  const conditions = ['seq < ?']
  const values: SQLInputValue[] = [page.before ?? Number.MAX_SAFE_INTEGER]
  for (const name of ['pipeline', 'hop', 'topic', 'reason', 'status'] as const) {
    const value = filter[name]
    if (value === undefined) continue
    conditions.push(`${name} = ?`)
    values.push(value)
  }
  const rows = sql.all(
    `SELECT ${SUMMARY} FROM dead_letters WHERE ${conditions.join(' AND ')} ORDER BY seq DESC LIMIT ?`,
    [...values, count + 1],
  )
  const letters = rows.slice(0, count)
  const next = rows.length > count ? Number(letters.at(-1)!.seq) : null
  return { letters: letters.map(summaryOf), next }
}

/** One letter with its bytes. @throws DeadLetterMissingError, DeadLetterAmbiguousError */
export function showLetter(sql: Statements, idPrefix: string): StoredDeadLetter {
  const prefix = idPrefix.trim().toLowerCase()
  // Ids are plain letters and digits; anything else would be a pattern, and names no letter.
  const rows = /^[0-9a-z]+$/.test(prefix)
    ? sql.all(
        `SELECT ${SUMMARY}, value, fixed, headers FROM dead_letters WHERE id >= ? AND id < ? ORDER BY id LIMIT 3`,
        [prefix, `${prefix}~`],
      )
    : []
  if (rows.length === 0)
    throw new DeadLetterMissingError(
      `No dead letter has an id that begins with "${idPrefix}". Ids have ${SHORT_ID_LENGTH} characters; list them to see them.`,
    )
  if (rows.length > 1)
    throw new DeadLetterAmbiguousError(
      `Several dead letters have an id that begins with "${idPrefix}", such as ${rows.map((r) => r.id).join(', ')}. Type more of it.`,
    )
  const row = rows[0]!
  return {
    ...summaryOf(row),
    value: row.value as Uint8Array,
    fixed: row.fixed as Uint8Array | null,
    headers: JSON.parse(row.headers as string),
  }
}

export interface LetterChange {
  readonly id: string
  readonly fixed?: Uint8Array
  readonly position?: Position
  readonly note?: string
}

/** Take a letter one step on. @throws DeadLetterStatusError when its status does not allow it; nothing is changed then */
export function changeLetter(
  sql: Statements,
  event: DeadLetterEvent,
  change: LetterChange,
): StoredDeadLetter {
  const letter = showLetter(sql, change.id)
  const outcome = transition(letter.status, event)
  if (outcome.kind === 'refused')
    throw new DeadLetterStatusError(`Cannot ${event} dead letter ${letter.id}. ${outcome.why}`)
  const { fixed, position, note } = change
  if (fixed !== undefined && fixed.length > VALUE_BYTES_MAX)
    throw new StateLimitError(
      `A fixed value of ${fixed.length} bytes is over the limit of ${VALUE_BYTES_MAX}; nothing was changed.`,
    )
  const before = letter.replayPosition
  if (position !== undefined && before !== null) {
    if (before.partition === position.partition && before.offset === position.offset) return letter
    throw new DeadLetterStatusError(
      `Dead letter ${letter.id} was replayed to partition ${before.partition}, offset ${before.offset} already, ` +
        `not to partition ${position.partition}, offset ${position.offset}.`,
    )
  }
  sql.run(
    `UPDATE dead_letters SET status = ?, fixed = coalesce(?, fixed), note = coalesce(?, note),
       replay_partition = ?, replay_offset = ? WHERE id = ?`,
    [
      ...[outcome.to, fixed ?? null, note ?? null],
      ...[position?.partition ?? null, position?.offset ?? null, letter.id],
    ],
  )
  return showLetter(sql, letter.id)
}

/** How many letters there are, by where they come from and what became of them. */
export function countLetters(sql: Statements): readonly DeadLetterCount[] {
  return sql
    .all(
      `SELECT pipeline, hop, reason, status, count(*) AS count FROM dead_letters
       GROUP BY pipeline, hop, reason, status ORDER BY pipeline, hop, reason, status`,
    )
    .map((row) => ({ ...row, count: Number(row.count) }) as unknown as DeadLetterCount)
}

function summaryOf(row: Record<string, unknown>): DeadLetterSummary {
  const replayed = row.replay_partition !== null
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
    arrivedMs: row.arrived_ms as number,
    valueBytes: row.value_bytes as number,
    firstSeenMs: row.first_seen_ms as number,
    lastSeenMs: row.last_seen_ms as number,
    attempts: row.attempts as number,
    status: row.status as DeadLetterStatus,
    note: row.note as string | null,
    replayPosition: replayed
      ? { partition: row.replay_partition as number, offset: row.replay_offset as number }
      : null,
  }
}
