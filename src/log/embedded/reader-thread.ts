import type { DatabaseSync } from 'node:sqlite'
import { parentPort } from 'node:worker_threads'
import { assert } from '../../model/errors.ts'
import { topicMissing } from '../errors.ts'
import type { PartitionBounds, ReadRequest, TopicDescription } from '../log.ts'
import { Moved, serveCalls } from '../thread-call.ts'
import { openLogFileToRead } from './log-file.ts'
import { type JoinedColumns, offsetAt, readBatches } from './read-batches.ts'
import {
  boundsOf,
  committedOffsets,
  describeTopic,
  findTopic,
  type TopicRow,
  topicRows,
} from './topic-rows.ts'

// The thread that reads the log's file, through a read-only connection, so that a consumer that
// catches up does not hold appends up.

let database: DatabaseSync
/** Topics seen so far; their ids and partition numbers never change. */
const known = new Map<string, TopicRow>()

function topicOf(name: string): TopicRow {
  const row = known.get(name) ?? findTopic(database, name)
  if (row === null)
    throw topicMissing(
      name,
      topicRows(database).map(({ config }) => config.name),
    )
  known.set(name, row)
  return row
}

function partitionNumberOf(topic: TopicRow, partition: number): number {
  const number = topic.partitionNumbers[partition]
  assert(number !== undefined, `partition ${partition} of topic "${topic.config.name}" exists`)
  return number
}

const functions = {
  open({ file }: { readonly file: string }): void {
    database = openLogFileToRead(file)
  },

  topics: (): readonly TopicDescription[] =>
    topicRows(database).map((row) => describeTopic(database, row)),

  read({ topic, partition, ...request }: ReadRequest): Moved<JoinedColumns> {
    const partitionNumber = partitionNumberOf(topicOf(topic), partition)
    const columns = readBatches(database, { ...request, partitionNumber })
    return new Moved(columns, [columns.buffer])
  },

  bounds: ({ topic }: { readonly topic: string }): readonly PartitionBounds[] =>
    boundsOf(database, topicOf(topic)),

  offsetsAt({
    topic,
    timeMs,
  }: {
    readonly topic: string
    readonly timeMs: number
  }): ReadonlyMap<number, number> {
    const row = topicOf(topic)
    return new Map(
      boundsOf(database, row).map(({ partition, offsetEnd }) => {
        const found = offsetAt(database, partitionNumberOf(row, partition), timeMs)
        return [partition, found ?? offsetEnd]
      }),
    )
  },

  committed: ({
    group,
    topic,
  }: {
    readonly group: string
    readonly topic: string
  }): ReadonlyMap<number, number> => committedOffsets(database, group, topicOf(topic).id),

  close(): void {
    database.close()
  },
}

export type ReaderFunctions = typeof functions

assert(parentPort !== null, 'this file is the start of a worker thread')
serveCalls(parentPort, functions)
