// The event that the benches send: 140 bytes of JSON, as the user-events pipeline takes it, with two fields that its
// schema does not name.

export const EVENT_BYTES = 140
const EVENT_TYPES = ['click', 'watch', 'like', 'rate'] as const
const START_MS = 1_701_234_567_890

export interface EventOptions {
  /** Declares this id, for which the log must then look. */
  readonly eventId?: string
  readonly userId?: number
}

/** Event number `n`. The same number is the same event. */
export function userEventText(n: number, { eventId, userId }: EventOptions = {}): string {
  const event = {
    user_id: userId ?? 100_000 + ((n * 7_919) % 899_999),
    movie_id: 1_000 + ((n * 31) % 9_000),
    event_type: EVENT_TYPES[n % 4],
    timestamp: START_MS + n,
    ...(eventId === undefined
      ? { session: `s-${String(n).padStart(12, '0')}` }
      : { event_id: eventId }),
    page: '/',
  }
  const text = JSON.stringify(event)
  const missing = EVENT_BYTES - text.length
  return missing <= 0
    ? text
    : `${text.slice(0, -2)}${'movies/detail/'.repeat(9).slice(0, missing)}"}`
}
