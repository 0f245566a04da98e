import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { bytesAt } from '../../model/record-batch.ts'
import { keepRecords, viewBatch } from './batch-decode.ts'
import { FLAG_INDEXED_IDS, sealBatch } from './batch-encode.ts'
import { OFFSET_BITS } from './log-file.ts'

/**
 * The records of one partition in an append request: a blob inside the request's buffer, laid out
 * but not sealed.
 */
export interface AppendSegment {
  readonly topicId: number
  readonly partitionNumber: number
  readonly partition: number
  readonly at: number
  readonly bytes: number
}

/** Appends gathered by the main thread, to be written in one transaction. */
export interface AppendRequest {
  readonly buffer: ArrayBuffer
  readonly segments: readonly AppendSegment[]
  /**
   * Present when some ids may repeat: for each record, in the order in which they were handed in,
   * its segment and whether to look its id up. Order matters when one id occurs twice in a request:
   * the earlier one is the record.
   */
  readonly lookUps?: { readonly segmentOf: Uint32Array; readonly mayRepeat: Uint8Array }
}

/** Where everything went. */
export interface AppendAnswer {
  /** First offset of each segment. */
  readonly offsets: readonly number[]
  /**
   * Present when duplicates were found: for each record in order its partition, offset, and 1 when
   * it is a duplicate.
   */
  readonly found?: {
    readonly partitions: Uint32Array
    readonly offsets: Float64Array
    readonly isDuplicate: Uint8Array
  }
}

/** Writes append requests. Holds what it knows of every partition's end; one of it per file. */
export class BatchAppender {
  readonly #database: DatabaseSync
  readonly #insertBatch: StatementSync
  readonly #insertId: StatementSync
  readonly #findId: StatementSync
  readonly #countDuplicates: StatementSync
  /** Next offset by partition number; read from the file when first needed. */
  #ends = new Map<number, number>()

  constructor(database: DatabaseSync) {
    this.#database = database
    this.#insertBatch = database.prepare(
      `INSERT INTO batch (place, record_count, arrived_ms_max, bytes, blob)
       VALUES ((?1 << ${OFFSET_BITS}) | ?2, ?3, ?4, ?5, ?6)`,
    )
    this.#insertId = database.prepare(
      'INSERT INTO record_id (topic_id, id, partition, record_offset) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
    )
    this.#findId = database.prepare(
      'SELECT partition, record_offset FROM record_id WHERE topic_id = ? AND id = ?',
    )
    this.#countDuplicates = database.prepare(
      'UPDATE topic SET duplicate_count = duplicate_count + ? WHERE id = ?',
    )
  }

  /**
   * All or nothing; durable when it returns. Throws what SQLite throws, and then nothing was
   * written.
   */
  append(request: AppendRequest): AppendAnswer {
    const { segments } = request
    const starts = segments.map((segment) => this.#endOf(segment.partitionNumber))
    const ends = [...starts]
    this.#database.exec('BEGIN IMMEDIATE')
    let found: LookedUp | undefined
    try {
      found = request.lookUps && this.#lookUp(request, starts)
      for (const [index, segment] of segments.entries()) {
        const keep = found?.keep[index]
        ends[index] = starts[index]! + this.#insert(request, segment, starts[index]!, keep)
      }
      this.#database.exec('COMMIT')
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
      throw error
    }
    for (const [index, segment] of segments.entries())
      this.#ends.set(segment.partitionNumber, ends[index]!)
    return found?.hasDuplicates ? { offsets: starts, found: found.records } : { offsets: starts }
  }

  /** Returns how many records the partition gained. */
  #insert(
    request: AppendRequest,
    segment: AppendSegment,
    offset: number,
    keep:
      | { readonly flags: Uint8Array; readonly dropped: number; readonly indexed: boolean }
      | undefined,
  ): number {
    let blob: Uint8Array = new Uint8Array(request.buffer, segment.at, segment.bytes)
    if (keep !== undefined && keep.dropped > 0) blob = keepRecords(viewBatch(blob), keep.flags)
    const batch = viewBatch(blob)
    if (batch.recordCount === 0) return 0
    const { partitionNumber } = segment
    sealBatch(blob, { offset, partitionNumber, flags: keep?.indexed ? FLAG_INDEXED_IDS : 0 })
    let arrivedMsMax = 0
    for (const arrivedMs of batch.arrivedMs) if (arrivedMs > arrivedMsMax) arrivedMsMax = arrivedMs
    this.#insertBatch.run(
      partitionNumber,
      offset,
      batch.recordCount,
      arrivedMsMax,
      blob.length,
      blob,
    )
    return batch.recordCount
  }

  /**
   * Enter the ids that may repeat, in the order the records came; those already there are
   * duplicates.
   */
  #lookUp({ buffer, segments, lookUps }: AppendRequest, starts: readonly number[]): LookedUp {
    const { segmentOf, mayRepeat } = lookUps!
    const batches = segments.map(({ at, bytes }) => viewBatch(new Uint8Array(buffer, at, bytes)))
    const keep = batches.map(({ recordCount }) => ({
      flags: new Uint8Array(recordCount).fill(1),
      dropped: 0,
      indexed: false,
    }))
    const cursors = new Uint32Array(segments.length)
    const records = {
      partitions: new Uint32Array(segmentOf.length),
      offsets: new Float64Array(segmentOf.length),
      isDuplicate: new Uint8Array(segmentOf.length),
    }
    const duplicateCounts = new Map<number, number>()
    for (let order = 0; order < segmentOf.length; order += 1) {
      const number = segmentOf[order]!
      const { topicId, partition } = segments[number]!
      const index = cursors[number]!
      cursors[number] = index + 1
      const own = keep[number]!
      records.partitions[order] = partition
      records.offsets[order] = starts[number]! + index - own.dropped
      if (mayRepeat[order] === 0) continue
      const id = bytesAt(batches[number]!.ids, index)
      own.indexed = true
      if (this.#insertId.run(topicId, id, partition, records.offsets[order]!).changes === 1)
        continue
      const first = this.#findId.get(topicId, id) as { partition: number; record_offset: number }
      records.partitions[order] = first.partition
      records.offsets[order] = first.record_offset
      records.isDuplicate[order] = 1
      own.flags[index] = 0
      own.dropped += 1
      duplicateCounts.set(topicId, (duplicateCounts.get(topicId) ?? 0) + 1)
    }
    for (const [topicId, count] of duplicateCounts) this.#countDuplicates.run(count, topicId)
    return { keep, records, hasDuplicates: duplicateCounts.size > 0 }
  }

  #endOf(partitionNumber: number): number {
    const known = this.#ends.get(partitionNumber)
    if (known !== undefined) return known
    const end = endOfPartition(this.#database, partitionNumber)
    this.#ends.set(partitionNumber, end)
    return end
  }
}

interface LookedUp {
  readonly keep: readonly {
    readonly flags: Uint8Array
    readonly dropped: number
    readonly indexed: boolean
  }[]
  readonly records: NonNullable<AppendAnswer['found']>
  readonly hasDuplicates: boolean
}

/** The next offset of a partition as the file has it. */
export function endOfPartition(database: DatabaseSync, partitionNumber: number): number {
  const row = database
    .prepare(
      `SELECT coalesce(
         (SELECT (place & ((1 << ${OFFSET_BITS}) - 1)) + record_count FROM batch
          WHERE place < ((?1 + 1) << ${OFFSET_BITS}) AND place >= (?1 << ${OFFSET_BITS})
          ORDER BY place DESC LIMIT 1),
         (SELECT offset_floor FROM partition WHERE number = ?1), 0) AS offset_end`,
    )
    .get(partitionNumber) as { offset_end: number }
  return row.offset_end
}
