import type { DatabaseSync } from 'node:sqlite'
import { bytesAt } from '../../model/record-batch.ts'
import { endOfPartition } from './append-batches.ts'
import { decodeBatch } from './batch-decode.ts'
import { OFFSET_BITS } from './log-file.ts'
import type { TopicRow } from './topic-rows.ts'

/** Batches dropped in one transaction, so that appends wait for milliseconds only. */
const BATCHES_PER_STEP = 64

interface BatchRow {
  readonly batch_offset: number
  readonly bytes: number
  readonly arrived_ms_max: number
}

/**
 * Drop the oldest batches of a topic that its retention no longer keeps, a few for each step of the
 * iteration, and yield how many records went. Whole batches go: one stays while any of its records
 * is young enough, or while without it the partition would be smaller than the bytes to keep. Ids
 * in the index go with their batch.
 */
export function* retentionSteps(
  database: DatabaseSync,
  topic: TopicRow,
  nowMs: number,
): Generator<number> {
  const { retentionMs, retentionBytes } = topic.config
  if (retentionMs === undefined && retentionBytes === undefined) return
  for (const partitionNumber of topic.partitionNumbers) {
    const range = `place >= (?1 << ${OFFSET_BITS}) AND place < ((?1 + 1) << ${OFFSET_BITS})`
    let bytesKept = Infinity
    if (retentionBytes !== undefined) {
      const sum = database.prepare(
        `SELECT coalesce(sum(bytes), 0) AS bytes FROM batch WHERE ${range}`,
      )
      bytesKept = (sum.get(partitionNumber) as { bytes: number }).bytes
    }
    const goes = (row: BatchRow) =>
      (retentionMs !== undefined && row.arrived_ms_max < nowMs - retentionMs) ||
      (retentionBytes !== undefined && bytesKept - row.bytes >= retentionBytes)
    const oldest = database.prepare(
      `SELECT place & ((1 << ${OFFSET_BITS}) - 1) AS batch_offset, bytes, arrived_ms_max
       FROM batch WHERE ${range} ORDER BY place LIMIT ${BATCHES_PER_STEP}`,
    )
    for (;;) {
      const going: BatchRow[] = []
      for (const row of oldest.all(partitionNumber) as unknown as BatchRow[]) {
        if (!goes(row)) break
        bytesKept -= row.bytes
        going.push(row)
      }
      if (going.length > 0) yield dropBatches(database, topic.id, partitionNumber, going)
      if (going.length < BATCHES_PER_STEP) break
    }
  }
}

/**
 * Drop whole batches of a partition that lie before `offset`, as retention does; a few for each
 * step.
 */
export function* dropSteps(
  database: DatabaseSync,
  topicId: number,
  partitionNumber: number,
  offset: number,
): Generator<number> {
  const oldest = database.prepare(
    `SELECT place & ((1 << ${OFFSET_BITS}) - 1) AS batch_offset, bytes, arrived_ms_max
     FROM batch
     WHERE place >= (?1 << ${OFFSET_BITS})
       AND (place & ((1 << ${OFFSET_BITS}) - 1)) + record_count <= ?2
       AND place < ((?1 << ${OFFSET_BITS}) | ?2)
     ORDER BY place LIMIT ${BATCHES_PER_STEP}`,
  )
  for (;;) {
    const going = oldest.all(partitionNumber, offset) as unknown as BatchRow[]
    if (going.length > 0) yield dropBatches(database, topicId, partitionNumber, going)
    if (going.length < BATCHES_PER_STEP) break
  }
}

function dropBatches(
  database: DatabaseSync,
  topicId: number,
  partitionNumber: number,
  rows: readonly BatchRow[],
): number {
  const place = `(?1 << ${OFFSET_BITS}) | ?2`
  const find = database.prepare(`SELECT blob FROM batch WHERE place = ${place}`)
  const drop = database.prepare(`DELETE FROM batch WHERE place = ${place}`)
  const dropId = database.prepare(
    // Only the entry that points here: a record whose id was not looked up may share it with
    // another.
    'DELETE FROM record_id WHERE topic_id = ? AND id = ? AND record_offset = ?',
  )
  let recordCount = 0
  database.exec('BEGIN IMMEDIATE')
  try {
    // When the last batch goes, the partition's end would be forgotten with it.
    const offsetEnd = endOfPartition(database, partitionNumber)
    database
      .prepare('UPDATE partition SET offset_floor = ? WHERE number = ?')
      .run(offsetEnd, partitionNumber)
    for (const row of rows) {
      const { blob } = find.get(partitionNumber, row.batch_offset) as { blob: Uint8Array }
      const batch = decodeBatch(blob)
      if (batch.hasIndexedIds)
        for (let index = 0; index < batch.recordCount; index += 1)
          dropId.run(topicId, bytesAt(batch.ids, index), batch.offset + index)
      drop.run(partitionNumber, row.batch_offset)
      recordCount += batch.recordCount
    }
    database.exec('COMMIT')
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK')
    throw error
  }
  return recordCount
}
