import { Worker } from 'node:worker_threads'
import { type Clock, systemClock } from '../../model/clock.ts'
import {
  AppendQueue,
  type AppendQueueLimits,
  DEFAULT_APPEND_QUEUE_LIMITS,
} from '../append-queue.ts'
import { AppendWaiters } from '../append-waiters.ts'
import { LogClosedError, topicMissing } from '../errors.ts'
import type { Log, LogReader } from '../log.ts'
import type { LogWatch } from '../log-watch.ts'
import { pause } from '../pause.ts'
import { ThreadCaller, type ThreadFunctions } from '../thread-call.ts'
import {
  commitGroup,
  type GroupCommitOptions,
  type QueueTopic,
  WRITE_BYTES_MAX,
  WRITE_RECORD_COUNT_MAX,
} from './group-commit.ts'
import { viewColumns } from './read-batches.ts'
import type { ReaderFunctions } from './reader-thread.ts'
import type { OpenedTopic, WriterFunctions } from './writer-thread.ts'

// The embedded log: topics in one SQLite file.
//
// In come records (`append`); they are encoded here, on the caller's thread, into columns, go to
// the writer's thread as one buffer, and are stored there as they are. Out come record batches
// (`read`), joined on the reader's thread and only looked at here. What survives a crash, of the
// process or of the machine: every append that was acknowledged, with its place, its id where ids
// may repeat, and the duplicate counts; of an append that was not acknowledged everything or
// nothing.

export interface EmbeddedLogOptions {
  /** The SQLite file; created with its folder. Beside it lie `-wal`, `-shm` and `.lock`. */
  readonly file: string
  readonly limits?: Partial<EmbeddedLogLimits>
  readonly clock?: Clock
  readonly onWrite?: LogWatch['onWrite']
}

export interface EmbeddedLog extends Log {
  /**
   * Drop batches of a partition that lie wholly before `offset`, when nobody needs them. Returns
   * how many records went.
   */
  dropBefore(topic: string, partition: number, offset: number): Promise<number>
}

export interface EmbeddedLogLimits extends AppendQueueLimits {
  /**
   * How large the file may grow; past it appends are `unavailable` until retention has dropped
   * something. Default: no bound but the disk.
   */
  readonly fileBytesMax?: number
}

/** How often a reader in another process looks whether there is something new. */
const POLL_INTERVAL_MS = 200

/**
 * Open the log for writing and reading. One process at a time. @throws LogLockedError,
 * LogVersionError, LogUnavailableError
 */
export async function openEmbeddedLog({
  file,
  limits,
  clock = systemClock,
  onWrite,
}: EmbeddedLogOptions): Promise<EmbeddedLog> {
  const writer = startThread<WriterFunctions>('./writer-thread.ts')
  const { fileBytesMax } = limits ?? {}
  const bound = fileBytesMax === undefined ? {} : { fileBytesMax }
  let reader: LogReader
  let opened: readonly OpenedTopic[]
  try {
    opened = await writer.call('open', { file, ...bound })
    reader = await openEmbeddedLogReader(file)
  } catch (error) {
    await writer.terminate()
    throw error
  }
  const topics = new Map(opened.map((topic) => [topic.row.config.name, queueTopic(topic)]))
  const waiters = new AppendWaiters()
  const groupCommit: GroupCommitOptions = {
    write: (request) => writer.call('append', request, [request.buffer]),
    onAppended: (topic) => waiters.wake(topic.ends),
  }
  const queue = new AppendQueue<QueueTopic>({
    limits: { ...DEFAULT_APPEND_QUEUE_LIMITS, ...limits },
    writeRecordCountMax: WRITE_RECORD_COUNT_MAX,
    writeBytesMax: WRITE_BYTES_MAX,
    write: (calls) => commitGroup(calls, groupCommit),
    ...(onWrite === undefined ? {} : { onWrite }),
  })
  let closed = false
  const topicOf = (name: string): QueueTopic => {
    if (closed) throw new LogClosedError('The log was used after it was closed.')
    const topic = topics.get(name)
    if (topic === undefined) throw topicMissing(name, [...topics.keys()])
    return topic
  }
  return {
    ...reader,

    async ensureTopic(config) {
      const topic = await writer.call('ensureTopic', config)
      if (!topics.has(config.name)) topics.set(config.name, queueTopic(topic))
    },

    // Not an async function: that would be one more promise for every single event.
    append(topic, records, signal) {
      try {
        signal?.throwIfAborted()
        return queue.append(topicOf(topic), records, clock.nowMs())
      } catch (error) {
        return Promise.reject(error)
      }
    },

    async waitForAppend(topic, after, signal) {
      await waiters.wait(topicOf(topic).ends, after, signal)
    },

    commit: async (group, topic, offsets) =>
      writer.call('commit', { group, topicId: topicOf(topic).id, offsets }),

    async dropBefore(name, partition, offset) {
      const topic = topicOf(name)
      const partitionNumber = topic.partitionNumbers[partition]!
      return writer.call('dropBefore', { topicId: topic.id, partitionNumber, offset })
    },

    enforceRetention: (nowMs) => writer.call('enforceRetention', { nowMs }),

    async close() {
      if (closed) return
      closed = true
      await queue.drain()
      waiters.wakeAll()
      await reader.close()
      await writer.call('close', undefined)
      await writer.terminate()
    },
  }
}

/**
 * Open the log for looking only, in any process, while its writer runs or not. @throws
 * LogUnavailableError when there is none, LogVersionError
 */
export async function openEmbeddedLogReader(file: string): Promise<LogReader> {
  const thread = startThread<ReaderFunctions>('./reader-thread.ts')
  try {
    await thread.call('open', { file })
  } catch (error) {
    await thread.terminate()
    throw error
  }
  return {
    topics: () => thread.call('topics', undefined),

    async read(request, signal) {
      signal?.throwIfAborted()
      const columns = await thread.call('read', request)
      return viewColumns(request.topic, request.partition, columns)
    },

    async waitForAppend(topic, after, signal) {
      while (!signal.aborted) {
        const bounds = await thread.call('bounds', { topic })
        if (
          bounds.some(({ partition, offsetEnd }) => offsetEnd > (after.get(partition) ?? Infinity))
        )
          return
        await pause(POLL_INTERVAL_MS, signal)
      }
    },

    bounds: (topic) => thread.call('bounds', { topic }),
    offsetsAt: (topic, timeMs) => thread.call('offsetsAt', { topic, timeMs }),
    committed: (group, topic) => thread.call('committed', { group, topic }),

    async close() {
      await thread.call('close', undefined)
      await thread.terminate()
    },
  }
}

function startThread<F extends ThreadFunctions>(file: string): ThreadCaller<F> {
  return new ThreadCaller<F>(new Worker(new URL(file, import.meta.url)))
}

function queueTopic({ row, bounds }: OpenedTopic): QueueTopic {
  return {
    id: row.id,
    partitionNumbers: row.partitionNumbers,
    ends: bounds.map(({ offsetEnd }) => offsetEnd),
    builders: [],
    segmentOf: new Int32Array(bounds.length).fill(-1),
  }
}
