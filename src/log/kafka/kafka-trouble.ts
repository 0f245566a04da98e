import { messageOf } from '../../model/errors.ts'

// What an error of the Kafka client means for us. Decided by its fields and by Kafka's error codes
// (https://kafka.apache.org/protocol.html#protocol_error_codes), never by its text.

/**
 * `away`: nothing was written, it may work later. `unknown`: the request left, and may have been
 * carried out. `tooLarge`: the broker will never take it. `exists`, `missing`: of a topic.
 * `refused`: it will not work the next time either.
 */
export type KafkaTroubleKind = 'away' | 'unknown' | 'tooLarge' | 'exists' | 'missing' | 'refused'

export interface KafkaTrouble {
  readonly kind: KafkaTroubleKind
  /** In words, for people. */
  readonly reason: string
  /** Kafka's name for the error, `null` when it did not come from a broker. */
  readonly code: string | null
}

/**
 * By the broker's error code. What is not named is `away` when the client says that it can be tried
 * again, `refused` otherwise.
 */
const KIND_BY_CODE: Readonly<Record<string, KafkaTroubleKind>> = {
  // Written by the leader, not yet by enough replicas; it may stay.
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: 'unknown',
  REQUEST_TIMED_OUT: 'unknown',
  UNKNOWN_SERVER_ERROR: 'unknown',
  KAFKA_STORAGE_ERROR: 'unknown',
  NETWORK_EXCEPTION: 'unknown',
  MESSAGE_TOO_LARGE: 'tooLarge',
  RECORD_LIST_TOO_LARGE: 'tooLarge',
  TOPIC_ALREADY_EXISTS: 'exists',
  UNKNOWN_TOPIC_OR_PARTITION: 'missing',
  UNKNOWN_TOPIC_ID: 'missing',
  // The producer begins anew with another identity; this batch was not written.
  UNKNOWN_PRODUCER_ID: 'away',
  OUT_OF_ORDER_SEQUENCE_NUMBER: 'away',
  INVALID_PRODUCER_EPOCH: 'away',
}

interface ClientError {
  readonly code?: unknown
  readonly apiId?: unknown
  readonly canRetry?: unknown
  readonly closed?: unknown
  readonly syscall?: unknown
  readonly errors?: readonly unknown[]
  readonly cause?: unknown
  readonly message?: string
}

/**
 * What an error means, taking the worst of those inside it: one part that may have been carried out
 * makes the whole unknown.
 */
export function kafkaTrouble(error: unknown): KafkaTrouble {
  const leaves = leavesOf(error)
  for (const kind of ['unknown', 'tooLarge', 'missing', 'exists', 'refused', 'away'] as const) {
    const leaf = leaves.find((each) => kindOf(each) === kind)
    if (leaf !== undefined) return { kind, reason: reasonOf(leaf), code: codeOf(leaf) }
  }
  return { kind: 'refused', reason: messageOf(error), code: null }
}

/** The errors at the ends of aggregates and causes. */
function leavesOf(error: unknown): readonly ClientError[] {
  const { errors, cause, apiId } = (error ?? {}) as ClientError
  if (apiId !== undefined) return [error as ClientError]
  if (Array.isArray(errors) && errors.length > 0)
    return errors.filter((each) => each != null).flatMap(leavesOf)
  if (cause != null) return leavesOf(cause)
  return [(error ?? {}) as ClientError]
}

/** The client's own code for a lost connection and for a request without answer. */
const NETWORK = 'PLT_KFK_NETWORK'
const AUTHENTICATION = 'PLT_KFK_AUTHENTICATION'

function kindOf(error: ClientError): KafkaTroubleKind {
  if (typeof error.apiId === 'string')
    return KIND_BY_CODE[error.apiId] ?? (error.canRetry === true ? 'away' : 'refused')
  // A connection that never came about carried no request.
  if (error.syscall === 'connect' || error.syscall === 'getaddrinfo' || error.closed === true)
    return 'away'
  if (error.code === AUTHENTICATION) return 'refused'
  if (error.code === NETWORK || typeof error.syscall === 'string') return 'unknown'
  return 'refused'
}

function reasonOf(error: ClientError): string {
  if (typeof error.apiId === 'string') return `Kafka answered ${error.apiId}`
  return `Kafka cannot be reached: ${error.message ?? String(error.code)}`
}

const codeOf = ({ apiId }: ClientError): string | null => (typeof apiId === 'string' ? apiId : null)
