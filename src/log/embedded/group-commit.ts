import type { AppendedRecord, AppendOutcome } from '../../model/append.ts'
import type { AppendCall } from '../append-queue.ts'
import { LogUnavailableError } from '../errors.ts'
import { partitionOf } from '../partitioner.ts'
import type { AppendAnswer, AppendRequest, AppendSegment } from './append-batches.ts'
import { BatchBuilder } from './batch-encode.ts'

// What happens to the calls of one write: encoded into one request, written by the writer's thread,
// answered.

/** One message to the writer, one transaction, one fsync. */
export const WRITE_RECORD_COUNT_MAX = 8_192
export const WRITE_BYTES_MAX = 4 * 1024 * 1024
/** A full disk does not empty by itself in moments. */
const TROUBLE_RETRY_AFTER_MS = 5_000

/** A topic as appending needs it. `ends` is kept up to date: next offset by partition. */
export interface QueueTopic {
  readonly id: number
  readonly partitionNumbers: readonly number[]
  readonly ends: number[]
  readonly builders: BatchBuilder[]
  /** For each partition its segment in the request being made, -1 for none. */
  readonly segmentOf: Int32Array
}

export interface GroupCommitOptions {
  /** Writes durably or says why it could not; rejects when the writer is gone and nobody knows. */
  readonly write: (request: AppendRequest) => Promise<AppendAnswer | { readonly trouble: string }>
  /** Called when records became durable in a topic. */
  readonly onAppended: (topic: QueueTopic) => void
}

interface MadeRequest {
  readonly request: AppendRequest
  readonly topics: readonly QueueTopic[]
  /** Segment of each record, in the order of the calls. */
  readonly segmentOf: Uint32Array
}

/** Write some calls in one transaction. Returns how to answer them. */
export async function commitGroup(
  calls: readonly AppendCall<QueueTopic>[],
  { write, onAppended }: GroupCommitOptions,
): Promise<() => void> {
  const made = makeRequest(calls)
  let answer: AppendAnswer | { readonly trouble: string }
  try {
    answer = await write(made.request)
  } catch (error) {
    if (!(error instanceof LogUnavailableError)) throw error
    // The writer is gone: whether the records are there can be found out, but not here.
    return () => answerAll(calls, { status: 'unknown', reason: error.message })
  }
  if ('trouble' in answer) {
    const reason = answer.trouble
    const outcome = { status: 'unavailable', retryAfterMs: TROUBLE_RETRY_AFTER_MS, reason } as const
    return () => answerAll(calls, outcome)
  }
  const stored = answer
  return () => {
    for (const topic of answerPlaces(calls, made, stored)) onAppended(topic)
  }
}

function answerAll(calls: readonly AppendCall<QueueTopic>[], outcome: AppendOutcome): void {
  for (const call of calls) call.resolve(outcome)
}

/** Answer each call with the places of its records. Returns the topics that gained some. */
function answerPlaces(
  calls: readonly AppendCall<QueueTopic>[],
  { request, topics, segmentOf }: MadeRequest,
  { offsets, found }: AppendAnswer,
): ReadonlySet<QueueTopic> {
  const next = [...offsets]
  let order = 0
  for (const call of calls) {
    const records: AppendedRecord[] = new Array(call.records.length)
    for (let index = 0; index < records.length; index += 1, order += 1) {
      const segment = segmentOf[order]!
      if (found === undefined) {
        const { partition } = request.segments[segment]!
        records[index] = { status: 'appended', partition, offset: next[segment]! }
        next[segment]! += 1
      } else {
        const isDuplicate = found.isDuplicate[order] === 1
        records[index] = {
          status: isDuplicate ? 'duplicate' : 'appended',
          partition: found.partitions[order]!,
          offset: found.offsets[order]!,
        }
        if (!isDuplicate) next[segment]! += 1
      }
    }
    call.resolve({ status: 'appended', records })
  }
  for (const [segment, { partition }] of request.segments.entries())
    topics[segment]!.ends[partition] = next[segment]!
  return new Set(topics)
}

/** Sort the records of some calls into one blob for each partition, all in one buffer. */
function makeRequest(calls: readonly AppendCall<QueueTopic>[]): MadeRequest {
  const recordCount = calls.reduce((sum, call) => sum + call.records.length, 0)
  const segmentOf = new Uint32Array(recordCount)
  const parts: { readonly topic: QueueTopic; readonly partition: number }[] = []
  let mayRepeat: Uint8Array | undefined
  let order = 0
  for (const { topic, records, arrivedMs } of calls) {
    const partitionCount = topic.partitionNumbers.length
    for (const record of records) {
      const partition = partitionOf(record, partitionCount)
      let segment = topic.segmentOf[partition]!
      if (segment < 0) {
        segment = parts.push({ topic, partition }) - 1
        topic.segmentOf[partition] = segment
        topic.builders[partition] ??= new BatchBuilder()
      }
      const { id, key, headers, value } = record
      topic.builders[partition]!.add(id, key, headers, value, record.arrivedMs ?? arrivedMs)
      if (record.idMayRepeat) {
        mayRepeat ??= new Uint8Array(recordCount)
        mayRepeat[order] = 1
      }
      segmentOf[order] = segment
      order += 1
    }
  }
  let bufferBytes = 0
  for (const { topic, partition } of parts) bufferBytes += topic.builders[partition]!.alignedBytes
  const buffer = new ArrayBuffer(bufferBytes)
  const segments: AppendSegment[] = []
  let at = 0
  for (const { topic, partition } of parts) {
    const builder = topic.builders[partition]!
    const room = builder.alignedBytes
    const bytes = builder.layOut(buffer, at)
    topic.segmentOf[partition] = -1
    const partitionNumber = topic.partitionNumbers[partition]!
    segments.push({ topicId: topic.id, partitionNumber, partition, at, bytes })
    at += room
  }
  const lookUps = mayRepeat === undefined ? {} : { lookUps: { segmentOf, mayRepeat } }
  const topics = parts.map(({ topic }) => topic)
  return { request: { buffer, segments, ...lookUps }, topics, segmentOf }
}
