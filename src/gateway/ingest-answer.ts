import type { AppendedRecord, NewRecord } from '../model/append.ts'
import type { Fault, Rejection } from './rejection.ts'
import { TURN_MS, type Turns } from './turns.ts'

/** The answer for one record that was taken. */
export function singleAnswer(topic: string, record: NewRecord, appended: AppendedRecord): string {
  return `{"id":${JSON.stringify(record.id)},"status":"${statusWord(appended)}",${durableText(appended)}"topic":"${topic}",${placeText(appended)}}`
}

function statusWord({ status }: AppendedRecord): 'accepted' | 'duplicate' | 'queued' {
  return status === 'duplicate' || status === 'queued' ? status : 'accepted'
}

/** Said only where the promise is less than usual. */
const durableText = (appended: AppendedRecord | undefined) =>
  appended?.status === 'queued' ? '"durable":false,' : ''

/** A record that waits in the local log, because the topic's own is away, is durable and has no place yet. */
function placeText({ status, partition, offset }: AppendedRecord): string {
  return status === 'spilled' || status === 'queued'
    ? '"partition":null,"offset":null'
    : `"partition":${partition},"offset":${offset}`
}

/** What became of a batch. `appended[i]` belongs to `records[i]`; every index of the body is in `records` or `rejections`. */
export interface BatchResult {
  readonly topic: string
  readonly records: readonly NewRecord[]
  readonly appended: readonly AppendedRecord[]
  readonly rejections: readonly Rejection[]
  readonly duplicateCount: number
}

const RECORDS_PER_LOOK = 256

/**
 * The answer for a batch, one line per record in the order sent. It can be long, so it comes in parts, each the
 * work of one turn.
 */
export async function* batchAnswer(result: BatchResult, turns: Turns): AsyncGenerator<string> {
  const { records, appended, rejections } = result
  const count = records.length + rejections.length
  let taken = 0
  let refused = 0
  let part = `{${countsText(result)},"records":[`
  let turnEnd = performance.now() + TURN_MS
  for (let index = 0; index < count; index += 1) {
    if (index > 0) part += ','
    const rejection = rejections[refused]
    if (rejection !== undefined && rejection.index === index) {
      part += JSON.stringify(rejectionMember(rejection))
      refused += 1
    } else {
      part += `{"id":${JSON.stringify(records[taken]!.id)},"status":"${statusWord(appended[taken]!)}",${placeText(appended[taken]!)}}`
      taken += 1
    }
    if (index % RECORDS_PER_LOOK === 0 && performance.now() > turnEnd) {
      yield part
      part = ''
      await turns.next()
      turnEnd = performance.now() + TURN_MS
    }
  }
  yield `${part}]}`
}

/** The short answer for a batch: counts, what was written where, and only the rejected records. */
export function summaryAnswer(result: BatchResult): string {
  const offsets = JSON.stringify(offsetRanges(result.appended))
  const rejected = JSON.stringify(shownRejections(result.rejections))
  return `{${countsText(result)},"offsets":${offsets},"rejected_records":${rejected}}`
}

/** Short answers show at most so many rejected records; all of them are among the dead letters. */
export const REJECTION_SHOWN_COUNT_MAX = 1_000

/** The rejected records that a short answer shows. */
export function shownRejections(rejections: readonly Rejection[]) {
  return rejections.slice(0, REJECTION_SHOWN_COUNT_MAX).map(rejectionMember)
}

function countsText(result: BatchResult): string {
  const { topic, records, appended, rejections, duplicateCount } = result
  return `${durableText(appended[0])}"topic":"${topic}","accepted":${records.length - duplicateCount},"duplicates":${duplicateCount},"rejected":${rejections.length}`
}

/** A rejected record as it stands in an answer. */
export function rejectionMember({ index, id, faults }: Rejection): {
  readonly index: number
  readonly id?: string
  readonly status: 'rejected'
  readonly reason: string
  readonly problems: readonly Fault[]
} {
  const reason = faults[0]!.code
  return { index, ...(id === '' ? {} : { id }), status: 'rejected', reason, problems: faults }
}

interface OffsetRange {
  readonly partition: number
  /** Inclusive. Other writers' records may lie between. */
  offset_start: number
  /** Exclusive. */
  offset_end: number
  records: number
}

/** Where the newly written records lie; duplicates are elsewhere, and what waits in the local log has no place yet. */
function offsetRanges(appended: readonly AppendedRecord[]): readonly OffsetRange[] {
  const ranges = new Map<number, OffsetRange>()
  for (const { status, partition, offset } of appended) {
    if (status !== 'appended') continue
    const range = ranges.get(partition)
    if (range === undefined) {
      ranges.set(partition, {
        partition,
        offset_start: offset,
        offset_end: offset + 1,
        records: 1,
      })
    } else {
      range.offset_start = Math.min(range.offset_start, offset)
      range.offset_end = Math.max(range.offset_end, offset + 1)
      range.records += 1
    }
  }
  return [...ranges.values()].sort((a, b) => a.partition - b.partition)
}
