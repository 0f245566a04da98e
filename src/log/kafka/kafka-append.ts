import type { Producer } from '@platformatic/kafka'
import type { AppendedRecord, AppendOutcome, NewRecord, Position } from '../../model/append.ts'
import type { AppendCall } from '../append-queue.ts'
import { InvalidAppendError, LogUnavailableError, topicMissing } from '../errors.ts'
import { partitionOf } from '../partitioner.ts'
import type { ThreadCaller } from '../thread-call.ts'
import type { IdIndexFunctions } from './id-index-thread.ts'
import { toMessage } from './kafka-records.ts'
import type { KafkaTopicIdentity } from './kafka-topics.ts'
import { kafkaTrouble } from './kafka-trouble.ts'

// Appending to Kafka: find repeated ids in the index, produce the rest, enter what was produced.
// One write is in flight, so an entry is made before the next look-up. The broker's acknowledgement
// is the durable moment; the index only follows it, and when it could not, or when it is unknown
// what the broker did, the topic's tail is read before anything else is appended.

/**
 * Uncompressed bytes of one produce request, so that a batch stays below Kafka's default
 * `message.max.bytes` of 1 MiB.
 */
const PRODUCE_BYTES_MAX = 800_000
const RECORD_OVERHEAD_BYTES = 100
const RETRY_AFTER_MS = 1_000
/** How long a broker may still work on a request whose connection is gone. */
const SETTLE_MS = 500

/** A topic with what appending remembers of it. */
export interface KafkaTopic extends KafkaTopicIdentity {
  readonly indexId: number
  /** Ids of records before these offsets are in the index, by partition. */
  readonly seenEnds: number[]
  /**
   * Whether the index has seen all there is. False after opening, and after an append whose outcome
   * is unknown.
   */
  isCurrent: boolean
  /**
   * Ids that we may or may not have written. When they come again they are looked up, whatever the
   * caller says of them, and one that is found is answered as appended: it was this append that
   * wrote it.
   */
  readonly doubtfulIds: Set<string>
  /**
   * A request without answer may still be on its way in the broker; the topic's tail is not final
   * before this.
   */
  settledAtMs: number
}

export interface KafkaAppendOptions {
  readonly producer: Producer<Buffer, Buffer, Buffer, Buffer>
  readonly index: ThreadCaller<IdIndexFunctions>
  /** Read what lies beyond `seenEnds` into the index. @throws LogUnavailableError */
  readonly catchUp: (topic: KafkaTopic) => Promise<void>
  readonly onAppended: (topic: KafkaTopic) => void
}

/** One record on its way, and what has become of it. */
interface Sending {
  readonly record: NewRecord
  readonly arrivedMs: number
  readonly partition: number
  place: Position | null
  isDuplicate: boolean
  /** The record of the same id earlier in this write. */
  sameAs: Sending | null
}

interface CallInFlight {
  readonly call: AppendCall<KafkaTopic>
  readonly sendings: readonly Sending[]
}

/** Write the calls of one group commit. Returns how to answer them. */
export async function appendToKafka(
  calls: readonly AppendCall<KafkaTopic>[],
  options: KafkaAppendOptions,
): Promise<() => void> {
  const byTopic = Map.groupBy(calls, ({ topic }) => topic)
  const answers = await Promise.all(
    [...byTopic].map(([topic, ofTopic]) => appendToTopic(topic, ofTopic, options)),
  )
  return () => {
    for (const answer of answers) answer()
  }
}

async function appendToTopic(
  topic: KafkaTopic,
  calls: readonly AppendCall<KafkaTopic>[],
  options: KafkaAppendOptions,
): Promise<() => void> {
  const inFlight = calls.map(({ records, arrivedMs, ...call }) => ({
    call: { records, arrivedMs, ...call },
    sendings: records.map((record) => ({
      record,
      arrivedMs: record.arrivedMs ?? arrivedMs,
      partition: partitionOf(record, topic.partitionCount),
      place: null,
      isDuplicate: false,
      sameAs: null,
    })),
  }))
  const sendings = inFlight.flatMap((each): readonly Sending[] => each.sendings)
  try {
    if (!topic.isCurrent) await options.catchUp(topic)
    await findDuplicates(topic, sendings, options.index)
  } catch (error) {
    if (!(error instanceof LogUnavailableError)) throw error
    const outcome = away(error.message)
    return () => {
      for (const { resolve } of calls) resolve(outcome)
    }
  }
  const failure = await produceAll(topic, sendings, options)
  if (failure === null) await enterProduced(topic, sendings, options.index)
  else if (kafkaTrouble(failure).kind === 'tooLarge' && calls.length > 1)
    return separately(topic, inFlight, options)
  return () => {
    for (const each of inFlight) answer(topic, each, failure)
    options.onAppended(topic)
  }
}

/** Decide which records are not to be sent. */
async function findDuplicates(
  topic: KafkaTopic,
  sendings: readonly Sending[],
  index: KafkaAppendOptions['index'],
): Promise<void> {
  const firstOf = new Map<string, Sending>()
  for (const sending of sendings) {
    const { id, idMayRepeat } = sending.record
    if (!idMayRepeat && !topic.doubtfulIds.has(id)) continue
    const first = firstOf.get(id)
    if (first === undefined) firstOf.set(id, sending)
    else {
      sending.isDuplicate = true
      sending.sameAs = first
    }
  }
  if (firstOf.size === 0) return
  const ids = [...firstOf.keys()]
  const places = await index.call('lookUp', { indexId: topic.indexId, ids })
  for (const [order, id] of ids.entries()) {
    const sending = firstOf.get(id)!
    const wasDoubtful = topic.doubtfulIds.delete(id)
    if (places[order * 2] === -1) continue
    sending.isDuplicate = !wasDoubtful
    sending.place = { partition: places[order * 2]!, offset: places[order * 2 + 1]! }
  }
}

/**
 * Send what is not a duplicate, in requests the broker takes. Returns the error that ended it
 * early, or null.
 */
async function produceAll(
  topic: KafkaTopic,
  sendings: readonly Sending[],
  { producer }: KafkaAppendOptions,
): Promise<unknown> {
  const toSend = sendings.filter(({ place, sameAs }) => place === null && sameAs === null)
  for (let from = 0; from < toSend.length; ) {
    let bytes = 0
    let to = from
    do {
      const { value, key } = toSend[to]!.record
      bytes += value.length + (key?.length ?? 0) + RECORD_OVERHEAD_BYTES
      to += 1
    } while (to < toSend.length && bytes + toSend[to]!.record.value.length < PRODUCE_BYTES_MAX)
    const part = toSend.slice(from, to)
    try {
      await produce(topic, part, producer)
    } catch (error) {
      topic.isCurrent = false
      topic.settledAtMs = Date.now() + SETTLE_MS
      // Their outcome, and that of what went before them in the same call, is open.
      if (kafkaTrouble(error).kind === 'unknown' || from > 0)
        for (const { record } of toSend.slice(0, to)) topic.doubtfulIds.add(record.id)
      return error
    }
    from = to
  }
  return null
}

async function produce(
  topic: KafkaTopic,
  part: readonly Sending[],
  producer: KafkaAppendOptions['producer'],
): Promise<void> {
  const { offsets } = await producer.send({
    messages: part.map(({ record, partition, arrivedMs }) =>
      toMessage(topic.name, record, partition, arrivedMs),
    ),
  })
  // A request's records of one partition are one batch, so their offsets count up from its first.
  const next = new Map(offsets!.map(({ partition, offset }) => [partition, Number(offset)]))
  // Somebody else has written in between: their ids are not in the index yet.
  for (const [partition, first] of next)
    if (first !== topic.seenEnds[partition] && topic.isCurrent) topic.isCurrent = false
  for (const sending of part) {
    const offset = next.get(sending.partition)!
    sending.place = { partition: sending.partition, offset }
    next.set(sending.partition, offset + 1)
  }
  if (topic.isCurrent) for (const [partition, end] of next) topic.seenEnds[partition] = end
}

/**
 * Follow the broker with the index. Waited for when there were duplicates, whose count is kept
 * nowhere else.
 */
async function enterProduced(
  topic: KafkaTopic,
  sendings: readonly Sending[],
  index: KafkaAppendOptions['index'],
): Promise<void> {
  const duplicateCount = sendings.filter(({ isDuplicate }) => isDuplicate).length
  const indexed = sendings.filter(({ record, isDuplicate }) => record.idMayRepeat && !isDuplicate)
  const entering = index.call('enter', {
    indexId: topic.indexId,
    ids: indexed.map(({ record }) => record.id),
    partitions: indexed.map(({ place }) => place!.partition),
    offsets: indexed.map(({ place }) => place!.offset),
    seenEnds: new Map(topic.isCurrent ? topic.seenEnds.entries() : []),
    duplicateCount,
  })
  const behind = () => {
    topic.isCurrent = false
  }
  if (duplicateCount > 0) await entering.catch(behind)
  else void entering.catch(behind)
}

/**
 * One record is too large for the broker: each call for itself, so that only its own is refused.
 */
async function separately(
  topic: KafkaTopic,
  inFlight: readonly CallInFlight[],
  options: KafkaAppendOptions,
): Promise<() => void> {
  const answers: (() => void)[] = []
  for (const { call } of inFlight) answers.push(await appendToTopic(topic, [call], options))
  return () => {
    for (const each of answers) each()
  }
}

function answer(topic: KafkaTopic, { call, sendings }: CallInFlight, failure: unknown): void {
  const records: AppendedRecord[] = []
  for (const { place, isDuplicate, sameAs } of sendings) {
    const at = place ?? sameAs?.place
    if (at != null) records.push({ status: isDuplicate ? 'duplicate' : 'appended', ...at })
  }
  if (records.length === sendings.length) call.resolve({ status: 'appended', records })
  else {
    const { kind, reason } = kafkaTrouble(failure)
    const isPartly = sendings.some(({ record }) => topic.doubtfulIds.has(record.id))
    if (isPartly) call.resolve({ status: 'unknown', reason })
    else if (kind === 'missing') call.reject(topicMissing(topic.name, []))
    else if (kind === 'tooLarge')
      call.reject(
        new InvalidAppendError(
          `Kafka does not take a record this large in topic "${topic.name}" (${reason}). ` +
            "Nothing was appended; raise the topic's `max.message.bytes`, or send less at once.",
        ),
      )
    else call.resolve(away(reason))
  }
}

function away(reason: string): AppendOutcome {
  return { status: 'unavailable', retryAfterMs: RETRY_AFTER_MS, reason }
}
