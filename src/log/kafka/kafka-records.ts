import type { MessageToProduce, RecordsBatch } from '@platformatic/kafka'
import type { NewRecord } from '../../model/append.ts'
import { type BytesColumn, bytesColumn, type RecordBatch } from '../../model/record-batch.ts'
import { headersText } from '../embedded/batch-encode.ts'

// Our records as Kafka's and back: one Kafka record for each, its id in the header `mekong-id`, our
// headers as Kafka headers, arrival as the record's timestamp. A record of another program's making
// has no id header; it is named by its place.

const ID_HEADER = 'mekong-id'
const ID_HEADER_BYTES = Buffer.from(ID_HEADER)
/**
 * Set on records that only mark the end of a transaction (Kafka, "Record Batch", attributes bit 5).
 */
const IS_CONTROL = 1 << 5
/** Written inside a transaction (attributes bit 4). */
const IS_TRANSACTIONAL = 1 << 4
/** Times are the broker's, not the producer's (attributes bit 3). */
const IS_LOG_APPEND_TIME = 1 << 3

export function toMessage(
  topic: string,
  record: NewRecord,
  partition: number,
  arrivedMs: number,
): MessageToProduce<Buffer, Buffer, Buffer, Buffer> {
  const headers = new Map([[ID_HEADER_BYTES, Buffer.from(record.id)]])
  for (const [name, value] of Object.entries(record.headers ?? {}))
    headers.set(Buffer.from(name), Buffer.from(value))
  const { key, value } = record
  return {
    topic,
    partition,
    timestamp: BigInt(Math.trunc(arrivedMs)),
    ...(key === null || key === '' ? {} : { key: Buffer.from(key) }),
    value: Buffer.from(value.buffer, value.byteOffset, value.length),
    headers,
  }
}

const NOTHING = Buffer.alloc(0)

/** What a fetch brought of one partition, as the client has it. */
export interface FetchedPartition {
  readonly records?: readonly RecordsBatch[] | null
  /** Transactions of other programs that were given up; their records were never there. */
  readonly abortedTransactions: readonly { producerId: bigint; firstOffset: bigint }[] | null
}

/**
 * Fetched records from `offset` on. What is before it, aborted, or only marks a transaction is left
 * out.
 */
export function toRecordBatch(
  topic: string,
  partition: number,
  offset: number,
  fetched: FetchedPartition | undefined,
): RecordBatch {
  const offsets: number[] = []
  const arrivedMs: number[] = []
  const columns = { ids: [], keys: [], headers: [], values: [] } as Record<
    'ids' | 'keys' | 'headers' | 'values',
    Uint8Array[]
  >
  let offsetEnd = offset
  const isAborted = abortedFilter(fetched?.abortedTransactions ?? [])
  for (const batch of fetched?.records ?? []) {
    const first = Number(batch.firstOffset)
    offsetEnd = Math.max(offsetEnd, first + batch.lastOffsetDelta + 1)
    if (isAborted(batch) || (batch.attributes & IS_CONTROL) !== 0) continue
    for (const record of batch.records) {
      const at = first + record.offsetDelta
      if (at < offset) continue
      offsets.push(at)
      arrivedMs.push(
        (batch.attributes & IS_LOG_APPEND_TIME) !== 0
          ? Number(batch.maxTimestamp)
          : Number(batch.firstTimestamp + record.timestampDelta),
      )
      const { id, headers } = splitHeaders(record.headers)
      columns.ids.push(id ?? Buffer.from(`${topic}-${partition}-${at}`))
      columns.keys.push(record.key ?? NOTHING)
      columns.headers.push(headers)
      columns.values.push(record.value ?? NOTHING)
    }
  }
  return {
    topic,
    partition,
    offsets: Float64Array.from(offsets),
    offsetEnd,
    arrivedMs: Float64Array.from(arrivedMs),
    ids: bytesColumn(columns.ids),
    keys: bytesColumn(columns.keys),
    headers: bytesColumn(columns.headers),
    values: bytesColumn(columns.values),
  }
}

/**
 * Whether a batch belongs to an aborted transaction; asked for each batch in order. A producer's
 * transaction is aborted from its first offset to its marker (Kafka, "Fetch Response",
 * aborted_transactions).
 */
function abortedFilter(
  aborted: NonNullable<FetchedPartition['abortedTransactions']>,
): (batch: RecordsBatch) => boolean {
  if (aborted.length === 0) return () => false
  const coming = [...aborted].sort((a, b) => Number(a.firstOffset - b.firstOffset))
  const open = new Set<bigint>()
  return (batch) => {
    while (coming.length > 0 && coming[0]!.firstOffset <= batch.firstOffset)
      open.add(coming.shift()!.producerId)
    if ((batch.attributes & IS_CONTROL) !== 0) open.delete(batch.producerId)
    return (batch.attributes & IS_TRANSACTIONAL) !== 0 && open.has(batch.producerId)
  }
}

function splitHeaders(headers: readonly [Buffer | null, Buffer | null][]): {
  readonly id: Buffer | null
  readonly headers: Uint8Array
} {
  let id: Buffer | null = null
  let rest: Record<string, string> | undefined
  for (const [name, value] of headers) {
    if (name === null || value === null) continue
    if (id === null && name.equals(ID_HEADER_BYTES)) id = value
    else {
      rest ??= {}
      rest[name.toString()] = value.toString()
    }
  }
  return { id, headers: rest === undefined ? NOTHING : Buffer.from(headersText(rest)) }
}

/**
 * Records `[from, to)` of a batch, as views. `offsetEnd` follows the last of them, or stays when
 * they reach the end.
 */
export function sliceBatch(batch: RecordBatch, from: number, to: number): RecordBatch {
  const column = ({ data, ends }: BytesColumn): BytesColumn => {
    const start = from === 0 ? 0 : ends[from - 1]!
    const cut = ends.slice(from, to)
    if (start > 0) for (let index = 0; index < cut.length; index += 1) cut[index]! -= start
    return { data: data.subarray(start, start + (cut.at(-1) ?? 0)), ends: cut }
  }
  return {
    ...batch,
    offsets: batch.offsets.subarray(from, to),
    arrivedMs: batch.arrivedMs.subarray(from, to),
    offsetEnd: to === batch.offsets.length ? batch.offsetEnd : batch.offsets[to - 1]! + 1,
    ids: column(batch.ids),
    keys: column(batch.keys),
    headers: column(batch.headers),
    values: column(batch.values),
  }
}
