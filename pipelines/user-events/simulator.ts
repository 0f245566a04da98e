import type { SimulatedRequest, SimulatorPlan } from 'mekong'
import type { UserEvent } from './schema.ts'

const EVENTS_PER_REQUEST = 100
const USER_COUNT = 2_000
const MOVIE_COUNT = 500
/** How the events of one day are spread over its 24 hours: quiet nights, full evenings. */
const HOUR_WEIGHTS = [3, 2, 1, 1, 1, 2, 4, 6, 7, 7, 7, 8, 9, 8, 7, 7, 8, 10, 13, 17, 20, 19, 14, 8]
const EVENT_TYPES = [
  ['click', 70],
  ['watch', 20],
  ['like', 6],
  ['rate', 4],
] as const

/**
 * A day of people looking at movies: a few titles take most of the clicks, evenings are busy, timestamps come in all
 * four units, some events are sent twice, and a few are broken, as in life.
 */
export const simulator: SimulatorPlan = {
  eventCountDefault: 20_000,
  *requests({ seed, eventCount, nowMs }): Generator<SimulatedRequest> {
    const random = randomFrom(seed)
    const sent: object[] = []
    for (let from = 0; from < eventCount; from += EVENTS_PER_REQUEST) {
      const count = Math.min(EVENTS_PER_REQUEST, eventCount - from)
      const events = Array.from({ length: count }, (_, index) => {
        const dice = random()
        if (dice < 0.003) return brokenEvent(random)
        if (dice < 0.013 && sent.length > 0) return sent[Math.floor(random() * sent.length)]!
        const event = someEvent(random, `sim-${seed}-${from + index}`, nowMs)
        if (sent.length < 1_000) sent.push(event)
        return event
      })
      yield { path: '/events', events }
    }
  },
}

function someEvent(random: () => number, event_id: string, nowMs: number): UserEvent {
  const eventMs = momentOfDay(random, nowMs)
  const unit = random()
  return {
    user_id: 1 + Math.floor(random() * USER_COUNT),
    // The square makes low ids popular: the first tenth of the movies takes a third of the events.
    movie_id: 1 + Math.floor(random() ** 2 * MOVIE_COUNT),
    event_type: weighted(random, EVENT_TYPES),
    timestamp: unit < 0.2 ? Math.floor(eventMs / 1000) : unit < 0.3 ? eventMs * 1000 : eventMs,
    event_id,
  }
}

function brokenEvent(random: () => number): object | string {
  const broken: (object | string)[] = [
    '{"user_id": 7, "movie_id": 9, "event_type": "click", "timestamp": 17012345',
    { user_id: 'seven', movie_id: 9, event_type: 'click', timestamp: 1_701_234_567_890 },
    { user_id: 7, event_type: 'click', timestamp: 1_701_234_567_890 },
    { user_id: 7, movie_id: 9, event_type: 'click', timestamp: 42 },
    { user_id: 7, movie_id: 9, event_type: '', timestamp: 1_701_234_567_890 },
  ]
  return broken[Math.floor(random() * broken.length)]!
}

function momentOfDay(random: () => number, nowMs: number): number {
  const hour = weighted(
    random,
    HOUR_WEIGHTS.map((weight, index) => [index, weight] as const),
  )
  const dayStartMs = Math.floor(nowMs / 86_400_000) * 86_400_000 - 86_400_000
  return dayStartMs + hour * 3_600_000 + Math.floor(random() * 3_600_000)
}

function weighted<T>(random: () => number, choices: readonly (readonly [T, number])[]): T {
  let rest = random() * choices.reduce((sum, [, weight]) => sum + weight, 0)
  for (const [choice, weight] of choices) {
    rest -= weight
    if (rest < 0) return choice
  }
  return choices.at(-1)![0]
}

/** Numbers in [0, 1) from a seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}
