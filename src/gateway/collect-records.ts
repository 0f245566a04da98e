import { isUtf8 } from 'node:buffer'
import type { NewRecord } from '../model/append.ts'
import { type BodyContext, type InspectRecord, isRejection } from './inspect-record.ts'
import { JsonScanner } from './json-scan.ts'
import type { Framing } from './media-type.ts'
import type { Rejection } from './rejection.ts'
import { TURN_MS, type Turns } from './turns.ts'

/** The clock is asked once for so many records; at 2 to 5 µs each that is well below a turn. */
const RECORDS_PER_LOOK = 64

export interface CollectRequest {
  readonly bytes: Buffer
  readonly framing: Framing
  readonly headers: Readonly<Record<string, string>>
  readonly idempotencyKey: string | undefined
  readonly inspect: InspectRecord
  readonly recordCountMax: number
  readonly recordBytesMax: number
  readonly turns: Turns
}

/** The records of a body, judged. `records` and `rejections` are in body order; every index is in one of them. */
export interface Collected {
  readonly status: 'collected'
  readonly isBatch: boolean
  readonly records: readonly NewRecord[]
  readonly rejections: readonly Rejection[]
}

/**
 * `unreadable`: the body as a whole is not what it claims to be, so none of its records can be trusted; the one
 * rejection stands for all of it.
 */
export type CollectOutcome =
  | Collected
  | { readonly status: 'unreadable'; readonly rejection: Rejection }
  | { readonly status: 'too_many' }
  | { readonly status: 'empty' }

/**
 * Cut a body into records and judge each one. One object is judged at once; arrays and lines
 * in turns, so that a large body never holds the event loop for long.
 */
export function collectRecords(request: CollectRequest): CollectOutcome | Promise<CollectOutcome> {
  const { bytes, framing } = request
  const hasBom = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf
  const start = hasBom ? 3 : 0
  const body = {
    bytes,
    isUtf8: isUtf8(bytes),
    headers: request.headers,
    idempotencyKey: request.idempotencyKey,
  }
  if (framing === 'ndjson') {
    return collectLines(
      request,
      { ...body, isBatch: true },
      new JsonScanner(bytes, start, request.recordBytesMax),
    )
  }
  const scanner = new JsonScanner(bytes, start, request.recordBytesMax)
  if (scanner.peek() === OPEN_BRACKET) {
    return collectElements(request, { ...body, isBatch: true }, scanner)
  }
  if (!scanner.nextValue()) return { status: 'empty' }
  const valueEnd = scanner.end
  if (!scanner.atEnd()) {
    // More after the first value: lines of objects sent as plain JSON are read as lines, as was surely meant.
    const isLines = bytes.subarray(valueEnd, scanner.position).includes(NEWLINE)
    if (isLines && bytes[scanner.start] === OPEN_BRACE && scanner.peek() === OPEN_BRACE) {
      return collectLines(
        request,
        { ...body, isBatch: true },
        new JsonScanner(bytes, start, request.recordBytesMax),
      )
    }
    scanner.end = bytes.length
  }
  const inspected = request.inspect({ ...body, isBatch: false }, scanner, 0)
  return isRejection(inspected)
    ? { status: 'collected', isBatch: false, records: [], rejections: [inspected] }
    : { status: 'collected', isBatch: false, records: [inspected], rejections: [] }
}

async function collectLines(
  request: CollectRequest,
  body: BodyContext,
  scanner: JsonScanner,
): Promise<CollectOutcome> {
  const { inspect, recordCountMax, turns } = request
  const records: NewRecord[] = []
  const rejections: Rejection[] = []
  let index = 0
  let turnEnd = performance.now() + TURN_MS
  while (scanner.nextLine()) {
    if (index === recordCountMax) return { status: 'too_many' }
    const inspected = inspect(body, scanner, index)
    if (isRejection(inspected)) rejections.push(inspected)
    else records.push(inspected)
    index += 1
    if (index % RECORDS_PER_LOOK === 0 && performance.now() > turnEnd) {
      await turns.next()
      turnEnd = performance.now() + TURN_MS
    }
  }
  return { status: 'collected', isBatch: true, records, rejections }
}

/**
 * An array is one JSON document: one element that is not JSON makes all of it something else. What passes here
 * is an array, because its elements are JSON and only commas and brackets lie between them.
 */
async function collectElements(
  request: CollectRequest,
  body: BodyContext,
  scanner: JsonScanner,
): Promise<CollectOutcome> {
  const { inspect, recordCountMax, turns } = request
  const records: NewRecord[] = []
  const rejections: Rejection[] = []
  let index = 0
  let turnEnd = performance.now() + TURN_MS
  scanner.enterArray()
  for (;;) {
    const found = scanner.nextElement(index === 0)
    if (found === 'end') break
    if (found === 'malformed') {
      const detail = `The array breaks off or has something else than a value near byte ${scanner.position}.`
      return unreadable(request, detail)
    }
    if (index === recordCountMax) return { status: 'too_many' }
    const inspected = inspect(body, scanner, index)
    if (!isRejection(inspected)) records.push(inspected)
    else if (inspected.faults[0]!.code === 'malformed_json') {
      return unreadable(request, `Element ${index}: ${inspected.faults[0]!.message}`)
    } else rejections.push(inspected)
    index += 1
    if (index % RECORDS_PER_LOOK === 0 && performance.now() > turnEnd) {
      await turns.next()
      turnEnd = performance.now() + TURN_MS
    }
  }
  return { status: 'collected', isBatch: true, records, rejections }
}

function unreadable({ bytes, recordBytesMax }: CollectRequest, message: string): CollectOutcome {
  const truncated = bytes.length > recordBytesMax
  return {
    status: 'unreadable',
    rejection: {
      index: 0,
      id: '',
      faults: [{ path: '', code: 'malformed_json', message }],
      value: truncated ? bytes.subarray(0, recordBytesMax) : bytes,
      truncated,
    },
  }
}

const NEWLINE = 10
const OPEN_BRACKET = 91
const OPEN_BRACE = 123
