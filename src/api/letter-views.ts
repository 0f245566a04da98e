import { isUtf8 } from 'node:buffer'
import type { ReplayOutcome } from '../flow/replay-decision.ts'
import type { StoredLetter } from '../state/letter-rows.ts'
import { instant } from './views.ts'

// Dead letters as JSON. Bytes are text where they are UTF-8, and Base64 where not, so that nothing is lost on the way.

export type BytesView =
  | { readonly bytes: number; readonly text: string }
  | { readonly bytes: number; readonly base64: string }

export function bytesView(value: Uint8Array): BytesView {
  const buffer = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  return isUtf8(buffer)
    ? { bytes: value.length, text: buffer.toString('utf8') }
    : { bytes: value.length, base64: buffer.toString('base64') }
}

export type LetterView = ReturnType<typeof letterView>

export function letterView(letter: StoredLetter) {
  return {
    id: letter.id,
    pipeline: letter.pipeline,
    hop: letter.hop,
    topic: letter.topic,
    /** Both null when the gateway turned it away: it never was in the log. */
    partition: letter.partition < 0 ? null : letter.partition,
    offset: letter.partition < 0 ? null : letter.offset,
    record_id: letter.recordId,
    key: letter.key,
    reason: letter.reason,
    message: letter.message,
    status: letter.status,
    attempts: letter.attempts,
    arrived_at: instant(letter.arrivedMs),
    first_seen_at: instant(letter.firstSeenMs),
    last_seen_at: instant(letter.lastSeenMs),
    headers: letter.headers,
    value: bytesView(letter.value),
    fixed: letter.fixed === null ? null : bytesView(letter.fixed),
    replayed_to: letter.replayedTo,
    note: letter.note,
  }
}

export type ReplayView = { readonly id: string } & ReplayOutcome

export const replayView = (id: string, outcome: ReplayOutcome): ReplayView => ({ id, ...outcome })
