/** Where in a pipeline a record can be turned away. A hop is named `gateway`, or by the table or store it fills. */
export type HopName = string

/**
 * A record that a hop could not take, with everything needed to understand, mend and replay it.
 * Identified by (pipeline, hop, topic, partition, offset), so writing it twice changes nothing.
 */
export interface DeadLetter {
  readonly pipeline: string
  readonly hop: HopName
  readonly topic: string
  /** -1 for a record that never reached the log (`gateway`); `offset` is then a number of our own. */
  readonly partition: number
  readonly offset: number
  /** The record's id, when it had got one. */
  readonly recordId: string
  readonly key: string | null
  /** One of `docs/errors.md`'s dead-letter reasons, such as `malformed_json` or `wrong_type`. */
  readonly reason: string
  /** What is wrong, where, and what would be right. */
  readonly message: string
  /** The original bytes. */
  readonly value: Uint8Array
  readonly headers: Readonly<Record<string, string>>
  /** When the record arrived at the log (or the gateway), milliseconds since 1970. */
  readonly arrivedMs: number
}
