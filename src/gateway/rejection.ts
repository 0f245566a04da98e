import type { DeadLetter } from '../model/dead-letter.ts'
import type { ProblemCode } from '../model/problem.ts'

/** Why a record was turned away at the door; also the dead letter's `reason`. */
export type RejectReason =
  | ProblemCode
  | 'malformed_json'
  | 'duplicate_key'
  | 'invalid_utf8'
  | 'lone_surrogate'
  | 'too_deep'
  | 'record_too_large'
  | 'bad_id'
  | 'old_schema'

/** One thing that is wrong with a record. */
export interface Fault {
  /** JSON Pointer from the record; empty for the record itself. */
  readonly path: string
  readonly code: RejectReason
  readonly message: string
}

/** A record that was not taken. */
export interface Rejection {
  /** Place among the records of the body, from 0; blank lines do not count. */
  readonly index: number
  /** Empty when the record had not got one. */
  readonly id: string
  /** At least one; the first names the reason. */
  readonly faults: readonly Fault[]
  /** The original bytes, or their beginning where `truncated`. */
  readonly value: Uint8Array
  readonly truncated: boolean
}

/** The dead letter of a rejection. */
export function deadLetterOf(
  rejection: Rejection,
  origin: {
    readonly pipeline: string
    readonly topic: string
    readonly headers: Readonly<Record<string, string>>
    readonly arrivedMs: number
  },
): DeadLetter {
  return {
    pipeline: origin.pipeline,
    hop: 'gateway',
    topic: origin.topic,
    partition: -1,
    offset: 0,
    recordId: rejection.id,
    key: null,
    reason: rejection.faults[0]!.code,
    message: faultsText(rejection),
    value: rejection.value,
    headers: origin.headers,
    arrivedMs: origin.arrivedMs,
  }
}

function faultsText({ faults, value, truncated }: Rejection): string {
  const lines = faults.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`))
  if (truncated) lines.push(`Only the first ${value.length} bytes are kept.`)
  return lines.join('\n')
}
