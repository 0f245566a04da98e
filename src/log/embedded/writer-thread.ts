import { setImmediate as turn } from 'node:timers/promises'
import { parentPort } from 'node:worker_threads'
import { assert } from '../../model/errors.ts'
import type { PartitionBounds, TopicConfig } from '../log.ts'
import { diskTrouble } from '../sqlite-errors.ts'
import { serveCalls } from '../thread-call.ts'
import { type AppendAnswer, type AppendRequest, BatchAppender } from './append-batches.ts'
import { openLogFileToWrite, type WritableLogFile, type WriteFileOptions } from './log-file.ts'
import { dropSteps, retentionSteps } from './retention.ts'
import { boundsOf, commitOffsets, ensureTopicRow, type TopicRow, topicRows } from './topic-rows.ts'

// The thread that writes the log's file: the only one that does. Started by `embedded-log.ts`.

/** A topic and how far its partitions are, as the writer's side of the main thread keeps it. */
export interface OpenedTopic {
  readonly row: TopicRow
  readonly bounds: readonly PartitionBounds[]
}

let file: WritableLogFile
let appender: BatchAppender

const functions = {
  open(options: WriteFileOptions): readonly OpenedTopic[] {
    file = openLogFileToWrite(options)
    appender = new BatchAppender(file.database)
    return topicRows(file.database).map(withBounds)
  },

  ensureTopic: (topic: TopicConfig): OpenedTopic =>
    withBounds(ensureTopicRow(file.database, topic)),

  /** A disk that cannot take it is an answer, since nothing was written then. */
  append(request: AppendRequest): AppendAnswer | { readonly trouble: string } {
    try {
      return appender.append(request)
    } catch (error) {
      const trouble = diskTrouble(error)
      if (trouble === null) throw error
      return { trouble }
    }
  },

  commit({ group, topicId, offsets }: CommitRequest): void {
    commitOffsets(file.database, group, topicId, offsets)
  },

  async enforceRetention({ nowMs }: { readonly nowMs: number }): Promise<number> {
    let dropped = 0
    for (const topic of topicRows(file.database))
      dropped += await inTurns(retentionSteps(file.database, topic, nowMs))
    return dropped
  },

  dropBefore: ({ topicId, partitionNumber, offset }: DropRequest): Promise<number> =>
    inTurns(dropSteps(file.database, topicId, partitionNumber, offset)),

  close(): void {
    file.close()
  },
}

export interface CommitRequest {
  readonly group: string
  readonly topicId: number
  readonly offsets: ReadonlyMap<number, number>
}

export interface DropRequest {
  readonly topicId: number
  readonly partitionNumber: number
  readonly offset: number
}

/** Between steps, appends that came in the meantime go first. */
async function inTurns(steps: Iterable<number>): Promise<number> {
  let sum = 0
  for (const count of steps) {
    sum += count
    await turn()
  }
  return sum
}

export type WriterFunctions = typeof functions

function withBounds(row: TopicRow): OpenedTopic {
  return { row, bounds: boundsOf(file.database, row) }
}

assert(parentPort !== null, 'this file is the start of a worker thread')
serveCalls(parentPort, functions)
