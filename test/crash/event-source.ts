import type { Chance } from './seeded.ts'

// What the clients of a crash test send: requests of every shape, each event and each bad record unlike any other, so that every row
// found later can be told from all others and is accounted for.

export interface SentEvent {
  /** The id that the record gets: declared by the event, or made from the idempotency key. */
  readonly id: string
  readonly userId: number
  readonly movieId: number
  readonly eventType: string
  readonly timestampMicros: bigint
  /** A text that Delta can hold and PostgreSQL cannot: a dead letter of the serving hop alone. */
  readonly refusedByPostgres: boolean
}

/** One record of a request, in order: an event to be taken, or the bytes of one to be turned away. */
export type SentRecord = { readonly event: SentEvent } | { readonly bad: string }

export interface SentRequest {
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly isBatch: boolean
  readonly records: readonly SentRecord[]
}

export interface EventSource {
  next(): SentRequest
}

/** Epoch units, with how many of them make a millisecond; seconds lose the milliseconds. */
const UNITS = [
  { perMs: 1n, suffix: '' },
  { perMs: 1_000n, suffix: '000' },
  { perMs: 1_000_000n, suffix: '000000' },
] as const
const FIRST_MS = 1_701_234_567_000
const USER_COUNT = 97

/** Requests without end. `mark` keeps the ids of one run apart from those of another on the same home. */
export function eventSource(chance: Chance, mark: string): EventSource {
  let count = 0

  const newEvent = (id?: string): { event: SentEvent; json: string } => {
    const n = count++
    const refusedByPostgres = chance.next() < 0.004
    const seconds = chance.next() < 0.25
    const ms = FIRST_MS + n * 1_000 + (seconds ? 0 : chance.integer(0, 999))
    const { suffix } = chance.oneOf(UNITS)
    const eventType = chance.oneOf(['click', 'watch', 'rate', 'Đánh giá', '🎬 play'])
    const event = {
      id: id ?? `${mark}-${n}`,
      userId: 1 + (n % USER_COUNT),
      movieId: n,
      eventType: refusedByPostgres ? `${eventType}\0` : eventType,
      timestampMicros: BigInt(ms) * 1_000n,
      refusedByPostgres,
    }
    const members = [
      `"user_id":${event.userId},"movie_id":${n}`,
      `"event_type":${JSON.stringify(event.eventType)}`,
      `"timestamp":${seconds ? ms / 1_000 : `${ms}${suffix}`}`,
      ...(id === undefined ? [`"event_id":${JSON.stringify(event.id)}`] : []),
    ]
    return { event, json: `{${members.join(',')}}` }
  }

  const newBad = (): string => {
    const n = count++
    return chance.oneOf([
      `{"user_id":7,"movie_id":${n},"event_type":"click","timestamp":17012345`,
      `{"user_id":"seven","movie_id":${n},"event_type":"click","timestamp":1701234567890}`,
      `{"movie_id":${n},"event_type":"click","timestamp":1701234567890}`,
      `{"user_id":7,"movie_id":${n},"event_type":"click","timestamp":42}`,
      `{"user_id":7,"movie_id":${n},"event_type":"","timestamp":1701234567890}`,
      `{"user_id":7,"movie_id":${n},"movie_id":${n},"event_type":"click","timestamp":1701234567890}`,
    ])
  }

  const single = (): SentRequest => {
    if (chance.next() < 0.1) {
      const bad = newBad()
      return { headers: JSON_BODY, body: bad, isBatch: false, records: [{ bad }] }
    }
    const key = chance.next() < 0.4 ? `${mark}-key-${count}` : undefined
    const { event, json } = newEvent(key)
    const headers = key === undefined ? JSON_BODY : { ...JSON_BODY, 'idempotency-key': key }
    return { headers, body: json, isBatch: false, records: [{ event }] }
  }

  const batch = (): SentRequest => {
    const key = chance.next() < 0.4 ? `${mark}-key-${count}` : undefined
    const size = chance.next() < 0.05 ? chance.integer(500, 2_000) : chance.integer(2, 60)
    const lines: string[] = []
    const records: SentRecord[] = []
    for (let index = 0; index < size; index += 1) {
      if (chance.next() < 0.03) {
        const bad = newBad()
        lines.push(bad)
        records.push({ bad })
      } else {
        const { event, json } = newEvent(key === undefined ? undefined : `${key}:${index}`)
        lines.push(json)
        records.push({ event })
      }
    }
    const headers = key === undefined ? NDJSON_BODY : { ...NDJSON_BODY, 'idempotency-key': key }
    return { headers, body: lines.join('\n'), isBatch: true, records }
  }

  return { next: () => (chance.next() < 0.5 ? single() : batch()) }
}

const JSON_BODY = { 'content-type': 'application/json' } as const
const NDJSON_BODY = { 'content-type': 'application/x-ndjson' } as const
