/**
 * One door: a body comes in over HTTP, its records go to the append port, the answer says what became of each.
 *
 * In: a JSON object, an array or lines, plain or compressed. Out: records with an id, a key and their original bytes
 * to `AppendPort.append`; everything refused to `AppendPort.reject`, before the answer. The rejected go first, so that
 * a failure there leaves nothing appended and the whole body can be sent again.
 *
 * Survives a crash: what was answered 202, because the port says `appended` only after it is durable. A
 * body that was not answered may be there or not; the same ids again settle it.
 */
import type { AppendedRecord, AppendOutcome, NewRecord } from '../model/append.ts'
import type { Clock } from '../model/clock.ts'
import { assert } from '../model/errors.ts'
import type { Admission } from './admission.ts'
import type { AppendPort } from './append-port.ts'
import { type Collected, type CollectOutcome, collectRecords } from './collect-records.ts'
import type { GatewayLimits } from './gateway-limits.ts'
import type { TopicMetrics } from './gateway-metrics.ts'
import { batchAnswer, singleAnswer, summaryAnswer } from './ingest-answer.ts'
import { type IngestHead, readIngestHead } from './ingest-head.ts'
import * as problems from './ingest-problems.ts'
import type { IngestRoute } from './ingest-route.ts'
import type { InspectRecord } from './inspect-record.ts'
import { sendProblem, sendProblemUnread } from './problem-document.ts'
import { QUEUED, type QueuedAppends } from './queued-appends.ts'
import type { RateLimit } from './rate-limit.ts'
import { readBody } from './read-body.ts'
import { deadLetterOf, type Rejection } from './rejection.ts'
import type { HttpExchange } from './router.ts'
import { sendParts, sendText } from './send.ts'
import type { Turns } from './turns.ts'

/** What every door of one gateway works with. */
export interface IngestContext {
  readonly port: AppendPort
  readonly limits: GatewayLimits
  readonly admission: Admission
  readonly rateLimit: RateLimit
  readonly turns: Turns
  readonly clock: Clock
  readonly newTraceparent: () => string
  /** Of doors that answer early. */
  readonly queued: QueuedAppends
}

/** One door. */
export interface Door {
  readonly route: IngestRoute
  readonly inspect: InspectRecord
  readonly metrics: TopicMetrics
}

/** Take one request's body in and answer it. */
export async function ingest(
  context: IngestContext,
  door: Door,
  exchange: HttpExchange,
): Promise<void> {
  const { request, response, identity } = exchange
  const { limits, admission, rateLimit } = context
  if (identity?.recordsPerSecondMax !== undefined) {
    const waitMs = rateLimit.waitMs(identity.name, identity.recordsPerSecondMax)
    if (waitMs > 0) {
      sendProblemUnread(request, response, problems.tooManyRecords(identity, waitMs))
      return
    }
  }
  const head = readIngestHead(exchange, context.newTraceparent)
  if ('status' in head) {
    sendProblemUnread(request, response, head)
    return
  }
  const { encoding } = head
  const body = await readBody(request, { encoding, bytesMax: limits.bodyBytesMax, admission })
  if (body.status === 'aborted') return
  if (body.status !== 'read') {
    sendProblemUnread(request, response, problems.unreadBody(body, limits))
    return
  }
  try {
    await ingestBody(context, door, exchange, head, body.bytes)
  } finally {
    admission.releaseBytes(body.heldBytes)
  }
}

function ingestBody(
  context: IngestContext,
  door: Door,
  exchange: HttpExchange,
  head: IngestHead,
  bytes: Buffer,
): Promise<void> {
  const { limits, turns } = context
  door.metrics.bytes.add(bytes.length)
  const collecting = collectRecords({
    bytes,
    framing: head.framing,
    headers: head.headers,
    idempotencyKey: head.idempotencyKey,
    inspect: door.inspect,
    recordCountMax: limits.recordCountMax,
    recordBytesMax: limits.recordBytesMax,
    turns,
  })
  // A single record is judged by now; waiting for it would cost a turn.
  return collecting instanceof Promise
    ? collecting.then((outcome) => judge(context, door, exchange, head, outcome))
    : judge(context, door, exchange, head, collecting)
}

/** Say what is wrong with a body as a whole, or go on with its records. */
function judge(
  context: IngestContext,
  door: Door,
  exchange: HttpExchange,
  head: IngestHead,
  collected: CollectOutcome,
): Promise<void> {
  const { response } = exchange
  switch (collected.status) {
    case 'empty':
      sendProblem(response, problems.emptyBody())
      return NOTHING_TO_WAIT_FOR
    case 'too_many':
      sendProblem(response, problems.tooManyInBody(context.limits))
      return NOTHING_TO_WAIT_FOR
    case 'unreadable': {
      const { rejection } = collected
      return reject(context, door, head, [rejection]).then(() =>
        sendProblem(response, problems.unreadable(door.route.topic, rejection)),
      )
    }
    case 'collected':
      return settle(context, door, exchange, head, collected)
  }
}

/** Write what was collected, and answer. */
async function settle(
  context: IngestContext,
  door: Door,
  { response, identity }: HttpExchange,
  head: IngestHead,
  collected: Collected,
): Promise<void> {
  const { admission, limits, port } = context
  const { records, rejections } = collected
  if (identity !== undefined)
    context.rateLimit.charge(identity.name, records.length + rejections.length)
  const topic = door.route.topic
  if (!admission.holdRecords(records.length)) {
    sendProblem(response, problems.queueFull(limits))
    return
  }
  let outcome: AppendOutcome = NOTHING_APPENDED
  let isQueued = false
  try {
    if (rejections.length > 0) await reject(context, door, head, rejections)
    if (door.route.ack === 'accepted' && records.length > 0) {
      isQueued = context.queued.take(topic, records)
      if (isQueued) outcome = { status: 'appended', records: records.map(() => QUEUED) }
    }
    if (!isQueued && records.length > 0) outcome = await port.append(topic, records)
  } finally {
    if (!isQueued) admission.releaseRecords(records.length)
  }
  if (outcome.status !== 'appended') {
    sendProblem(response, problems.notAppended(topic, outcome, collected))
    return
  }
  const appended = outcome.records
  assert(appended.length === records.length, 'the append port answers for every record')
  const duplicateCount = countDuplicates(appended)
  door.metrics.accepted.add(records.length - duplicateCount)
  if (duplicateCount > 0) door.metrics.duplicate.add(duplicateCount)
  if (records.length === 0 && rejections.length > 0) {
    sendProblem(response, problems.allRejected(topic, collected))
  } else if (!collected.isBatch) {
    const text = singleAnswer(topic, records[0] as NewRecord, appended[0] as AppendedRecord)
    sendText(response, 202, 'application/json', text)
  } else {
    const result = { topic, records, appended, rejections, duplicateCount }
    if (head.wantsSummary) sendText(response, 202, 'application/json', summaryAnswer(result))
    else await sendParts(response, 202, 'application/json', batchAnswer(result, context.turns))
  }
}

const NOTHING_TO_WAIT_FOR = Promise.resolve()

const NOTHING_APPENDED: AppendOutcome = Object.freeze({ status: 'appended', records: [] })

async function reject(
  { port, clock, turns }: IngestContext,
  { route, metrics }: Door,
  { headers }: IngestHead,
  rejections: readonly Rejection[],
): Promise<void> {
  const { pipeline, topic } = route
  const origin = { pipeline, topic, headers, arrivedMs: clock.nowMs() }
  for (let start = 0; start < rejections.length; start += LETTER_COUNT_MAX) {
    if (start > 0) await turns.next()
    const some = rejections.slice(start, start + LETTER_COUNT_MAX)
    await port.reject(some.map((rejection) => deadLetterOf(rejection, origin)))
    metrics.rejected.add(some.length)
    for (const { faults } of some) metrics.rejectedFor(faults[0]!.code).add(1)
  }
}

/** Dead letters handed over at once; a body of nothing but bad lines should not hold the event loop. */
const LETTER_COUNT_MAX = 1_000

function countDuplicates(appended: readonly AppendedRecord[]): number {
  let count = 0
  for (const { status } of appended) if (status === 'duplicate') count += 1
  return count
}
