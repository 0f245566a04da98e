/** A record on its way into a topic. The value is kept byte for byte as it came. */
export interface NewRecord {
  /**
   * Stable name of the record within its topic; the same id is the same record. 1 to 256 UTF-8
   * bytes.
   */
  readonly id: string
  /**
   * Whether the id came from outside (declared field, `Idempotency-Key`, replay) and may repeat, so
   * that the log must look for it. Ids we assigned ourselves are new by construction and skip the
   * search.
   */
  readonly idMayRepeat: boolean
  /** Records with one key keep their order; `null` spreads by id. */
  readonly key: string | null
  readonly value: Uint8Array
  /** Small strings that follow the record, such as `traceparent`. */
  readonly headers?: Readonly<Record<string, string>>
  /** When it arrived, milliseconds since 1970, if it is handed on later than that. Default: now. */
  readonly arrivedMs?: number
}

/** Where a record is. */
export interface Position {
  readonly partition: number
  readonly offset: number
}

/**
 * What became of one record: written now, or found to be there already (then where it first went),
 * or `spilled`: durable in the local log because the topic's own log is away, to be moved there in
 * order. A spilled record has no place in its topic yet; partition and offset are -1. `queued` is said by a front door that
 * answers early: the record is in memory and not durable yet; no log says it.
 */
export interface AppendedRecord extends Position {
  readonly status: 'appended' | 'duplicate' | 'spilled' | 'queued'
}

/**
 * What became of an append. `appended` is said after the records are durable: fsynced by the
 * embedded log, acknowledged by all in-sync replicas of Kafka. `unknown` means that the request
 * left and no answer came; sending the same ids again is safe and settles it.
 */
export type AppendOutcome =
  | { readonly status: 'appended'; readonly records: readonly AppendedRecord[] }
  | { readonly status: 'full'; readonly retryAfterMs: number; readonly reason: string }
  | { readonly status: 'unavailable'; readonly retryAfterMs: number; readonly reason: string }
  | { readonly status: 'unknown'; readonly reason: string }
