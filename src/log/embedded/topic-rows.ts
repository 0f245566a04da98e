import type { DatabaseSync } from 'node:sqlite'
import { assert } from '../../model/errors.ts'
import { TopicMismatchError } from '../errors.ts'
import type { PartitionBounds, TopicConfig, TopicDescription } from '../log.ts'
import { endOfPartition } from './append-batches.ts'
import { OFFSET_BITS } from './log-file.ts'

// Topics and group offsets in the log's file. Synchronous, on the log's threads.

/** What the file knows of a topic, with the numbers that its batches are stored under. */
export interface TopicRow {
  readonly id: number
  readonly config: TopicConfig
  /** By partition. */
  readonly partitionNumbers: readonly number[]
  readonly duplicateCount: number
}

/** Make sure of a topic. @throws TopicMismatchError */
export function ensureTopicRow(database: DatabaseSync, topic: TopicConfig): TopicRow {
  const { name, partitions } = topic
  const retention = [topic.retentionMs ?? null, topic.retentionBytes ?? null] as const
  const present = findTopic(database, name)
  if (present !== null && present.config.partitions !== partitions)
    throw new TopicMismatchError(
      `Topic "${name}" has ${present.config.partitions} partitions and was asked for with ${partitions}; the number cannot change. Keep it, or use a new topic.`,
    )
  database.exec('BEGIN IMMEDIATE')
  try {
    if (present !== null)
      database
        .prepare('UPDATE topic SET retention_ms = ?, retention_bytes = ? WHERE id = ?')
        .run(...retention, present.id)
    else insertTopic(database, topic, retention)
    database.exec('COMMIT')
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK')
    throw error
  }
  const row = findTopic(database, name)
  assert(row !== null, 'a topic just created is there')
  return row
}

function insertTopic(
  database: DatabaseSync,
  { name, partitions }: TopicConfig,
  retention: readonly [number | null, number | null],
): void {
  const { lastInsertRowid } = database
    .prepare(
      'INSERT INTO topic (name, partition_count, retention_ms, retention_bytes) VALUES (?, ?, ?, ?)',
    )
    .run(name, partitions, ...retention)
  const insert = database.prepare('INSERT INTO partition (topic_id, partition) VALUES (?, ?)')
  for (let partition = 0; partition < partitions; partition += 1)
    insert.run(lastInsertRowid, partition)
}

export function topicRows(database: DatabaseSync): readonly TopicRow[] {
  const names = database.prepare('SELECT name FROM topic ORDER BY name').all() as { name: string }[]
  return names.map(({ name }) => findTopic(database, name)!)
}

export function findTopic(database: DatabaseSync, name: string): TopicRow | null {
  const row = database.prepare('SELECT * FROM topic WHERE name = ?').get(name) as
    | {
        id: number
        name: string
        partition_count: number
        retention_ms: number | null
        retention_bytes: number | null
        duplicate_count: number
      }
    | undefined
  if (row === undefined) return null
  const numbers = database
    .prepare('SELECT number FROM partition WHERE topic_id = ? ORDER BY partition')
    .all(row.id) as { number: number }[]
  return {
    id: row.id,
    config: {
      name: row.name,
      partitions: row.partition_count,
      ...(row.retention_ms === null ? {} : { retentionMs: row.retention_ms }),
      ...(row.retention_bytes === null ? {} : { retentionBytes: row.retention_bytes }),
    },
    partitionNumbers: numbers.map(({ number }) => number),
    duplicateCount: row.duplicate_count,
  }
}

export function describeTopic(database: DatabaseSync, row: TopicRow): TopicDescription {
  const { config, duplicateCount } = row
  return { ...config, duplicateCount, bounds: boundsOf(database, row) }
}

export function boundsOf(database: DatabaseSync, row: TopicRow): readonly PartitionBounds[] {
  const first = database.prepare(
    `SELECT place & ((1 << ${OFFSET_BITS}) - 1) AS offset_start FROM batch
     WHERE place >= (?1 << ${OFFSET_BITS}) AND place < ((?1 + 1) << ${OFFSET_BITS})
     ORDER BY place LIMIT 1`,
  )
  return row.partitionNumbers.map((number, partition) => {
    const offsetEnd = endOfPartition(database, number)
    const kept = first.get(number) as { offset_start: number } | undefined
    return { partition, offsetStart: kept?.offset_start ?? offsetEnd, offsetEnd }
  })
}

export function committedOffsets(
  database: DatabaseSync,
  group: string,
  topicId: number,
): ReadonlyMap<number, number> {
  const rows = database
    .prepare(
      'SELECT partition, next_offset FROM group_offset WHERE group_name = ? AND topic_id = ?',
    )
    .all(group, topicId) as { partition: number; next_offset: number }[]
  return new Map(rows.map((row) => [row.partition, row.next_offset]))
}

export function commitOffsets(
  database: DatabaseSync,
  group: string,
  topicId: number,
  offsets: ReadonlyMap<number, number>,
): void {
  const upsert = database.prepare(
    `INSERT INTO group_offset (group_name, topic_id, partition, next_offset) VALUES (?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET next_offset = excluded.next_offset`,
  )
  database.exec('BEGIN IMMEDIATE')
  try {
    for (const [partition, offset] of offsets) upsert.run(group, topicId, partition, offset)
    database.exec('COMMIT')
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK')
    throw error
  }
}
