import { GatewayLimitError } from './errors.ts'

/** Every limit of the gateway, with its name. */
export interface GatewayLimits {
  /** Of one body, before and after decompression. Past it: 413. */
  readonly bodyBytesMax: number
  /** Of one record. Past it the record alone is rejected. */
  readonly recordBytesMax: number
  /** In one body. Past it: 413, and nothing is taken. */
  readonly recordCountMax: number
  /** Nesting of one record; an object with plain members has 1. */
  readonly depthMax: number
  /** Bytes of all bodies being read or appended. Past it: 503. */
  readonly queueBytesMax: number
  /** Records being appended. Past it: 503. */
  readonly queueRecordCountMax: number
  /** What `Retry-After` says when our own queue is full. */
  readonly queueRetryAfterMs: number
  /** From the first byte of a request to the last of its body. Past it: 408. */
  readonly requestMs: number
  /** From the first byte of a request to the end of its headers. Past it: 408. */
  readonly headersMs: number
  /**
   * How long a connection may carry no byte in either direction while a request is under way: clients that do not read their
   * answer are cut off then. Event streams need a heartbeat well below it.
   */
  readonly stalledMs: number
  /** How long an idle connection is kept. */
  readonly keepAliveMs: number
  /** Connections at one time; further ones are dropped. */
  readonly connectionCountMax: number
  /** How long `close` waits for what is in flight. */
  readonly drainMs: number
}

export const DEFAULT_GATEWAY_LIMITS: GatewayLimits = Object.freeze({
  bodyBytesMax: 16 * 1024 * 1024,
  recordBytesMax: 1024 * 1024,
  recordCountMax: 100_000,
  // Real events nest below ten; 64 leaves room, and keeps recursion over a record shallow.
  depthMax: 64,
  // Four of the largest bodies, or twice the records of the largest batch.
  queueBytesMax: 64 * 1024 * 1024,
  queueRecordCountMax: 200_000,
  queueRetryAfterMs: 1_000,
  // The largest body within this time needs 2.2 Mbit/s.
  requestMs: 60_000,
  headersMs: 10_000,
  stalledMs: 120_000,
  // Longer than the idle time of common proxies and clients, so that they close first and never race us.
  keepAliveMs: 65_000,
  connectionCountMax: 10_000,
  // Below the 30 s that container platforms wait before they kill.
  drainMs: 20_000,
})

/** The defaults with what was asked for instead. @throws GatewayLimitError when limits contradict one another */
export function resolveLimits(wanted: Partial<GatewayLimits> = {}): GatewayLimits {
  const limits = Object.freeze({ ...DEFAULT_GATEWAY_LIMITS, ...wanted })
  for (const [name, value] of Object.entries(limits)) {
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new GatewayLimitError(
        `The limit ${name} must be a whole number from 1, and is ${value}.`,
      )
    }
  }
  const ordered = [
    ['recordBytesMax', 'bodyBytesMax'],
    ['bodyBytesMax', 'queueBytesMax'],
    ['recordCountMax', 'queueRecordCountMax'],
    ['headersMs', 'requestMs'],
  ] as const
  for (const [smaller, larger] of ordered) {
    if (limits[smaller] > limits[larger]) {
      throw new GatewayLimitError(
        `The limit ${smaller} (${limits[smaller]}) cannot be above ${larger} (${limits[larger]}): nothing of that size could ever pass. Raise ${larger} or lower ${smaller}.`,
      )
    }
  }
  return limits
}
