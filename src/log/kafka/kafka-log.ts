import { Worker } from 'node:worker_threads'
import { Admin, Producer } from '@platformatic/kafka'
import { type Clock, systemClock } from '../../model/clock.ts'
import {
  AppendQueue,
  type AppendQueueLimits,
  DEFAULT_APPEND_QUEUE_LIMITS,
} from '../append-queue.ts'
import { AppendWaiters } from '../append-waiters.ts'
import { LogClosedError } from '../errors.ts'
import type { GroupLog } from '../group.ts'
import type { LogWatch } from '../log-watch.ts'
import { pause } from '../pause.ts'
import { ThreadCaller } from '../thread-call.ts'
import { joinKafkaGroup } from './group-member.ts'
import type { IdIndexFunctions } from './id-index-thread.ts'
import { appendToKafka, type KafkaTopic } from './kafka-append.ts'
import { commitOffsets, committedOffsets } from './kafka-offsets.ts'
import { KafkaReader } from './kafka-reader.ts'
import {
  asking,
  ensureKafkaTopic,
  kafkaBounds,
  kafkaEnds,
  kafkaOffsetsAt,
  retentionOf,
} from './kafka-topics.ts'
import { TopicMemory } from './topic-memory.ts'

// Topics in Apache Kafka (4.x). In come records (`append`), acknowledged by all in-sync replicas
// before anything is said; out come record batches (`read`), from any offset, without a group. What
// survives a crash of ours: everything acknowledged, since the broker has it; and what ids were
// there, since the local index is a view that catches up by reading the topic. Ids are looked up by
// one writer: a second gateway with an index of its own on the same topic learns of the first one's
// ids one append late, so give each its own topics, or let one append ids that may repeat.

export interface KafkaLogOptions {
  /** `host:port` of some brokers. */
  readonly brokers: readonly string[]
  /**
   * SQLite file of the id index; may be deleted while closed, and is then built again by reading
   * the topics.
   */
  readonly indexFile: string
  readonly clientId?: string
  /** Replicas of topics that are made here. Default -1: the broker's own default. */
  readonly replicationFactor?: number
  readonly limits?: Partial<AppendQueueLimits>
  readonly sasl?: NonNullable<ConstructorParameters<typeof Admin>[0]['sasl']>
  readonly tls?: NonNullable<ConstructorParameters<typeof Admin>[0]['tls']>
  readonly clock?: Clock
  readonly onWrite?: LogWatch['onWrite']
}

/** How long a broker may take to accept a connection, and to answer, before it counts as away. */
const CONNECT_TIMEOUT_MS = 3_000
const REQUEST_TIMEOUT_MS = 5_000
/**
 * A leader that just moved is found again; then whoever called is told. The client takes 0 and 1
 * for "for ever".
 */
const APPEND_RETRIES = 2
const ASK_RETRIES = 4
const ASK_RETRY_DELAY_MS = 150
/** How often we ask for what other producers appended; our own appends are known at once. */
const POLL_INTERVAL_MS = 100
const WRITE_RECORD_COUNT_MAX = 5_000
const WRITE_BYTES_MAX = 2 * 1024 * 1024

/**
 * Open topics in Kafka. Does not need the broker yet; what needs it says so. @throws
 * LogVersionError of the id index
 */
export async function openKafkaLog(options: KafkaLogOptions): Promise<GroupLog> {
  const { clock = systemClock, limits } = options
  const index = new ThreadCaller<IdIndexFunctions>(
    new Worker(new URL('./id-index-thread.ts', import.meta.url)),
  )
  try {
    await index.call('open', { file: options.indexFile })
  } catch (error) {
    await index.terminate()
    throw error
  }
  const client = clientOptions(options)
  const admin = new Admin({ ...client, retries: ASK_RETRIES, retryDelay: ASK_RETRY_DELAY_MS })
  const producer = new Producer<Buffer, Buffer, Buffer, Buffer>({
    ...client,
    retries: APPEND_RETRIES,
    retryDelay: ASK_RETRY_DELAY_MS,
    idempotent: true,
    acks: -1,
    compression: 'zstd',
  })
  const reader = new KafkaReader(admin)
  const memory = new TopicMemory(admin, index)
  const waiters = new AppendWaiters()
  let closed = false

  async function topicOf(name: string): Promise<KafkaTopic> {
    if (closed) throw new LogClosedError('The log was used after it was closed.')
    return memory.find(name)
  }

  const queue = new AppendQueue<KafkaTopic>({
    limits: { ...DEFAULT_APPEND_QUEUE_LIMITS, ...limits },
    writeRecordCountMax: WRITE_RECORD_COUNT_MAX,
    writeBytesMax: WRITE_BYTES_MAX,
    write: (calls) =>
      appendToKafka(calls, {
        producer,
        index,
        catchUp: (topic) => memory.catchUp(topic),
        onAppended: (topic) => waiters.wake(topic.seenEnds),
      }),
    ...(options.onWrite === undefined ? {} : { onWrite: options.onWrite }),
  })

  return {
    async ensureTopic(config) {
      const identity = await ensureKafkaTopic(admin, config, options.replicationFactor ?? -1)
      await memory.learn(identity)
    },

    async topics() {
      const names = await asking('list its topics', () => admin.listTopics())
      const retention = await retentionOf(admin, names)
      const duplicates = await index.call('duplicateCounts', undefined)
      return Promise.all(
        names.map(async (name) => {
          const topic = await topicOf(name)
          return {
            name,
            partitions: topic.partitionCount,
            ...retention.get(name),
            bounds: await kafkaBounds(admin, topic),
            duplicateCount: duplicates.get(name) ?? 0,
          }
        }),
      )
    },

    async append(topic, records, signal) {
      signal?.throwIfAborted()
      const found = await topicOf(topic).catch((error) => {
        if (error?.code !== 'LOG_UNAVAILABLE') throw error
        return String(error.message)
      })
      if (typeof found === 'string')
        return { status: 'unavailable', retryAfterMs: 1_000, reason: found }
      return queue.append(found, records, clock.nowMs())
    },

    async read(request, signal) {
      signal?.throwIfAborted()
      return reader.read(await topicOf(request.topic), request)
    },

    async waitForAppend(name, after, signal) {
      const topic = await topicOf(name)
      while (!signal.aborted) {
        const ends = await kafkaEnds(admin, topic)
        for (const [partition, offset] of after) if ((ends.get(partition) ?? 0) > offset) return
        const ended = new AbortController()
        const either = AbortSignal.any([signal, ended.signal])
        await Promise.race([
          waiters.wait(topic.seenEnds, after, either),
          pause(POLL_INTERVAL_MS, either),
        ])
        ended.abort()
      }
    },

    bounds: async (topic) => kafkaBounds(admin, await topicOf(topic)),

    async offsetsAt(name, timeMs) {
      const topic = await topicOf(name)
      const [found, ends] = await Promise.all([
        kafkaOffsetsAt(admin, topic, timeMs),
        kafkaEnds(admin, topic),
      ])
      return new Map(
        [...ends].map(([partition, end]) => {
          const offset = found.get(partition) ?? -1
          return [partition, offset < 0 ? end : offset]
        }),
      )
    },

    committed: async (group, topic) => committedOffsets(admin, group, await topicOf(topic)),
    commit: async (group, topic, offsets) =>
      commitOffsets(admin, group, await topicOf(topic), offsets),

    // The broker drops records by the topic's settings; ours is to forget their ids, and to count
    // them.
    enforceRetention: () => memory.forgetDropped(),

    joinGroup: (membership) => joinKafkaGroup(client, membership),

    async close() {
      if (closed) return
      closed = true
      await queue.drain()
      waiters.wakeAll()
      await Promise.all([producer.close(true), admin.close()])
      await index.call('close', undefined)
      await index.terminate()
    },
  }
}

function clientOptions(options: KafkaLogOptions) {
  const { brokers, clientId = 'mekong', sasl, tls } = options
  return {
    clientId,
    bootstrapBrokers: [...brokers],
    connectTimeout: CONNECT_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    autocreateTopics: false,
    ...(sasl === undefined ? {} : { sasl }),
    ...(tls === undefined ? {} : { tls }),
  }
}
