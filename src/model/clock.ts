/** A moment in UTC microseconds since 1970. Microseconds are what every table format we write stores. */
export type Micros = bigint

/** Where time comes from. An argument wherever a decision depends on it, so that tests own it. */
export interface Clock {
  /** Milliseconds since 1970, UTC. */
  nowMs(): number
}

export const systemClock: Clock = { nowMs: () => Date.now() }

/** Where chance comes from. `bytes` fills and returns `target`. */
export interface Randomness {
  bytes(target: Uint8Array): Uint8Array
}

export const systemRandomness: Randomness = {
  bytes: (target) => crypto.getRandomValues(target as Uint8Array<ArrayBuffer>),
}
