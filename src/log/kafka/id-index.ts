import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { LogVersionError } from '../errors.ts'

// Where ids are in Kafka's topics: a local view in one SQLite file, kept so that a repeated id is
// found without asking the broker. It says for every partition up to which offset it has seen; what
// lies beyond is read from the topic before anything is appended. So nothing is lost when it is
// lagging, and it can be deleted: it is then read again from the beginning. Only the duplicate
// counts live here alone, which is why commits are fsynced.

const ID_INDEX_LAYOUT_VERSION = 1

const TABLES = `
  CREATE TABLE topic (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    -- Kafka's own id: a topic deleted and made again is another topic.
    kafka_id TEXT NOT NULL,
    duplicate_count INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  -- seen_end: ids below it are indexed. offset_start: what the broker kept when last asked.
  CREATE TABLE partition (
    topic_id INTEGER NOT NULL,
    partition INTEGER NOT NULL,
    seen_end INTEGER NOT NULL DEFAULT 0,
    offset_start INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (topic_id, partition)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE record_id (
    topic_id INTEGER NOT NULL,
    id TEXT NOT NULL,
    partition INTEGER NOT NULL,
    record_offset INTEGER NOT NULL,
    PRIMARY KEY (topic_id, id)
  ) STRICT, WITHOUT ROWID;
`

/** A topic as the index knows it. */
export interface IndexedTopic {
  readonly indexId: number
  /** By partition: ids of records before this offset are in the index. */
  readonly seenEnds: readonly number[]
}

/** Records that are in the topic now, to be entered. */
export interface IndexEntries {
  readonly indexId: number
  readonly ids: readonly string[]
  readonly partitions: readonly number[]
  readonly offsets: readonly number[]
  /** Partition → all ids before this offset are in the index after this. */
  readonly seenEnds: ReadonlyMap<number, number>
  readonly duplicateCount: number
}

/** Opens the index, creating it when it is not there. @throws LogVersionError */
export function openIdIndex(file: string): DatabaseSync {
  mkdirSync(path.dirname(file), { recursive: true })
  const database = new DatabaseSync(file)
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -32768')
  const { user_version: version } = database.prepare('PRAGMA user_version').get() as {
    user_version: number
  }
  if (version > ID_INDEX_LAYOUT_VERSION) {
    database.close()
    throw new LogVersionError(
      `The id index ${file} has layout version ${version}; this Mekong reads up to ` +
        `${ID_INDEX_LAYOUT_VERSION}. Use the newer Mekong, or delete the file to build it again.`,
    )
  }
  if (version === 0)
    database.exec(`BEGIN; ${TABLES} PRAGMA user_version = ${ID_INDEX_LAYOUT_VERSION}; COMMIT`)
  return database
}

/** What the index knows of a topic; nothing of the topic before it when Kafka's id has changed. */
export function indexedTopic(
  database: DatabaseSync,
  { name, kafkaId, partitions }: { name: string; kafkaId: string; partitions: number },
): IndexedTopic {
  return transaction(database, () => {
    const known = database.prepare('SELECT id, kafka_id FROM topic WHERE name = ?').get(name) as
      | { id: number; kafka_id: string }
      | undefined
    if (known !== undefined && known.kafka_id !== kafkaId) {
      for (const table of ['record_id', 'partition'])
        database.prepare(`DELETE FROM ${table} WHERE topic_id = ?`).run(known.id)
      database.prepare('DELETE FROM topic WHERE id = ?').run(known.id)
    }
    database
      .prepare('INSERT INTO topic (name, kafka_id) VALUES (?, ?) ON CONFLICT DO NOTHING')
      .run(name, kafkaId)
    const { id } = database.prepare('SELECT id FROM topic WHERE name = ?').get(name) as {
      id: number
    }
    const insert = database.prepare(
      'INSERT INTO partition (topic_id, partition) VALUES (?, ?) ON CONFLICT DO NOTHING',
    )
    for (let partition = 0; partition < partitions; partition += 1) insert.run(id, partition)
    const rows = database
      .prepare('SELECT seen_end FROM partition WHERE topic_id = ? ORDER BY partition')
      .all(id) as { seen_end: number }[]
    return { indexId: id, seenEnds: rows.map((row) => row.seen_end) }
  })
}

/** For each id its partition and offset, two numbers; -1 twice when it is not in the index. */
export function lookUpIds(
  database: DatabaseSync,
  { indexId, ids }: { indexId: number; ids: readonly string[] },
): Float64Array {
  const find = database.prepare(
    'SELECT partition, record_offset FROM record_id WHERE topic_id = ? AND id = ?',
  )
  const places = new Float64Array(ids.length * 2).fill(-1)
  for (const [index, id] of ids.entries()) {
    const row = find.get(indexId, id) as { partition: number; record_offset: number } | undefined
    if (row === undefined) continue
    places[index * 2] = row.partition
    places[index * 2 + 1] = row.record_offset
  }
  return places
}

/** Durable when it returns. An id that is there keeps its first place. */
export function enterIds(database: DatabaseSync, entries: IndexEntries): void {
  const { indexId, ids, partitions, offsets, seenEnds, duplicateCount } = entries
  transaction(database, () => {
    const insert = database.prepare(
      'INSERT INTO record_id (topic_id, id, partition, record_offset) VALUES (?, ?, ?, ?) ' +
        'ON CONFLICT DO NOTHING',
    )
    for (const [index, id] of ids.entries())
      insert.run(indexId, id, partitions[index]!, offsets[index]!)
    const advance = database.prepare(
      'UPDATE partition SET seen_end = max(seen_end, ?) WHERE topic_id = ? AND partition = ?',
    )
    for (const [partition, end] of seenEnds) advance.run(end, indexId, partition)
    if (duplicateCount > 0)
      database
        .prepare('UPDATE topic SET duplicate_count = duplicate_count + ? WHERE id = ?')
        .run(duplicateCount, indexId)
  })
}

/**
 * Forget ids of records that the broker has dropped. Returns how many records those are since the
 * last time.
 */
export function forgetIds(
  database: DatabaseSync,
  { indexId, starts }: { indexId: number; starts: ReadonlyMap<number, number> },
): number {
  return transaction(database, () => {
    let dropped = 0
    for (const [partition, start] of starts) {
      const { offset_start: before } = database
        .prepare('SELECT offset_start FROM partition WHERE topic_id = ? AND partition = ?')
        .get(indexId, partition) as { offset_start: number }
      if (start <= before) continue
      dropped += start - before
      database
        .prepare(
          'UPDATE partition SET offset_start = ?1, seen_end = max(seen_end, ?1) WHERE topic_id = ?2 AND partition = ?3',
        )
        .run(start, indexId, partition)
      database
        .prepare('DELETE FROM record_id WHERE topic_id = ? AND partition = ? AND record_offset < ?')
        .run(indexId, partition, start)
    }
    return dropped
  })
}

/** Repeated records turned away so far, by topic name. */
export function duplicateCounts(database: DatabaseSync): ReadonlyMap<string, number> {
  const rows = database.prepare('SELECT name, duplicate_count FROM topic').all() as {
    name: string
    duplicate_count: number
  }[]
  return new Map(rows.map((row) => [row.name, row.duplicate_count]))
}

function transaction<T>(database: DatabaseSync, work: () => T): T {
  database.exec('BEGIN IMMEDIATE')
  try {
    const result = work()
    database.exec('COMMIT')
    return result
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK')
    throw error
  }
}
