import type { AppendOutcome } from '../model/append.ts'
import type { KeyIdentity } from './api-keys.ts'
import type { Collected } from './collect-records.ts'
import type { GatewayLimits } from './gateway-limits.ts'
import { rejectionMember, shownRejections } from './ingest-answer.ts'
import type { HttpProblem } from './problem-document.ts'
import type { BodyOutcome } from './read-body.ts'
import type { Fault, Rejection } from './rejection.ts'

/** Every way in which an ingest request ends without a 202, as the document that says so. */

export function tooManyRecords(
  { name, recordsPerSecondMax }: KeyIdentity,
  waitMs: number,
): HttpProblem {
  return {
    status: 429,
    code: 'rate_limited',
    detail: `The key ${name} may send ${recordsPerSecondMax} records per second and has used them up. Nothing was taken; send the same again after the pause.`,
    retryAfterMs: waitMs,
  }
}

export function unreadBody(
  body: Exclude<BodyOutcome, { status: 'read' | 'aborted' }>,
  limits: GatewayLimits,
): HttpProblem {
  switch (body.status) {
    case 'too_large':
      return {
        status: 413,
        code: 'body_too_large',
        detail: `The body has more than ${limits.bodyBytesMax} bytes (decompressed). Nothing was taken; send it in parts.`,
        members: { limit_bytes: limits.bodyBytesMax },
      }
    case 'full':
      return queueFull(limits)
    case 'undecodable':
      return {
        status: 400,
        code: 'undecodable_body',
        detail: `${body.detail} Nothing was taken; send it again, whole.`,
      }
  }
}

export function queueFull(limits: GatewayLimits): HttpProblem {
  return {
    status: 503,
    code: 'queue_full',
    detail: `The gateway holds as much as it may (${limits.queueBytesMax} bytes, ${limits.queueRecordCountMax} records). Nothing was taken; send the same again after the pause.`,
    retryAfterMs: limits.queueRetryAfterMs,
  }
}

export function emptyBody(): HttpProblem {
  return {
    status: 400,
    code: 'empty_body',
    detail: 'The body is empty. Send a JSON object, an array of them, or one per line.',
  }
}

export function tooManyInBody(limits: GatewayLimits): HttpProblem {
  return {
    status: 413,
    code: 'too_many_records',
    detail: `The body has more than ${limits.recordCountMax} records. Nothing was taken; send it in parts.`,
    members: { limit_records: limits.recordCountMax },
  }
}

/** The body as a whole is not JSON. It is kept as one dead letter. */
export function unreadable(topic: string, rejection: Rejection): HttpProblem {
  const { code, message } = rejection.faults[0]!
  return {
    status: 400,
    code,
    detail: `${message} Nothing was taken; the body is kept as a dead letter.`,
    members: { topic, reason: code, problems: rejection.faults },
  }
}

export function allRejected(topic: string, { isBatch, rejections }: Collected): HttpProblem {
  const first = rejections[0]!
  const { reason, id, problems } = rejectionMember(first)
  if (!isBatch) {
    return {
      status: reason === 'record_too_large' ? 413 : 400,
      code: reason,
      detail: `The record was not taken. ${faultText(problems[0]!)} It is kept as a dead letter; mend it and send it again.`,
      members: { topic, ...(id === undefined ? {} : { id }), reason, problems },
    }
  }
  return {
    status: 400,
    code: 'all_rejected',
    detail: `None of the ${rejections.length} records could be taken. They are kept as dead letters; mend them and send them again.`,
    members: {
      topic,
      accepted: 0,
      duplicates: 0,
      rejected: rejections.length,
      records: shownRejections(rejections),
    },
  }
}

function faultText({ path, message }: Fault): string {
  return path === '' ? message : `${path}: ${message}`
}

export function notAppended(
  topic: string,
  outcome: Exclude<AppendOutcome, { status: 'appended' }>,
  { isBatch, records, rejections }: Collected,
): HttpProblem {
  const only = isBatch ? undefined : records[0]
  const members = {
    topic,
    ...(only === undefined ? { rejected: rejections.length } : { id: only.id }),
  }
  if (outcome.status === 'unknown') {
    const assigned = records.some((record) => !record.idMayRepeat)
    const advice = !assigned
      ? 'Sending the same again is safe and settles it: what was written is not written twice.'
      : only === undefined
        ? 'Records without an id of their own may be there twice if they are sent again; an Idempotency-Key header prevents that.'
        : `Sending it again with "Idempotency-Key: ${only.id}" is safe and settles it.`
    return {
      status: 503,
      code: 'outcome_unknown',
      detail: `Whether the records were written is not known (${outcome.reason}). ${advice}`,
      retryAfterMs: UNKNOWN_RETRY_AFTER_MS,
      members,
    }
  }
  return {
    status: 503,
    code: outcome.status === 'full' ? 'queue_full' : 'unavailable',
    detail: `The log did not take the records (${outcome.reason}). Nothing was written; send the same again after the pause.`,
    retryAfterMs: outcome.retryAfterMs,
    members,
  }
}

/** Long enough for a broker to elect a new leader, most times. */
const UNKNOWN_RETRY_AFTER_MS = 2_000
